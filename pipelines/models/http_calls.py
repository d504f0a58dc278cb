"""Many calls of an HTTP endpoint: bounded concurrency, patience with what may pass, and a hidden key."""

from __future__ import annotations

import json
import logging
import os
import random
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from pipelines.errors import EndpointError, shorten
from pipelines.models.chat_endpoint import Endpoint

if TYPE_CHECKING:
    import httpx

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")

_AGAIN = {408, 409, 425, 429, 500, 502, 503, 504, 529}
_LONGEST_PAUSE_S = 60.0
_LOOK_UP_S = 0.5


class Again(Exception):
    """A failure that may pass: why, and how long the endpoint asks to wait."""

    def __init__(self, why: str, pause_s: float | None = None) -> None:
        super().__init__(why)
        self.pause_s = pause_s


@dataclass
class HttpCalls(ABC, Generic[Asked, Answered]):
    """Asks an endpoint, `concurrency` calls at a time. `look_up` is called while it waits; it may raise."""

    endpoint: Endpoint
    look_up: Callable[[], None] = lambda: None
    _stopped: threading.Event = field(default_factory=threading.Event)

    path: ClassVar[str] = ""
    """What is put behind the endpoint's address."""

    most_bytes: ClassVar[int] = 8 * 2**20
    """A longer answer is not read to its end."""

    @property
    def identity(self) -> str:
        """Return address and model: another server may serve another model under the same name."""
        return f"{self.endpoint.url} {self.endpoint.model}"

    @abstractmethod
    def ask(self, http: httpx.Client, asked: Asked) -> Answered:
        """Make one call: through `sent`, `refused` and `unusable`."""

    def each(self, asked: Sequence[Asked]) -> Iterator[tuple[int, Answered]]:
        """Yield position and answer of each, as they come.

        Raises:
            EndpointError: when the endpoint cannot be reached or refuses, after every answer that was under way.
        """
        self._stopped.clear()
        with self._opened() as http:
            pool = ThreadPoolExecutor(self.endpoint.concurrency, thread_name_prefix="call")
            try:
                todo = {pool.submit(self._answer, http, one): i for i, one in enumerate(asked)}
                yield from self._as_they_come(todo)
            finally:
                self._stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)

    def _as_they_come(self, todo: dict[Future[Answered], int]) -> Iterator[tuple[int, Answered]]:
        failure: EndpointError | None = None
        while todo:
            done, _ = wait(todo, timeout=_LOOK_UP_S, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=todo.__getitem__):
                position = todo.pop(future)
                error = None if future.cancelled() else future.exception()
                if error is None and not future.cancelled():
                    yield position, future.result()
                elif isinstance(error, EndpointError):
                    failure = failure or error
                    self._stopped.set()
                    for other in todo:
                        other.cancel()
                elif error is not None:
                    raise error
            self.look_up()
        if failure is not None:
            raise failure

    def _opened(self) -> httpx.Client:
        import httpx

        logging.getLogger("httpx").setLevel(logging.WARNING)  # it would enter every request in the log
        key = self.endpoint.key()
        return httpx.Client(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=self.endpoint.timeout_s,
            limits=httpx.Limits(max_connections=self.endpoint.concurrency),
            trust_env=not self.endpoint.loopback,  # a proxy cannot reach this machine
        )

    def _answer(self, http: httpx.Client, asked: Asked) -> Answered:
        """Ask until there is an answer, with longer and longer pauses between."""
        for tried in range(self.endpoint.retries + 1):
            try:
                return self.ask(http, asked)
            except Again as again:
                if tried == self.endpoint.retries or self._stopped.is_set():
                    raise EndpointError(self._gave_up(str(again), tried + 1)) from None
                self._pause(tried, again.pause_s)
        raise AssertionError("unreachable")

    def _pause(self, tried: int, wished_s: float | None) -> None:
        own = 0.5 * 2**tried * random.uniform(0.75, 1.25)  # noqa: S311
        self._stopped.wait(min(_LONGEST_PAUSE_S, own if wished_s is None else wished_s))

    def sent(self, http: httpx.Client, request: dict[str, Any]) -> tuple[int, httpx.Headers, str]:
        """Return status, headers and body of a request.

        Raises:
            Again: when nothing came in time, or the endpoint cannot be reached.
            EndpointError: for an address that is none, or an answer beyond all measure.
        """
        import httpx

        try:
            with http.stream("POST", f"{self.endpoint.url}{self.path}", json=request) as response:
                content = bytearray()
                for part in response.iter_bytes():
                    content += part
                    if len(content) > self.most_bytes:
                        raise self.unusable(f"it is longer than {self.most_bytes // 2**20} MiB")
                return response.status_code, response.headers, content.decode("utf-8", "replace")
        except httpx.TimeoutException:
            raise Again(f"nothing came within {self.endpoint.timeout_s:g} seconds") from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise Again(f"it cannot be reached ({type(error).__name__})") from None
        except (httpx.HTTPError, httpx.InvalidURL):
            raise EndpointError(f"The address {shorten(self.endpoint.url)} cannot be asked; correct it.") from None

    def refused(self, status: int, headers: httpx.Headers, body: str) -> Exception:
        """Return what to raise; what the server says is shown without anything that looks like the key."""
        who = f"{self.endpoint.host} (model '{shorten(self.endpoint.model)}')"
        if status in (401, 403):
            variable = self.endpoint.key_variable
            key = f"the key in the environment variable {variable}" if variable else "to answer without a key"
            todo = "set the right one" if variable else "name the key's environment variable in key_variable"
            return EndpointError(f"{who} refused {key} (status {status}); {todo}, and run again.")
        said = self._said(body)
        if status in _AGAIN and "insufficient_quota" not in body:
            return Again(f"it answered with status {status}{said}", _wished(headers))
        if status == 404:
            return EndpointError(
                f"{who} answered with status 404{said}: it has no such model, or {self.endpoint.url} is not where its "
                f"{self.path} lies; correct the model or the endpoint."
            )
        return EndpointError(f"{who} refused the request with status {status}{said}; change the settings it names.")

    def _said(self, body: str) -> str:
        """Return the server's own words in brackets, where it has any."""
        try:
            told = json.loads(body)
            error = told.get("error", told.get("detail", told.get("message", "")))
            words = error.get("message", "") if isinstance(error, dict) else error
        except (ValueError, AttributeError):
            words = body
        key = os.environ.get(self.endpoint.key_variable, "").strip() if self.endpoint.key_variable else ""
        shown = str(words or "").replace(key, "***") if key else str(words or "")
        return f" ('{shorten(shown.rstrip('.'), 160)}')" if shown.strip() else ""

    def unusable(self, why: str) -> EndpointError:
        """Return the error for an answer that cannot be read."""
        return EndpointError(
            f"The answer of {self.endpoint.host} (model '{shorten(self.endpoint.model)}') cannot be read: {why}; "
            "name the address of an OpenAI-compatible API, such as http://127.0.0.1:8080/v1."
        )

    def _gave_up(self, why: str, times: int) -> str:
        tries = "once" if times == 1 else f"{times} times"
        return (
            f"The endpoint {self.endpoint.host} (model '{shorten(self.endpoint.model)}') was asked {tries} and gave no "
            f"answer: {why}; see that it is up, and run again: the answers so far are kept."
        )


def counted(usage: object, name: str) -> int | None:
    """Return a count that an endpoint tells of its work; None where it tells none."""
    count = usage.get(name) if isinstance(usage, dict) else None
    return count if isinstance(count, int) and count >= 0 else None


def _wished(headers: httpx.Headers) -> float | None:
    try:
        return max(0.0, float(headers["retry-after"]))
    except (KeyError, ValueError):
        return None
