curl --request PATCH \
  --url https://api-staging.respondent.io/v1/projects/{projectId}/screener-responses/{screenerResponseId}/reject \
  --header 'x-api-key: <x-api-key>' \
  --header 'x-api-secret: <x-api-secret>'
