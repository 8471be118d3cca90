const response = await fetch(
  `https://api.votito.com/tenant/surveys/${surveyId}/panelists/${customerId}`,
  { headers: { 'X-API-Key': apiKey } }
);
const { panelist } = await response.json();
// Send panelist.hostedResponseUrl to your customer
sendEmail(customer.email, panelist.hostedResponseUrl);
