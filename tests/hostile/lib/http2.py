"""HTTP/2 and gRPC over a plain socket: raw frames, so that they can also be invalid."""

import struct
import time

import hpack

from .server import connect

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, \
    CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8
HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE = 1, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
WINDOW_DEFAULT = 65_535
WINDOW_MAX = 2**31 - 1
FRAME_MAX_BYTES = 16_384


def frame(kind, flags, stream, payload=b""):
    """Returns one frame."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(values):
    """Returns a SETTINGS frame of identifiers and values."""
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *it) for it in values.items()))


def _text(value):
    value = value.encode()
    if len(value) < 127:
        return bytes([len(value)]) + value
    rest, length = len(value) - 127, b"\x7f"
    while rest >= 128:
        length += bytes([rest % 128 + 128])
        rest //= 128
    return length + bytes([rest]) + value


def block(headers):
    """Returns a header block of literals without indexing, the same bytes for every stream."""
    return b"".join(b"\x00" + _text(name) + _text(value) for name, value in headers)


def grpc_block(method, key=None, timeout="10S", extra=()):
    """Returns the header block of a gRPC call, `Service/Method` of the contract."""
    headers = [(":method", "POST"), (":scheme", "http"), (":authority", "screenerd"),
               (":path", f"/screener.v1.{method}"), ("content-type", "application/grpc"),
               ("te", "trailers")]
    if timeout:
        headers.append(("grpc-timeout", timeout))
    if key:
        headers.append(("authorization", f"Bearer {key}"))
    return block([*headers, *extra])


def message(payload, length=None):
    """Returns a gRPC message. It may announce another length than it has."""
    return struct.pack(">BI", 0, len(payload) if length is None else length) + payload


def field(number, value):
    """Returns a field of protobuf: text, bytes, or a number."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    value = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value):
    out = b""
    while value >= 128:
        out += bytes([value % 128 + 128])
        value //= 128
    return out + bytes([value])


class Stream:
    """The state of one stream."""

    def __init__(self, window):
        self.headers, self.data_bytes, self.window = {}, 0, window
        self.ended = self.was_reset = False

    def over(self):
        """Whether the server has finished the stream."""
        return self.ended or self.was_reset


class Connection:
    """A client that tracks windows and streams. Its caller does everything else."""

    def __init__(self, address, source=None, settings_sent=None, window=WINDOW_MAX, **options):
        self.socket = connect(address, source, **options)
        self.decoder = hpack.Decoder()
        self.streams, self.next_stream = {}, 1
        self.window, self.initial_window = WINDOW_DEFAULT, WINDOW_DEFAULT
        self.goaway = self.closed = False
        self._data = b""
        sent = PREFACE + settings(settings_sent or {})
        if window > WINDOW_DEFAULT:
            sent += frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", window - WINDOW_DEFAULT))
        self.socket.sendall(sent)

    def close(self):
        """Closes the socket."""
        self.closed = True
        self.socket.close()

    def open(self, header_block, body=None, end=True):
        """Sends a request's head, and its body if it has one. Returns the stream's number."""
        number = self.next_stream
        self.next_stream += 2
        self.streams[number] = Stream(self.initial_window)
        ends = END_STREAM if end and body is None else 0
        sent = frame(HEADERS, END_HEADERS | ends, number, header_block)
        if body is not None:
            for place in range(0, max(len(body), 1), FRAME_MAX_BYTES):
                part = bytes(body[place:place + FRAME_MAX_BYTES])
                is_last = place + FRAME_MAX_BYTES >= len(body)
                sent += frame(DATA, END_STREAM if end and is_last else 0, number, part)
            self.window -= len(body)
            self.streams[number].window -= len(body)
        self.socket.sendall(sent)
        return number

    def upload(self, number, data):
        """Sends as much of the data as the windows allow. Returns the number of bytes."""
        stream = self.streams[number]
        allowed = min(len(data), self.window, stream.window)
        sent = 0
        while sent < allowed:
            part = data[sent:min(sent + FRAME_MAX_BYTES, allowed)]
            self.socket.sendall(frame(DATA, 0, number, bytes(part)))
            sent += len(part)
        self.window -= sent
        stream.window -= sent
        return sent

    def take(self, seconds):
        """Reads the bytes that arrive within the time. Returns false if none arrive."""
        self.socket.settimeout(max(seconds, 0.0005))
        try:
            part = self.socket.recv(262_144)
        except (TimeoutError, BlockingIOError):
            return False
        except OSError:
            part = b""
        finally:
            if not self.closed:
                self.socket.settimeout(5.0)
        if not part:
            self.closed = True
            return False
        data, place = self._data + part, 0
        while len(data) - place >= 9:
            length = int.from_bytes(data[place:place + 3], "big")
            if len(data) - place < 9 + length:
                break
            kind, flags = data[place + 3], data[place + 4]
            number = int.from_bytes(data[place + 5:place + 9], "big") & WINDOW_MAX
            self._handle(kind, flags, number, data[place + 9:place + 9 + length])
            place += 9 + length
        self._data = data[place:]
        return True

    def _handle(self, kind, flags, number, payload):
        stream = self.streams.get(number)
        if kind == HEADERS:
            # Decodes every block, because the table belongs to the connection.
            headers = self.decoder.decode(payload)
            if stream:
                stream.headers.update(headers)
                stream.ended |= bool(flags & END_STREAM)
        elif kind == DATA and stream:
            stream.data_bytes += len(payload)
            stream.ended |= bool(flags & END_STREAM)
        elif kind == RST_STREAM and stream:
            stream.was_reset = True
        elif kind == WINDOW_UPDATE:
            more = int.from_bytes(payload, "big")
            if number == 0:
                self.window += more
            elif stream:
                stream.window += more
        elif kind == SETTINGS and not flags & ACK:
            self._settings(payload)
        elif kind == PING and not flags & ACK:
            self.socket.sendall(frame(PING, ACK, 0, payload))
        elif kind == GOAWAY:
            self.goaway = True

    def _settings(self, payload):
        for place in range(0, len(payload), 6):
            name, value = struct.unpack_from(">HI", payload, place)
            if name == INITIAL_WINDOW_SIZE:
                for stream in self.streams.values():
                    stream.window += value - self.initial_window
                self.initial_window = value
        self.socket.sendall(frame(SETTINGS, ACK, 0))

    def wait(self, number, seconds):
        """Waits until the server has finished a stream. Returns it, or None after the time."""
        end = time.monotonic() + seconds
        stream = self.streams[number]
        while not stream.over():
            left = end - time.monotonic()
            if left <= 0 or self.closed:
                return None
            self.take(left)
        return self.streams.pop(number)

    def settle(self, seconds, quiet_seconds=0.3):
        """Reads until nothing arrives for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.closed:
            if not self.take(quiet_seconds):
                return


def grpc_status(stream):
    """Returns the gRPC status of a finished call, or None."""
    value = stream.headers.get("grpc-status") if stream else None
    return None if value is None else int(value)
