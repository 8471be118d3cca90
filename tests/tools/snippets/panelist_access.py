import requests
import os
def get_survey_access(survey_id, panelist_id):
    response = requests.get(
        f"https://api.votito.com/tenant/surveys/{survey_id}/panelists/{panelist_id}",
        headers={"X-API-Key": os.environ["VOTITO_API_KEY"]}
    )
    response.raise_for_status()
    return response.json()
# Usage
data = get_survey_access("survey-123", "customer-456")
print(f"Voting URL: {data['panelist']['hostedResponseUrl']}")
