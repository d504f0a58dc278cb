"""Which code and libraries made a number."""

from __future__ import annotations

import platform
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pipelines
from pipelines.models.devices import machine
from pipelines.runs.record import Versions

_LIBRARIES = (
    "torch", "transformers", "sentence-transformers", "llama-index-core", "chromadb", "bm25s", "numpy", "tiktoken",
)  # fmt: skip


@cache
def versions() -> Versions:
    """Return the version of this code with a digest of its sources, and those of the libraries that decide numbers."""
    libraries = {"python": platform.python_version(), **{name: _version(name) for name in _LIBRARIES}}
    return Versions(f"{pipelines.__version__}+{source_digest()}", libraries, machine())


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def source_digest() -> str:
    """Return a digest of the library's sources as they lie on the disk now."""
    root = Path(pipelines.__file__).parent
    total = sha256()
    for path in sorted(root.rglob("*.py")):
        total.update(path.relative_to(root).as_posix().encode())
        total.update(path.read_bytes())
    return total.hexdigest()[:8]
