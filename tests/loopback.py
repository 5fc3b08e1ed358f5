"""An HTTP server on the loopback device that counts what it sends and can misbehave."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Served:
    """A file that a function gives, piece by piece."""

    size: int
    read: Callable[[int, int], bytes]
    etag: str | None = '"one"'

    @classmethod
    def of(cls, content: bytes, etag: str | None = '"one"') -> "Served":
        return cls(len(content), lambda start, stop: content[start:stop], etag)


@dataclass
class Request:
    path: str
    asked: str
    range: tuple[int, int] | None
    status: int
    sent: int
    headers: dict[str, str]


@dataclass
class Loopback:
    """Files by path; faults come first, one for each request: a status, "cut", or None."""

    url: str = ""
    files: dict[str, Served] = field(default_factory=dict)
    faults: list[Any] = field(default_factory=list)
    ignores_ranges: bool = False
    states_length: bool = True
    extra: dict[str, str] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)

    def of(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    def paths(self) -> list[str]:
        """What was asked for, with the queries."""
        return [request.asked for request in self.requests]

    def sent(self, path: str) -> int:
        return sum(request.sent for request in self.of(path))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        board: Loopback = self.server.board
        path = self.path.partition("?")[0]
        fault = board.faults.pop(0) if board.faults and path in board.files else None
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        span = (int(asked[1]), int(asked[2]) + 1) if asked else None
        start, stop = span or (0, None)
        file = board.files.get(path)
        status, content, headers = 404, b"nothing here", {}
        if isinstance(fault, int):
            status, headers = fault, {"Retry-After": "7"}
        elif file is not None:
            headers = dict(board.extra)
            if file.etag is not None:
                headers["ETag"] = file.etag
            end = file.size if stop is None else min(stop, file.size)
            if board.ignores_ranges or not asked:
                status, start, end = 200, 0, file.size
            elif start >= file.size:
                status, end = 416, start
                headers["Content-Range"] = f"bytes */{file.size}"
            else:
                status = 206
                headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
            # A large file that is sent whole is sent as zeros: nobody should read it.
            content = file.read(start, end) if end - start < 1 << 27 else None
        length = end - start if content is None else len(content)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if board.states_length or status != 200:
            self.send_header("Content-Length", str(length))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        # Noted before anything is sent, so that whoever has the answer finds it noted.
        note = Request(path, self.path, span, status, 0, {})
        note.headers.update(self.headers)
        board.requests.append(note)
        try:
            self.end_headers()
            if fault == "cut":
                note.sent = length // 2
                self.close_connection = True
                self.wfile.write(content[: note.sent])
                self.connection.shutdown(2)
            elif content is not None:
                note.sent = length
                self.wfile.write(content)
            else:
                for _ in range(length >> 20):
                    self.wfile.write(bytes(1 << 20))
                    note.sent += 1 << 20
        except OSError:
            self.close_connection = True


@contextmanager
def loopback() -> Iterator[Loopback]:
    """Serve until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None
    server.board = Loopback(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.board
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
