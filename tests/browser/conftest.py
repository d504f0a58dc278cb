"""A server of its own on a free port, with a home folder of its own; both go when the test ends."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlparse

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder that the test, the server and the worker share."""
    monkeypatch.setenv("RAG_WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RAG_WORKBENCH_IDLE_S", "5")
    return tmp_path / "home"


@pytest.fixture
def server(home: Path) -> Iterator[str]:
    """The address of a running server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "workbench/app.py", "--server.port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await(f"http://127.0.0.1:{port}/_stcore/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)
        _stop_worker(home)


def _await(address: str) -> None:
    for _ in range(150):
        try:
            urllib.request.urlopen(address, timeout=1)  # noqa: S310
            return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(address)


def _stop_worker(home: Path) -> None:
    for process in psutil.process_iter():
        try:
            ours = process.environ().get("RAG_WORKBENCH_HOME") == str(home) and process.pid != os.getpid()
            if ours and "pipelines.worker" in process.cmdline():
                process.kill()
        except psutil.Error:
            continue


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A real Chromium."""
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}")
    expect.set_options(timeout=20_000)  # a crowded machine draws a page late; that is not what is tested
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield started
        started.close()


class Session:
    """A browser session that remembers every request to another machine, and every dialogue that a script opened."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.outside: list[str] = []
        self.dialogues: list[str] = []
        context.route("**/*", self._route)

    def open(self, address: str) -> Page:
        """Open a new tab."""
        page = self.context.new_page()
        page.on("dialog", lambda dialogue: (self.dialogues.append(dialogue.message), dialogue.dismiss()))
        page.goto(address)
        return page

    def _route(self, route: Route) -> None:
        if urlparse(route.request.url).hostname in ("127.0.0.1", None):
            route.continue_()
        else:
            self.outside.append(route.request.url)
            route.abort()


@pytest.fixture
def session(browser: Browser) -> Iterator[Session]:
    """A session with nothing in it yet."""
    context = browser.new_context(viewport={"width": 1366, "height": 900}, accept_downloads=True)
    yield Session(context)
    context.close()
