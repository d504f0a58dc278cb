"""Tokenizers by name: cl100k_base, the embedded model's word pieces, or any `tokenizer.json` on this machine."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import AfterValidator, Field

from pipelines.errors import ConfigurationError, shorten
from pipelines.models.weights import file_digest, minilm_folder
from pipelines.records import IntArray

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CL100K = "cl100k_base"
_EMBEDDED = ("minilm", "embedded")
_FILE = "tokenizer.json"


def _absolute(name: str) -> str:
    """Name a file or folder by its full path: the work is done by another process, in another folder."""
    path = Path(name).expanduser()
    return str(path.resolve()) if name not in (CL100K, *_EMBEDDED) and path.exists() else name


TokenizerName = Annotated[
    str,
    AfterValidator(_absolute),
    Field(
        min_length=1,
        description=(
            "Whose tokens are counted: cl100k_base, minilm (the embedded model's), or the path or local hub name of "
            "another tokenizer.json"
        ),
    ),
]
"""The type of a knob that names a tokenizer."""


def tokenizer_identity(name: str) -> str:
    """Return what tells this tokenizer from others of its name: the digest of its file; "" for cl100k_base.

    Raises:
        ConfigurationError: when there is no such tokenizer.
    """
    if name == CL100K:
        return ""
    path = tokenizer_file(name)
    stamp = path.stat()
    return _digest(path, (stamp.st_size, stamp.st_mtime_ns))


@lru_cache(maxsize=32)
def _digest(path: Path, stamp: tuple[int, int]) -> str:
    return file_digest(path)


def tokenizer_file(name: str) -> Path:
    """Return the `tokenizer.json` that is meant; nothing is downloaded.

    Raises:
        ConfigurationError: when there is none.
    """
    path = minilm_folder() if name in _EMBEDDED else Path(name).expanduser()
    found = path / _FILE if path.is_dir() else path
    if found.is_file():
        return found
    kept = None if path.exists() else _in_hub_copy(name)
    if kept is None:
        raise ConfigurationError(
            f"There is no tokenizer '{shorten(name)}'; name cl100k_base, minilm, or the path of a tokenizer.json "
            "or of a folder that holds one."
        )
    return kept


def _in_hub_copy(name: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(name, _FILE)
    except HFValidationError:
        return None
    return Path(found) if isinstance(found, str) else None


def token_starts(text: str, name: str) -> IntArray:
    """Return the character at which each token of `text` starts, rising, int32 [n_tokens]; special tokens aside.

    Raises:
        ConfigurationError: when there is no such tokenizer.
    """
    offsets = _loaded(tokenizer_file(name), tokenizer_identity(name)).encode(text, add_special_tokens=False).offsets
    starts = np.asarray([start for start, _ in offsets], dtype=np.int32)
    return np.maximum.accumulate(starts) if len(starts) else starts


def token_ids(text: str, name: str) -> list[int]:
    """Return the numbers of the text's tokens, special ones aside."""
    found = _loaded(tokenizer_file(name), tokenizer_identity(name)).encode(text, add_special_tokens=False)
    return list(found.ids)


@lru_cache(maxsize=4)
def _loaded(path: Path, identity: str) -> Tokenizer:
    from tokenizers import Tokenizer

    try:
        found = Tokenizer.from_file(str(path))
    except Exception as error:  # The library raises plain Exception for whatever it cannot read.
        raise ConfigurationError(
            f"{shorten(path)} cannot be read as a tokenizer ({shorten(error, 120)}); "
            "name the tokenizer.json of a fast tokenizer."
        ) from error
    found.no_truncation()
    found.no_padding()
    return found
