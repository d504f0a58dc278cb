"""Token boundaries as character offsets: in cl100k_base, which llama-index-core carries, or a tokenizer by name."""

from __future__ import annotations

import os
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipelines.errors import WorkbenchError
from pipelines.models.named_tokenizers import CL100K, token_ids, token_starts
from pipelines.records import Chunks, Documents, IntArray

if TYPE_CHECKING:
    import tiktoken

_BLOCK_CHARS = 4_000_000


@cache
def encoding() -> tiktoken.Encoding:
    """Return the cl100k_base encoding, read from the copy in llama-index-core."""
    os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(carried("tiktoken_cache")))
    import tiktoken

    return tiktoken.get_encoding("cl100k_base")


def carried(*parts: str) -> Path:
    """Return a path within the data that come with llama-index-core, which itself is not imported.

    Raises:
        WorkbenchError: when it is not installed.
    """
    spec = find_spec("llama_index.core")
    if spec is None or spec.origin is None:
        raise WorkbenchError(
            "llama-index-core is not installed, and with it the tokenizer is missing; run: make setup."
        )
    return Path(spec.origin).parent.joinpath("_static", *parts)


@cache
def _byte_lengths() -> IntArray:
    enc = encoding()
    lengths = np.zeros(enc.n_vocab, dtype=np.int32)
    for token in range(enc.n_vocab):
        try:
            lengths[token] = len(enc.decode_single_token_bytes(token))
        except KeyError:
            continue
    return lengths


def boundaries(text: str, tokenizer: str = CL100K) -> IntArray:
    """Return the character offset at which each token of `text` starts, and at last `len(text)`: int32 [n_tokens + 1].

    A token that starts within a character (rare ones take several tokens) counts as starting with it. Characters that
    a tokenizer leaves out, such as white space, belong to the token before them, the first ones to the first token.

    Raises:
        ConfigurationError: when there is no such tokenizer.
    """
    return _boundaries(text, tokenizer)


@lru_cache(maxsize=8)
def _boundaries(text: str, tokenizer: str) -> IntArray:
    if tokenizer != CL100K:
        starts = token_starts(text, tokenizer) if text else np.zeros(0, dtype=np.int32)
        return np.concatenate([[0], starts[1:], [len(text)]] if text else [[0]]).astype(np.int32)
    parts = [np.zeros(1, dtype=np.int32)]
    for at in range(0, len(text), _BLOCK_CHARS):
        parts.append(_ends(text[at : at + _BLOCK_CHARS]) + np.int32(at))
    joined: IntArray = np.concatenate(parts)
    return joined


def _ends(text: str) -> IntArray:
    raw = np.frombuffer(text.encode("utf-8"), dtype=np.uint8)
    starts = (raw & 0xC0) != 0x80
    ends = np.cumsum(_byte_lengths()[encoding().encode_ordinary(text)])
    chars = np.concatenate([[0], np.cumsum(starts)])[ends]
    inside = np.append(~starts, False)[ends]
    offsets: IntArray = (chars - inside).astype(np.int32)
    return offsets


def count(text: str, tokenizer: str = CL100K) -> int:
    """Return the number of tokens of `text`."""
    return len(tokens(text, tokenizer))


def tokens(text: str, tokenizer: str = CL100K) -> list[int]:
    """Return the numbers of the tokens of `text`."""
    return encoding().encode_ordinary(text) if tokenizer == CL100K else token_ids(text, tokenizer)


def count_contexts(chunks: Chunks, documents: Documents) -> IntArray:
    """Return the number of tokens of each chunk's context span, int32 [n_chunks]; equal texts are counted once."""
    known: dict[str, int] = {}
    counts = np.zeros(len(chunks), dtype=np.int32)
    for i, text in enumerate(chunks.context_texts(documents)):
        if text not in known:
            known[text] = count(text)
        counts[i] = known[text]
    return counts
