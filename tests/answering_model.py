"""A language model behind an address, in a thread: it answers in the chat format what it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Model(ThreadingHTTPServer):
    """A language model behind an address: it answers what it is told to, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self, answers: list[Any]) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.answers, self.asked = answers, list[dict[str, Any]]()
        self.headers: list[str | None] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Answering(BaseHTTPRequestHandler):
    server: Model

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append({**body, "path": self.path})
        self.server.headers.append(self.headers["Authorization"])
        answer = self.server.answers[min(len(self.server.asked), len(self.server.answers)) - 1]
        if answer == "wait":
            self.server.released.wait(30)
            return
        if callable(answer):
            answer = answer(body["messages"][-1]["content"])
        code, content = answer if isinstance(answer, tuple) else (200, answer)
        said = {"choices": [{"message": {"content": content}, "finish_reason": "stop"}]}
        raw = content.encode() if code == 0 else json.dumps(said).encode()
        self.send_response(code or 200)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def model(*answers: Any) -> Iterator[Model]:
    with Model(list(answers)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            thread.join()
