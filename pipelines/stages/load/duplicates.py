"""Documents that say the same: the first of them stays, and names the others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.errors import shorten
from pipelines.records import Document, MetadataValue

DUPLICATE_IDS = "duplicate_ids"
"""The metadata field in which a document that stayed names those it stands for, as a JSON list."""

_SHINGLE_WORDS = 5
_PERMUTATIONS = 128
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Parting:
    """Documents without their duplicates, and for each that was left out the one that stands for it, and how alike."""

    kept: tuple[Document, ...]
    left_out: tuple[tuple[str, str, float], ...]

    def notes(self) -> Iterator[str]:
        """Say of each that it was left out."""
        for gone, stays, alike in self.left_out:
            how = "is the same as" if alike == 1.0 else f"is alike by {alike:.0%} to"
            yield f"'{shorten(gone, 60)}' {how} '{shorten(stays, 60)}', which comes first and stays: it was left out."


def without_duplicates(documents: Sequence[Document], near: float | None) -> Parting:
    """Leave out each document that repeats an earlier one that stayed.

    Repeating is to have the same words, or, with `near`, that share of sequences of five words in common (Jaccard).
    """
    first = _exact(documents)
    if near is not None:
        first = {**first, **_near([d for d in documents if d.id not in first], near)}
    stays: dict[str, list[str]] = {}
    left_out = []
    for document in documents:
        if document.id in first:
            target, alike = first[document.id]
            while target in first:  # the first of exact copies may be near to another
                target, alike = first[target]
            stays.setdefault(target, []).append(document.id)
            left_out.append((document.id, target, alike))
    kept = (_naming(d, stays.get(d.id)) for d in documents if d.id not in first)
    return Parting(tuple(kept), tuple(left_out))


def duplicate_ids(value: MetadataValue | None) -> tuple[str, ...]:
    """Read the ids that a document stands for."""
    try:
        found = json.loads(value) if isinstance(value, str) else ()
    except ValueError:
        return ()
    return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()


def _naming(document: Document, others: list[str] | None) -> Document:
    if not others:
        return document
    return replace(document, metadata={**document.metadata, DUPLICATE_IDS: json.dumps(others, ensure_ascii=False)})


def _exact(documents: Sequence[Document]) -> dict[str, tuple[str, float]]:
    seen: dict[bytes, str] = {}
    first = {}
    for document in documents:
        words = " ".join(document.text.split())
        stays = seen.setdefault(sha256(words.encode("utf-8", "replace")).digest(), document.id)
        if stays != document.id and words:
            first[document.id] = (stays, 1.0)
    return first


def _near(documents: Sequence[Document], least: float) -> dict[str, tuple[str, float]]:
    """Find candidates by MinHash, a little below `least`, and compare them exactly."""
    from datasketch import MinHashLSH

    # What is missed here is lost, what is found too much is compared: the former weighs more.
    index = MinHashLSH(threshold=max(0.05, least - 0.1), num_perm=_PERMUTATIONS, weights=(0.1, 0.9))
    sets: dict[str, npt.NDArray[np.uint64]] = {}
    first = {}
    for document in documents:
        shingles = _shingles(document.text)
        if not len(shingles):
            continue
        sketch = _sketch(shingles)
        alike = {name: _jaccard(shingles, sets[name]) for name in index.query(sketch)}
        name = next((name for name in sets if alike.get(name, 0.0) >= least), None)
        if name is not None:
            first[document.id] = (name, alike[name])
            continue
        index.insert(document.id, sketch)
        sets[document.id] = shingles
    return first


def _shingles(text: str) -> npt.NDArray[np.uint64]:
    """Return the distinct hashes of all sequences of five words; of fewer words, that of all of them."""
    words = _WORD.findall(text.lower())
    last = max(1, len(words) - _SHINGLE_WORDS + 1) if words else 0
    runs = (" ".join(words[i : i + _SHINGLE_WORDS]).encode() for i in range(last))
    hashes = [int.from_bytes(sha256(run).digest()[:8], "little") for run in runs]
    return np.unique(np.asarray(hashes, dtype=np.uint64))


def _sketch(shingles: npt.NDArray[np.uint64]) -> Any:
    from datasketch import MinHash

    sketch = MinHash(num_perm=_PERMUTATIONS, seed=1, hashfunc=lambda value: value)
    sketch.update_batch((shingles & np.uint64(0xFFFFFFFF)).tolist())
    return sketch


def _jaccard(a: npt.NDArray[np.uint64], b: npt.NDArray[np.uint64]) -> float:
    both = len(np.intersect1d(a, b, assume_unique=True))
    return both / (len(a) + len(b) - both)
