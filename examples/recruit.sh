#!/usr/bin/env bash
# The life of a screener with nothing but screenerd, grpcurl and curl: from an empty database to a
# published screener, ten invited people, their answers, verdicts, reviews, the funnel and the
# history. Prints each step, and ends with 0 only if every step answered what it should.
#
#   cargo build && examples/recruit.sh target/debug/screenerd
set -euo pipefail

binary=$(realpath "${1:?usage: examples/recruit.sh BINARY}")
folder=$(mktemp -d)
server=
finish() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" || true; fi
    rm -rf "$folder"
}
trap finish EXIT
cd "$folder"

steps=0
step() { steps=$((steps + 1)); printf '%2d  %s\n' "$steps" "$1"; }
fail() { printf 'FAILED  %s\n' "$*" >&2; exit 1; }

# expect WHAT TEXT PATTERN...: every pattern, a fixed string, is in the text without its spaces.
expect() {
    local what=$1 text pattern
    text=$(tr -d ' \n' <<<"$2")
    shift 2
    for pattern in "$@"; do
        grep -qF -- "$(tr -d ' ' <<<"$pattern")" <<<"$text" || fail "$what: no $pattern in ${text:0:2000}"
    done
}

# value NAME: the first member of that name in the JSON on the standard input.
value() { grep -o "\"$1\": *\"[^\"]*\"" | head -n 1 | sed 's/.*: *"//; s/"$//'; }

# rpc SERVICE/METHOD JSON [CREDENTIAL]: calls an RPC and prints its answer, or its refusal.
rpc() {
    local credential=${3:-Bearer $token}
    grpcurl -plaintext -H "authorization: $credential" -d "$2" "$address" "screener.v1.$1" 2>&1 || true
}

# answer WHO JSON: submits as a panelist whose key is in the file WHO.key.
answer() {
    curl -sS -H "Authorization: $(cat "$1.key")" -H 'Content-Type: application/json' -d "$2" \
        "http://$address/public/surveys/"
}

command -v grpcurl >/dev/null || fail "grpcurl is needed"

step "start on an empty database"
"$binary" serve --listen 127.0.0.1:0 >server.log 2>server.err &
server=$!
for _ in $(seq 100); do
    address=$(grep -o '127\.0\.0\.1:[0-9]*' server.log 2>/dev/null | head -n 1) && break
    sleep 0.1
done
[ -n "${address:-}" ] || fail "the server does not say where it listens"
curl -sS --fail --retry 50 --retry-connrefused --retry-delay 1 "http://$address/readyz" >/dev/null

step "a tenant, and keys"
tenant=$("$binary" tenants create "Research team" --json | value id)
key() { "$binary" keys create --tenant "$tenant" --kind "$1" --json | value secret; }
token=$(key service)
panel=$(key panel)
[ -n "$token" ] && [ -n "$panel" ] || fail "no keys"

step "a project"
expect project "$(rpc ProjectService/CreateProject '{"id": "proj", "name": "Travel", "incentive": 40}')" \
    '"id": "proj"'

step "a screener whose draft cannot work is refused, with every violation by its path"
draft='{"pages": [
  {"id": "about", "questions": [
    {"id": "name", "prompt": "What is your name?", "required": true, "text": {"max_length": 80}},
    {"id": "trips", "prompt": "How many trips a year?", "required": true,
     "numeric": {"min": 0, "max": 200, "step": 1, "qualifies": {"min": 3}}},
    {"id": "mood", "prompt": "How much do you like flying, from 0 to 10?",
     "numeric": {"slider": true, "min": 0, "max": 10, "step": 0.5}}]},
  {"id": "how", "questions": [
    {"id": "books", "prompt": "Who books your trips?", "required": true, "single_select": {"options": [
      {"id": "self", "text": "I do", "rule": "OPTION_RULE_QUALIFIES"},
      {"id": "office", "text": "My office", "rule": "OPTION_RULE_QUALIFIES", "go_to_question_id": "why"},
      {"id": "nobody", "text": "Nobody, I stay at home", "rule": "OPTION_RULE_DISQUALIFIES", "go_to_end": {}}]}},
    {"id": "tools", "prompt": "Which tools do you use?", "multi_select": {"max_choices": 2, "options": [
      {"id": "web", "text": "Web sites", "rule": "OPTION_RULE_REQUIRED"},
      {"id": "agent", "text": "An agent"},
      {"id": "other", "text": "Other", "write_in": true}]}},
    {"id": "why", "prompt": "Why do you travel?", "text": {"multi_line": true}}]}]}'
broken=${draft/'"go_to_question_id": "why"'/'"go_to_question_id": "name"'}
broken=${broken/'"id": "mood"'/'"id": "trips"'}
expect "a broken draft" "$(rpc ScreenerService/CreateScreener \
    "{\"id\": \"scr\", \"project_id\": \"proj\", \"title\": \"Travellers\", \"draft\": $broken}")" \
    'pages[0].questions[2].id' 'pages[1].questions[0].options[1].go_to'

step "the same draft, mended, is kept and published"
expect screener "$(rpc ScreenerService/CreateScreener \
    "{\"id\": \"scr\", \"project_id\": \"proj\", \"title\": \"Travellers\", \"draft\": $draft}")" \
    '"status": "SURVEY_STATUS_DRAFT"'
published=$(rpc ScreenerService/PublishScreener '{"id": "scr"}')
expect published "$published" '"status": "SURVEY_STATUS_OPEN"' '"contentHash"'
publication=$(value activePublicationId <<<"$published")

step "ten people are invited in one call"
people=$(seq -f '{"screener_id": "scr", "external_uid": "crm-%02.0f"}' -s ', ' 10)
invited=$(rpc ScreenerSessionService/BatchCreateScreenerSessions "{\"requests\": [$people]}")
links=$(grep -o '"screenerSessionLink": *"[^"]*"' <<<"$invited" | sed 's/.*: *"//; s/"$//')
[ "$(wc -l <<<"$links")" = 10 ] || fail "not ten links: $invited"

step "each of them may respond, and has a key"
for number in $(seq -w 10); do
    access=$(curl -sS -H "X-API-Key: $panel" "http://$address/tenant/surveys/scr/panelists/crm-$number")
    expect access "$access" '"canRespond":true' '"sessionCount":0'
    value publicKey <<<"$access" >"crm-$number.key"
done

step "the questionnaire does not tell what qualifies"
sheet=$(curl -sS -H "Authorization: $(cat crm-01.key)" "http://$address/public/surveys/")
expect questionnaire "$sheet" '"prompt":"What is your name?"' '"path":["name","trips"'
if grep -qi 'qualif' <<<"$sheet"; then fail "rules are told: $sheet"; fi

step "wrong answers are refused, all at once, and nothing is kept"
wrong='{"responses": {"name": {"explanation": ""}, "trips": {"explanation": "2.5"}, "why": {"optionId": "web"}}}'
expect "wrong answers" "$(answer crm-01 "$wrong")" \
    '"error":"invalid_response"' 'responses.name' 'responses.trips' 'responses.why'

step "answers of every kind, in parts"
expect part "$(answer crm-01 '{"responses": {"name": {"explanation": "Ada"}, "trips": {"explanation": 12}}}')" '{"count":2}'
rest='{"responses": {"mood": {"explanation": 7.5}, "books": {"optionId": "self"},
  "tools": {"optionIds": ["web", "other"], "explanation": "Maps"}, "why": {"explanation": "For work.\nAnd fun."}},
  "isFinal": true}'
expect rest "$(answer crm-01 "$rest")" '{"count":4}'
expect "answering again" "$(answer crm-01 "$rest")" '"error":"exhausted"' '"status":403'

step "a session's link answers too, and a repeat under a request id is told the same"
link=$(sed -n 2p <<<"$links")
request="{\"request_id\": \"click\", \"is_final\": true, \"answers\": {
  \"name\": {\"text\": \"Bob\"}, \"trips\": {\"number\": 1}, \"books\": {\"option\": {\"option_id\": \"office\"}}}}"
for _ in 1 2; do
    expect "a link" "$(rpc PanelistSessionService/SubmitAnswers "$request" "$link")" \
        '"state": "SCREENER_SESSION_STATE_COMPLETED"' '"count": 3'
done
expect "another body" "$(rpc PanelistSessionService/SubmitAnswers "${request/Bob/Rob}" "$link")" 'request id'

step "an answer that changes the path drops what it no longer reaches"
answer crm-03 '{"responses": {"name": {"explanation": "Cy"}, "trips": {"explanation": 9},
  "books": {"optionId": "self"}, "tools": {"optionIds": ["web"]}}}' >/dev/null
expect "to the end" "$(answer crm-03 '{"responses": {"books": {"optionId": "nobody"}}, "isFinal": true}')" '{"count":1}'

step "three more qualify, one is in the midst, one says not now"
for number in 04 05 06; do
    expect "$number" "$(answer "crm-$number" '{"responses": {"name": {"explanation": "Dan"},
      "trips": {"explanation": 5}, "books": {"optionId": "self"}, "tools": {"optionIds": ["web"]}}, "isFinal": true}')" '"count":4'
done
expect "in the midst" "$(answer crm-07 '{"responses": {"name": {"explanation": "Eve"}}}')" '{"count":1}'
curl -sS --fail -X POST -H "Authorization: $(cat crm-08.key)" "http://$address/public/surveys/dismiss/" >/dev/null
expect dismissed "$(curl -sS -H "X-API-Key: $panel" "http://$address/tenant/surveys/scr/panelists/crm-08")" \
    '"canRespond":true' '"dismissedMostRecentUnixTs":1'

step "verdicts, with their reasons"
session() { rpc ScreenerSessionService/ListScreenerSessions '{}' | grep -o '"id": *"scses_[^"]*"' | sed -n "$((10#$1))p" | sed 's/.*: *"//; s/"$//'; }
first=$(session 01)
second=$(session 02)
third=$(session 03)
expect "the first" "$(rpc SubmissionService/GetSubmission "{\"project_id\": \"proj\", \"id\": \"$first\"}")" \
    '"qualified": true' '"percentage": 100'
expect "the second" "$(rpc SubmissionService/ExplainSubmission "{\"project_id\": \"proj\", \"id\": \"$second\"}")" \
    '"rule": "at least 3"' '"value": "1"' 'DISQUALIFIES' '"isEqual": true'
expect "the third" "$(rpc SubmissionService/GetSubmission "{\"project_id\": \"proj\", \"id\": \"$third\"}")" \
    '"qualified": false' '"percentage": 50'

step "reviews: reject, invite, schedule, attended, and a researcher's own word"
review() { rpc "SubmissionService/$1" "{\"project_id\": \"proj\", \"id\": \"$2\"${3:-}}"; }
expect reject "$(review RejectSubmission "$third" ', "message": "Hurried."')" '"status": "SUBMISSION_STATUS_REJECTEDQUALITY"'
expect invite "$(review InviteSubmission "$first")" '"status": "SUBMISSION_STATUS_INVITED"'
expect schedule "$(review ScheduleSubmission "$first" ', "scheduled_at": "2030-01-02T03:04:05Z"')" '"status": "SUBMISSION_STATUS_SCHEDULED"'
expect attended "$(review MarkSubmissionAttended "$first")" '"status": "SUBMISSION_STATUS_ATTENDED"'
expect qualify "$(review QualifySubmission "$second")" '"qualified": true'
expect "a step that is not there" "$(review InviteSubmission "$third")" 'INVALID_STATUS_TRANSITION'

step "a link is revoked, and dead at once"
tenth=$(session 10)
expect removed "$(rpc ScreenerSessionService/RemoveScreenerSession "{\"id\": \"$tenth\"}")" '"status": "SCREENER_SESSION_STATUS_REMOVED"'
expect "a dead key" "$(answer crm-10 '{"responses": {"name": {"explanation": "Zed"}}}')" '"error":"gone"'

step "the screener is closed, and takes answers no longer"
expect closed "$(rpc ScreenerService/CloseScreener '{"id": "scr"}')" '"status": "SURVEY_STATUS_CLOSED"'
expect "a closed screener" "$(answer crm-07 '{"responses": {"trips": {"explanation": 4}}}')" '"error":"not_open"'

step "whoever qualifies so far is listed, and the funnel adds up"
expect listed "$(rpc SubmissionService/ListSubmissions '{"filter": {"project_id": {"eq": "proj"}, "qualified": true}}')" '"total": 6'
funnel=$(rpc FunnelService/GetFunnel "{\"screener_id\": \"scr\", \"publication_id\": \"$publication\"}")
expect funnel "$funnel" '"created": "10"' '"started": "7"' '"inProgress": "1"' '"completed": "6"' \
    '"qualified": "5"' '"disqualified": "1"' '"rejected": "1"' '"removed": "1"'

step "the history names what was answered, and earlier answers are kept apart"
history=$(rpc HistoryService/ListChanges "{\"filter\": {\"subject\": \"CHANGE_SUBJECT_SESSION\", \"subject_id\": {\"eq\": \"$third\"}}}")
expect history "$history" 'CHANGE_ACTION_CREATE' 'CHANGE_ACTION_ANSWER' 'CHANGE_ACTION_COMPLETE' \
    '"name": "answers.tools"' '"name": "answers.books"'
earlier=$(rpc ScreenerResponseService/ListEarlierResponses "{\"filter\": {\"screener_session_id\": {\"eq\": \"$third\"}}}")
expect "earlier answers" "$earlier" '"text": "Web sites"' 'EARLIER_RESPONSE_REASON_DROPPED' \
    '"text": "I do"' 'EARLIER_RESPONSE_REASON_REPLACED' '"total": 2'
expect "the whole history" "$(rpc HistoryService/ListChanges '{"pagination": {"limit": 500}}')" \
    'CHANGE_ACTION_PUBLISH' 'CHANGE_ACTION_CLOSE' 'CHANGE_ACTION_REJECT' 'CHANGE_ACTION_QUALIFY' 'CHANGE_ACTION_DISMISS' 'CHANGE_ACTION_REMOVE'

step "the server stops when it is asked to"
kill "$server"
wait "$server" || fail "it ended with $?"
server=
printf 'all %d steps answered what they should\n' "$steps"
