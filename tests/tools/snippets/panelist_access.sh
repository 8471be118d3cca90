curl -X GET \
  "https://api.votito.com/tenant/surveys/survey-123/panelists/customer-456" \
  -H "X-API-Key: vtt_your_api_key"
