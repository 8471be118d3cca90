"""Callers who create sessions and answer them, and record the acknowledged writes."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import grpc
import requests
from google.rpc.error_details_pb2 import RetryInfo
from grpc_status import rpc_status

from screener.v1.panelist_session_service_pb2 import SubmitAnswersRequest
from screener.v1.panelist_session_service_pb2_grpc import PanelistSessionServiceStub
from screener.v1.screener_session_service_pb2 import CreateScreenerSessionRequest
from screener.v1.screener_session_service_pb2_grpc import ScreenerSessionServiceStub

SCREENER = "scr_failover"
QUESTIONS = ("q_first", "q_second", "q_third")
SERVICE_TOKEN = "Bearer sdk_demo_acct_123"
CALLERS = 16
# Longer than the server's own deadline, so that the server gives up first.
DEADLINE_SECONDS = 45

SCREENER_FILE = [
    {"format": "screenerd-import", "version": 1},
    {"type": "screener", "tenant": "acct_123", "id": SCREENER, "projectId": "proj_123",
     "title": "Failover", "status": "OPEN", "activePublicationId": "scpub_failover"},
    {"type": "publication", "tenant": "acct_123", "id": "scpub_failover", "screenerId": SCREENER,
     "pages": [{"id": "p_1", "questions": [
         {"id": id, "kind": "TEXT", "prompt": "?", "required": True} for id in QUESTIONS]}]},
]


class ComeBack(Exception):
    """The refusal that a failover may cause: unavailable, with a retry delay."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds


@dataclass
class Seen:
    """The outcomes of all callers. Each caller writes with a single append."""

    # The begin and the acknowledgement of each write, in seconds of the monotonic clock.
    acknowledged: list = field(default_factory=list)
    # The number of acknowledged writes of each caller.
    of_callers: Counter = field(default_factory=Counter)
    # Notified of each acknowledged write.
    written: threading.Condition = field(default_factory=threading.Condition)
    # By acknowledged session: the external uid, and the number of acknowledged answers.
    sessions: dict = field(default_factory=dict)
    # The uids of creations that ended with a retry delay: the session may exist or not.
    in_doubt: list = field(default_factory=list)
    come_back: list = field(default_factory=list)
    other_errors: list = field(default_factory=list)

    def acknowledge(self, caller, begun):
        """Records that a caller's write has just been acknowledged."""
        with self.written:
            self.acknowledged.append((begun, time.monotonic()))
            self.of_callers[caller] += 1
            self.written.notify_all()

    def wait_for(self, is_reached, seconds):
        """Waits until the acknowledged writes meet a condition. False after the timeout."""
        with self.written:
            return self.written.wait_for(is_reached, seconds)


class Caller:
    """A caller with connections of its own who answers one questionnaire after another."""

    def __init__(self, number, address, seen, stop):
        self.number, self.address, self.seen, self.stop = number, address, seen, stop
        # A channel of its own. Otherwise all callers would share a connection and thus a server.
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
        self.channel = grpc.insecure_channel(address, options=options)
        self.sessions = ScreenerSessionServiceStub(self.channel)
        self.panelists = PanelistSessionServiceStub(self.channel)
        self.http = requests.Session()

    def run(self):
        turn = 0
        while not self.stop.is_set():
            turn += 1
            uid = f"crm-{self.number}-{turn}"
            try:
                self.one_questionnaire(uid)
            except ComeBack:
                # Creating a session has no request id, so a retry is not safe.
                self.seen.in_doubt.append(uid)
            except Exception as error:  # noqa: BLE001: whatever it was, it was not promised
                self.seen.other_errors.append(f"{uid}: {error!r}")
                self.stop.wait(1)

    def one_questionnaire(self, uid):
        request = CreateScreenerSessionRequest(screener_id=SCREENER, external_uid=uid)
        credential = [("authorization", SERVICE_TOKEN)]
        answer = self.make(
            lambda: self.over_grpc(self.sessions.CreateScreenerSession, request, credential)
        )
        session = answer.screener_session
        self.seen.sessions[session.id] = (uid, 0)
        for count, questions in ((2, QUESTIONS[:2]), (3, QUESTIONS[2:])):
            answers = {id: f"{uid} says {id}" for id in questions}
            link = session.screener_session_link
            if not self.submit(link, answers, count == 3, f"{uid}-{count}"):
                return
            self.seen.sessions[session.id] = (uid, count)

    def submit(self, link, answers, is_final, request_id):
        """Retries a submission under its request id over both transports until acknowledged."""
        transports = (self.submit_over_grpc, self.submit_over_rest)
        attempt = self.number
        while True:
            transport = transports[attempt % 2]
            try:
                self.make(lambda: transport(link, answers, is_final, request_id))
                return True
            except ComeBack:
                # At the end, the caller stops retrying, and the submission is in doubt.
                if self.stop.is_set():
                    return False
            attempt += 1

    def submit_over_grpc(self, link, answers, is_final, request_id):
        request = SubmitAnswersRequest(is_final=is_final, request_id=request_id)
        for question, text in answers.items():
            request.answers[question].text = text
        credential = [("authorization", link)]
        return self.over_grpc(self.panelists.SubmitAnswers, request, credential)

    def submit_over_rest(self, link, answers, is_final, request_id):
        responses = {question: {"explanation": text} for question, text in answers.items()}
        reply = self.http.post(
            f"http://{self.address}/public/surveys/",
            json={"responses": responses, "isFinal": is_final},
            headers={"authorization": link, "idempotency-key": request_id},
            timeout=DEADLINE_SECONDS,
        )
        if reply.status_code == 503 and "retry-after" in reply.headers:
            raise ComeBack(float(reply.headers["retry-after"]))
        if reply.status_code != 200:
            raise RuntimeError(f"REST {reply.status_code} {dict(reply.headers)} {reply.text}")
        return reply.json()

    def over_grpc(self, method, request, metadata):
        try:
            return method(request, metadata=metadata, timeout=DEADLINE_SECONDS)
        except grpc.RpcError as error:
            status = rpc_status.from_call(error)
            retry = RetryInfo()
            hints = [it for it in (status.details if status else ()) if it.Unpack(retry)]
            if error.code() == grpc.StatusCode.UNAVAILABLE and hints:
                raise ComeBack(retry.retry_delay.ToNanoseconds() / 1e9) from None
            raise RuntimeError(f"gRPC {error.code()} {error.details()}") from None

    def make(self, call):
        """Makes a write. If it is refused with a retry delay, waits that long."""
        begun = time.monotonic()
        try:
            answer = call()
        except ComeBack as refusal:
            self.seen.come_back.append(time.monotonic())
            self.stop.wait(refusal.seconds)
            raise
        self.seen.acknowledge(self.number, begun)
        return answer


class Load:
    """All callers."""

    def __init__(self, address):
        self.seen, self.stop = Seen(), threading.Event()
        callers = [Caller(it, address, self.seen, self.stop) for it in range(CALLERS)]
        self.threads = [threading.Thread(target=it.run, daemon=True) for it in callers]

    def start(self):
        for thread in self.threads:
            thread.start()

    def finish(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def first_acknowledged(self, since, place):
        """When the first write was acknowledged that began after an instant, from a place on."""
        ends = [end for begun, end in self.seen.acknowledged[place:] if begun > since]
        return min(ends, default=None)

    def wait_each(self, count, seconds):
        """Waits for this many more acknowledged writes of each caller. False after the timeout."""
        before = self.seen.of_callers.copy()
        return self.seen.wait_for(
            lambda: all(self.seen.of_callers[it] - before[it] >= count for it in range(CALLERS)),
            seconds)


def pages(address, path):
    """Returns all items of a list, page by page, and the total."""
    items = []
    while True:
        reply = requests.get(
            f"http://{address}/{path}?filter[screenerId][eq]={SCREENER}"
            f"&pagination[limit]=500&pagination[offset]={len(items)}",
            headers={"authorization": SERVICE_TOKEN}, timeout=DEADLINE_SECONDS,
        )
        reply.raise_for_status()
        page = reply.json()
        items += page["items"]
        if not page["items"]:
            return items, page["total"]


def check(address, seen):
    """Compares the stored rows with the acknowledged ones: finds missing and duplicate rows."""
    missing, twice = [], []
    sessions, total = pages(address, "screener-sessions")
    if total != len(sessions):
        missing.append(f"{total} sessions are counted, {len(sessions)} listed")
    by_id = {session["id"]: session for session in sessions}
    people = {}
    for session in sessions:
        people.setdefault(session["screenerParticipantId"], []).append(session["id"])
    twice += [f"sessions {ids} of one participant" for ids in people.values() if len(ids) > 1]
    if len(by_id) != len(sessions):
        twice.append("a session is listed twice")
    if len(sessions) > len(seen.sessions) + len(seen.in_doubt):
        twice.append(f"{len(sessions)} sessions, but {len(seen.sessions)} were acknowledged")
    responses, total = pages(address, "screener-responses")
    if total != len(responses):
        missing.append(f"{total} answers are counted, {len(responses)} listed")
    answers = {}
    for response in responses:
        own = answers.setdefault(response["screenerSessionId"], {})
        question = response["screenerQuestionId"]
        if question in own:
            twice.append(f"the answer to {question} of {response['screenerSessionId']}")
        own[question] = response["answer"]
    for id, (uid, count) in seen.sessions.items():
        own = answers.get(id, {})
        for question in QUESTIONS[:count]:
            if own.get(question) != f"{uid} says {question}":
                missing.append(f"the answer to {question} of {id}")
        state = by_id.get(id, {}).get("state")
        if state is None or count == 3 and state != "COMPLETED":
            missing.append(f"session {id}, which is {state}")
    made_in_doubt = len(sessions) - sum(id in by_id for id in seen.sessions)
    return missing, twice, len(sessions), len(responses), made_in_doubt
