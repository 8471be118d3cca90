"""The requests that are measured, and as little protobuf as they and the checks need."""

PAGE_ROWS = 25
SCREENER, PUBLICATION = "scr_generated", "scpub_generated"
# The number of sessions, and of participants, in a list request by ids.
NAMED = 50
CREDENTIALS = ["X-Spot-Api-Key: acct_generated", "X-Spot-Api-Secret: sk_live_generated"]
PANEL = ["X-API-Key: vtt_generated"]
SERVICE = ["Authorization: Bearer sdk_generated"]

SESSIONS = "ScreenerSessionService/ListScreenerSessions"
SESSION = "ScreenerSessionService/GetScreenerSession"
RESPONSES = "ScreenerResponseService/ListScreenerResponses"
EXPORT = "ScreenerResponseService/ExportScreenerResponses"
ACCESS = "PanelistService/GetPanelistAccess"
FUNNEL = "FunnelService/GetFunnel"
# The path of a session by its number.
SESSION_PATH = "/screener-sessions/scses_%09d"
# The documented filters of responses.
FILTERS = ("none", "screener", "publication", "session", "participant")


def session_id(number):
    return f"scses_{number:09d}"


def varint(number):
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(encoded) + bytes([number])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(message):
    """The fields of a message: (number, integer or bytes)."""
    position = 0

    def take():
        nonlocal position
        number = shift = 0
        while True:
            byte = message[position]
            position += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    found = []
    while position < len(message):
        key = take()
        kind = key & 7
        if kind == 0:
            value = take()
        else:
            length = take() if kind == 2 else 8 if kind == 1 else 4
            value, position = message[position : position + length], position + length
        found.append((key >> 3, value))
    return found


def values(message, number):
    return [value for key, value in fields(message) if key == number]


def frame(message):
    return b"\0" + len(message).to_bytes(4, "big") + message


def get_request(number):
    return field(1, session_id(number))


def access_request(number):
    return field(1, SCREENER) + field(2, f"crm-{number:09d}")


def funnel_request():
    return field(1, SCREENER)


def page(offset):
    return field(1, PAGE_ROWS) + field(2, offset)


def list_request(offset):
    screener_is = field(2, field(1, SCREENER))
    return field(1, screener_is) + field(2, page(offset))


def responses_request(filtered, offset):
    """Responses by one of the documented filters. The first three match all of them."""
    named = {
        "none": b"",
        "screener": field(1, field(1, SCREENER)),
        "publication": field(2, field(1, PUBLICATION)),
        "session": field(3, named_ids("scses")),
        "participant": field(4, named_ids("scpar")),
    }
    return field(1, named[filtered]) + field(2, page(offset))


def named_ids(prefix):
    ids = b"".join(field(1, f"{prefix}_{number:09d}") for number in range(NAMED))
    return field(2, ids)


def list_path(offset):
    screener_is = f"filter%5BscreenerId%5D%5Beq%5D={SCREENER}"
    paged = f"pagination%5Blimit%5D={PAGE_ROWS}&pagination%5Boffset%5D={offset}"
    return f"/screener-sessions?{screener_is}&{paged}"
