"""Measure a model in a process of its own: how fast it embeds a sample of texts, and how much memory that takes.

Run as `python -m pipelines.finetune.base_probe`: what to measure comes as JSON on standard input, and the last line of
standard output is what was measured, or why it could not be.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from pipelines.catalog import build_component
from pipelines.errors import WorkbenchError, shorten
from pipelines.settings import REPOSITORY
from pipelines.stages.embed import Embedder

MOST_TEXTS = 256
_TRIED, _FEWEST = 4, 8
_BUDGET_S = 10.0
_LEAST_S = 1.0
_MOST_PASSES = 20
_POLL_S = 0.1


@dataclass(frozen=True)
class Probed:
    """What was measured: `n_texts` texts, `passes` times, in `seconds`; bytes at the height; the length it reads.

    `gpu_bytes` are those of a GPU, None where none was used. `max_tokens` is None for a model that reads any length.
    """

    n_texts: int
    seconds: float
    memory_bytes: int
    gpu_bytes: int | None
    max_tokens: int | None
    threads: int
    passes: int = 1

    @property
    def texts_per_second(self) -> float:
        """Texts embedded a second."""
        return self.n_texts * self.passes / max(self.seconds, 1e-9)


def probed(
    settings: Mapping[str, Any], fitted: Path | None, texts: Sequence[str], look_up: Callable[[], None]
) -> Probed:
    """Return what a process of its own measures; `look_up` is called while it is waited for, and may raise.

    Raises:
        WorkbenchError: when the model cannot be loaded, or the process ended without a word.
    """
    asked = {"settings": dict(settings), "fitted": None if fitted is None else str(fitted), "texts": list(texts)}
    command = [sys.executable, "-m", "pipelines.finetune.base_probe"]
    with TemporaryFile() as given, TemporaryFile() as told:
        given.write(json.dumps(asked).encode())
        given.seek(0)
        process = subprocess.Popen(command, stdin=given, stdout=told, stderr=subprocess.DEVNULL, cwd=REPOSITORY)
        try:
            _wait(process, look_up)
        finally:
            process.kill()
            process.wait()
        told.seek(0)
        return _read(told.read().decode("utf-8", "replace"), process.returncode)


def _wait(process: subprocess.Popen[bytes], look_up: Callable[[], None]) -> None:
    while True:
        try:
            process.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            look_up()
        else:
            return


def _read(out: str, code: int) -> Probed:
    try:
        told = json.loads(out.strip().splitlines()[-1])
    except (ValueError, IndexError):
        killed = -code == getattr(signal, "SIGKILL", 9)
        why = "was killed, most likely for want of memory" if killed else f"ended without a word (code {code})"
        raise WorkbenchError(f"The process that tried the model {why}; choose a smaller model.") from None
    if "error" in told:
        raise WorkbenchError(told["error"])
    return Probed(**told)


def measure(embedder: Embedder, fitted: Path | None, texts: Sequence[str]) -> Probed:
    """Return what embedding as many of the texts as about ten seconds allow takes, in this process."""
    from pipelines.models.devices import threads

    first = embedder.embed_documents(list(texts[:1]), fitted=fitted)
    tried = _seconds(embedder, fitted, texts[:_TRIED]) / max(1, len(texts[:_TRIED]))
    n = min(len(texts), max(_FEWEST, int(_BUDGET_S / max(tried, 1e-6))))
    seconds, passes = 0.0, 0
    while passes == 0 or (seconds < _LEAST_S and passes < _MOST_PASSES):
        seconds += _seconds(embedder, fitted, texts[:n])
        passes += 1
    return Probed(n, seconds, peak_memory(), _gpu_memory(), first.max_tokens, threads(), passes)


def _seconds(embedder: Embedder, fitted: Path | None, texts: Sequence[str]) -> float:
    started = time.perf_counter()
    embedder.embed_documents(list(texts), fitted=fitted)
    return time.perf_counter() - started


def peak_memory() -> int:
    """Return the most bytes that this process ever held in memory."""
    try:
        # What getrusage tells on Linux may be the process that started this one's.
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
    except (OSError, StopIteration, ValueError):
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else 1024 * most


def _gpu_memory() -> int | None:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return None
    return int(torch.cuda.max_memory_allocated())


def main() -> None:
    """Measure what standard input asks for."""
    asked = json.loads(sys.stdin.read())
    fitted = None if asked["fitted"] is None else Path(asked["fitted"])
    try:
        embedder = build_component("embed", asked["settings"], "the model")
        if not isinstance(embedder, Embedder):
            raise TypeError("no embedder")
        told: Mapping[str, Any] = asdict(measure(embedder, fitted, asked["texts"]))
    except WorkbenchError as error:
        told = {"error": str(error)}
    except Exception as error:
        told = {"error": f"The model cannot be computed ({type(error).__name__}: {shorten(error, 120).rstrip('.')})."}
    sys.stdout.write(f"\n{json.dumps(told)}\n")


if __name__ == "__main__":
    main()
