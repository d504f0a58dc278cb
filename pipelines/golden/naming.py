"""Folder names for datasets that may be called anything."""

from __future__ import annotations

import unicodedata
from hashlib import sha256

from pipelines.stages.load.reading import clean

_NAME_BYTES = 80


def slug(name: str) -> str:
    """Return a folder name for any text: letters, digits and hyphens, at most 80 bytes, never a path.

    A name that has to be shortened keeps a digest of the whole, so that two long names stay two.
    """
    folded = unicodedata.normalize("NFKC", clean(name)).lower()
    words = "".join(c if c.isalnum() else " " for c in folded).split()
    plain = "-".join(words)
    if plain and len(plain.encode()) <= _NAME_BYTES:
        return plain
    mark = sha256(clean(name).encode()).hexdigest()[:8]
    head = plain.encode()[: _NAME_BYTES - 9].decode(errors="ignore").rstrip("-")
    return f"{head or 'dataset'}-{mark}"
