"""A language model on the loopback interface: answers by a function, counts what it is asked, fails as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[[str], str]


def parrot(text: str) -> str:
    """Say again what was asked."""
    return text


@dataclass
class FakeChat:
    """What the server was asked, and how it answers; `failures` are statuses it answers with first, one a request."""

    reply: Reply = parrot
    failures: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    error: dict[str, Any] = field(default_factory=lambda: {"error": {"message": "not today"}})
    raw: bytes | None = None
    usage: bool = True
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    together: int = 0
    most_together: int = 0
    gate: threading.Barrier | None = None
    _turn: threading.Lock = field(default_factory=threading.Lock)

    @property
    def prompts(self) -> list[str]:
        """The last message of every request."""
        return [request["messages"][-1]["content"] for request in self.requests]

    def settings(self, **more: Any) -> dict[str, Any]:
        """The knobs of a component that asks this server."""
        return {"endpoint": self.url, "model": "fake", **more}

    def begin(self, request: dict[str, Any], key: str | None) -> int:
        with self._turn:
            self.requests.append(request)
            self.keys.append(key)
            self.together += 1
            self.most_together = max(self.most_together, self.together)
            return self.failures.pop(0) if self.failures else 200

    def end(self) -> None:
        with self._turn:
            self.together -= 1

    def body(self, request: dict[str, Any]) -> bytes:
        if self.raw is not None:
            return self.raw
        asked = "\n\n".join(message["content"] for message in request["messages"])
        text = self.reply(asked)
        told: dict[str, Any] = {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}
        if self.usage:
            told["usage"] = {"prompt_tokens": len(asked.split()), "completion_tokens": len(text.split())}
        return json.dumps(told).encode()


@contextmanager
def serving(chat: FakeChat) -> Iterator[FakeChat]:
    """Serve until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status = chat.begin(request, self.headers.get("authorization"))
            try:
                if chat.gate is not None:
                    chat.gate.wait(timeout=20)
                body = chat.body(request) if status == 200 else json.dumps(chat.error).encode()
                self.send_response(status)
                for name, value in chat.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                with suppress(ConnectionError):  # whoever asked may be gone
                    self.end_headers()
                    self.wfile.write(body)
            finally:
                chat.end()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    chat.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield chat
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
