"""A real HTTP server on loopback that behaves as badly as it is told to."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(ThreadingHTTPServer):
    """Serves `files`. Each request for a path takes the first of its `faults`, if any are left.

    Faults: an int is a status to answer with; "drop" closes after half of the answer, "stall" sends half and then
    nothing more, "wrong" sends other bytes, "more" sends more than it announced, "changed" has another ETag.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[str | int]] = {}
        self.ranges = True  # whether ranges are answered
        self.etags = True
        self.redirects: dict[str, str] = {}
        self.errors: dict[str, str] = {}  # headers of an answer that refuses everything, with this status
        self.error_status = 0
        self.tokens: set[str | None] = set()
        self.requests: list[tuple[str, str | None]] = []  # path with query, Range
        self.sent = 0  # bytes of bodies
        self.closing = threading.Event()

    def handle_error(self, *_: object) -> None:
        """A client that gave up is what the tests are about."""

    @property
    def url(self) -> str:
        """Address of the root, without a slash."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a file, or part of it."""
        self.server.requests.append((self.path, self.headers.get("Range")))
        path = self.path.partition("?")[0]
        self.server.tokens.add(self.headers.get("Authorization"))
        if self.server.errors:
            self.answer(self.server.error_status, b"", **self.server.errors)
            return
        fault = next(iter(self.server.faults.get(path, [])), None)
        if fault is not None:
            self.server.faults[path].pop(0)
        if path in self.server.redirects:
            self.answer(302, b"", Location=self.server.redirects[path])
            return
        if isinstance(fault, int) or path not in self.server.files:
            self.answer(fault if isinstance(fault, int) else 404, b"")
            return
        data = self.server.files[path]
        etag = f'"{hash((path, data, fault == "changed")) & 0xFFFF:x}"'
        body, status, headers = data, 200, {"ETag": etag} if self.server.etags else {}
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        fresh = self.headers.get("If-Range", etag) == etag
        if match and self.server.ranges and fresh:
            start, stop = int(match[1]), int(match[2] or len(data) - 1) + 1
            if start >= len(data):
                self.answer(416, b"")
                return
            body, status = data[start:stop], 206
            headers["Content-Range"] = f"bytes {start}-{start + len(body) - 1}/{len(data)}"
        if fault == "wrong":
            body = bytes(255 - byte for byte in body)
        self.answer(status, body, str(fault), **headers)

    do_HEAD = do_GET  # noqa: N815 - the library's word

    def answer(self, status: int, body: bytes, fault: str = "", **headers: str) -> None:
        """Send headers and the body, or what the fault leaves of it."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault in ("drop", "stall"):
            body = body[: len(body) // 2]
        if fault == "more":
            body += b"more"
        if self.command == "HEAD":
            return
        self.server.sent += len(body)
        self.wfile.write(body)
        if fault == "stall":
            self.wfile.flush()
            self.server.closing.wait(20)
        if fault in ("drop", "stall", "more"):
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@contextmanager
def serving() -> Iterator[Server]:
    """A running server."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
