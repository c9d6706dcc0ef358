"""An HTTP client that shows what is on the wire: raw bytes, how a body ended, when each part came.

Blocking, on one socket per exchange unless a Connection is kept. It can misbehave: send in pieces, stop reading, close
early, send framing that no library would.
"""

import dataclasses
import json
import socket
import struct
import time

TIMEOUT_SECONDS = 20


@dataclasses.dataclass
class Answer:
    status: int = 0
    headers: list = dataclasses.field(default_factory=list)
    body: bytes = b""
    clean: bool = False      # the body ended as its framing promised
    error: str = ""          # what the socket said otherwise
    head_seconds: float = 0  # from the last byte sent
    end_seconds: float = 0
    interim: list = dataclasses.field(default_factory=list)  # 1xx answers before

    def header(self, name, default=None):
        return next((value for key, value in self.headers if key.lower() == name.lower()), default)

    @property
    def call_id(self):
        return self.header("x-understudy-call", "")

    def json(self):
        return json.loads(self.body)

    def events(self):
        """[(event name, data text)] of a stream's body."""
        found, name, data = [], "", []
        for line in self.body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").decode().split("\n"):
            if not line:
                if data:
                    found.append((name, "\n".join(data)))
                name, data = "", []
            elif line.startswith("event:"):
                name = line[6:].strip()
            elif line.startswith("data:"):
                data.append(line[5:].removeprefix(" "))
        return found

    def parsed_events(self):
        """[JSON value] of the events that hold JSON, [DONE] left out."""
        return [json.loads(data) for _, data in self.events() if data != "[DONE]"]


class Connection:
    def __init__(self, url, timeout=TIMEOUT_SECONDS):
        host, _, port = url.removeprefix("http://").rstrip("/").partition(":")
        self.host = f"{host}:{port}"
        self.socket = socket.create_connection((host, int(port)), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def head(self, method, path, headers, length=None):
        lines = [f"{method} {path} HTTP/1.1"]
        names = {name.lower() for name in dict(headers)}
        if "host" not in names:
            lines.append(f"Host: {self.host}")
        if length is not None and not names & {"content-length", "transfer-encoding"}:
            lines.append(f"Content-Length: {length}")
        lines += [f"{name}: {value}" for name, value in dict(headers).items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def more(self):
        part = self.socket.recv(65536)
        if not part:
            raise EOFError("the connection was closed")
        self.pending += part

    def take_until(self, mark):
        while mark not in self.pending:
            self.more()
        taken, _, self.pending = self.pending.partition(mark)
        return taken

    def take(self, count):
        while len(self.pending) < count:
            self.more()
        taken, self.pending = self.pending[:count], self.pending[count:]
        return taken

    def receive(self, on_body=None):
        """The next answer. `on_body(bytes so far)` may return True to stop reading there."""
        answer, started = Answer(), time.monotonic()
        try:
            while True:
                lines = self.take_until(b"\r\n\r\n").decode("latin-1").split("\r\n")
                answer.status = int(lines[0].split(" ")[1])
                answer.headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
                if answer.status >= 200:
                    break
                answer.interim.append(answer.status)
            answer.head_seconds = time.monotonic() - started
            self.read_body(answer, on_body)
        except (OSError, EOFError, ValueError) as error:
            answer.error = f"{type(error).__name__}: {error}"
        answer.end_seconds = time.monotonic() - started
        return answer

    def read_body(self, answer, on_body):
        parts = []

        def add(part):
            parts.append(part)
            answer.body = b"".join(parts)
            return bool(on_body and on_body(answer.body))
        if "chunked" in answer.header("transfer-encoding", ""):
            while True:
                size = int(self.take_until(b"\r\n"), 16)
                part = self.take(size)
                self.take(2)
                if size == 0:
                    answer.clean = True
                    return
                if add(part):
                    return
        elif answer.header("content-length") is not None:
            left = int(answer.header("content-length"))
            while left > 0:
                if not self.pending:
                    self.more()
                part = self.take(min(left, len(self.pending)))
                left -= len(part)
                parts.append(part)
            answer.body, answer.clean = b"".join(parts), True
        else:
            try:
                while not add(self.take(len(self.pending)) if self.pending else b""):
                    self.more()
            except EOFError:
                answer.clean = True  # this framing has no other end

    def reset(self):
        """Closes as a crash does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def ask(url, path="/v1/chat/completions", body=None, headers=None, method="POST", timeout=TIMEOUT_SECONDS):
    """One exchange; `body` may be a JSON value or bytes."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
    with Connection(url, timeout) as connection:
        sent = {"Content-Type": "application/json", **(headers or {})} if data else headers or {}
        connection.send(connection.head(method, path, sent, len(data) if data or method == "POST" else None) + data)
        return connection.receive()
