const getSurveyAccess = async (surveyId, panelistId) => {
  const response = await fetch(
    `https://api.votito.com/tenant/surveys/${surveyId}/panelists/${panelistId}`,
    {
      headers: { 'X-API-Key': process.env.VOTITO_API_KEY }
    }
  );
  if (!response.ok) {
    throw new Error(`API error: ${response.status}`);
  }
  return response.json();
};
// Usage
const { panelist, survey } = await getSurveyAccess('survey-123', 'customer-456');
console.log(`Voting URL: ${panelist.hostedResponseUrl}`);
