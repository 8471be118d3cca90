"""Validates the responses of the reject route against the member rules of the document: required
members exist, absent members are left out, and only nullable members are null.

    python3 reject.py http://127.0.0.1:8080
"""

import json
import sys
import urllib.request

MATCHES = (
    "isGenderMatch isAgeMatch isEthnicityMatch isEducationMatch questionsQualified isLocationMatch "
    "isIndustryMatch isJobTitleMatch isHouseholdIncomeMatch isCompanySizeMatch"
).split()
TOP = (
    "qualified percentage status responses totalTime matching visibility id projectId userId"
).split()
OPTIONAL = (
    "qualifiedPendingIdVerification favorite hidden isNew inviteSentAt scheduledAt statusUpdatedAt "
    "createdAt ndaUrl ndaAgree project profile externalProject invitation actor reason "
    "shortNoticeCancel message rejection task"
).split()
# By path: the required members, and the nullable ones.
RULES = {
    "rejection": (["message", "rejectedAt"], []),
    "visibility": (["status"], []),
    "project": (["name", "incentive", "id", "organizationId", "teamId"], []),
    "profile": (["id", "userId", "firstName", "lastName", "skills"], []),
    "matching": (MATCHES, []),
    "invitation": (["id"], []),
    "externalProject": (["researcherId"], []),
    "responses[]": (["questionId", "questionText", "type", "questionType", "answers", "qualify"], []),
    "responses[].answers[]": (
        ["id", "uid", "text", "answerValue", "goToQuestionUid"],
        ["goToQuestionUid"],
    ),
}


def broken(value, path=""):
    """Returns every rule that a value breaks."""
    if isinstance(value, list):
        return [rule for item in value for rule in broken(item, path + "[]")]
    if not isinstance(value, dict):
        return []
    required, nullable = (TOP, []) if path == "" else RULES.get(path, ([], []))
    rules = [f"{path}: {name} is required" for name in required if name not in value]
    if path == "":
        rules += [f"{name} is unknown" for name in value if name not in TOP + OPTIONAL]
    for name, member in value.items():
        below = f"{path}.{name}" if path else name
        if member is None and name not in nullable:
            rules.append(f"{below} is null")
        rules += broken(member, below)
    return rules


def reject(server, submission):
    path = f"/v1/projects/proj_123/screener-responses/{submission}/reject"
    headers = {"x-api-key": "respondent_123", "x-api-secret": "respondent_secret_123"}
    request = urllib.request.Request(server + path, method="PATCH", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.headers["content-type"] == "application/json", answer.headers
        return json.load(answer)


def main(server):
    # Proves that the rules find violations.
    planted = broken({"rejection": {"message": None}})
    assert {"rejection.message is null", "rejection: rejectedAt is required"} <= set(planted)
    for submission in ["scses_789", "scses_790"]:
        body = reject(server, submission)
        assert body["status"] == "REJECTEDQUALITY" and "rejection" in body, body
        rules = broken(body)
        assert not rules, f"{submission}: {rules}"
        print(f"ok reject {submission}: every member rule holds")


main(sys.argv[1])
