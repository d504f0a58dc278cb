"""Where sentences begin: by the English Punkt model in llama-index-core, and by what no sentence runs across."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from pipelines.models.tokens import carried

if TYPE_CHECKING:
    from nltk.tokenize.punkt import PunktSentenceTokenizer

Span = tuple[int, int]

_BEGINNINGS = (
    re.compile(r"\n[^\S\n]*\n\s*"),
    re.compile(r"[。！？｡][\"'”’」』）)\]]*\s*"),
    re.compile(r"\n[^\S\n]*(?=#{1,6}\s|[-*+•]\s|\d{1,3}[.)]\s|\|)"),
)
"""Behind a blank line, behind full stops of Chinese and Japanese; before a heading, a list item, a row of a table."""


def sentences(text: str) -> list[Span]:
    """Return spans that cover all of `text` one after another, white space at the end of the sentence before it.

    Each holds a visible character, unless the text has none: then it is one span, and none where it is empty.
    """
    if not text:
        return []
    starts = {start for start, _ in _punkt().span_tokenize(text)}
    starts.update(match.end() for pattern in _BEGINNINGS for match in pattern.finditer(text))
    visible = len(text) - len(text.lstrip())
    inner = sorted(start for start in starts if visible < start < len(text))
    return list(pairwise([0, *inner, len(text)]))


@cache
def _punkt() -> PunktSentenceTokenizer:
    import nltk.data
    from nltk.tokenize.punkt import PunktSentenceTokenizer, load_punkt_params

    root = carried("nltk_cache")
    if str(root) not in nltk.data.path:
        nltk.data.path.append(str(root))  # nltk reads from folders that are listed here, and from no other.
    folder = nltk.data.FileSystemPathPointer(str(root / "tokenizers" / "punkt_tab" / "english"))
    return PunktSentenceTokenizer(load_punkt_params(folder))
