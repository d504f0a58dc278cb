"""Where a quote stands in a text: exactly, with typography folded away, or what comes nearest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz

from pipelines.golden.folding import Folded, fold

# They bound the search for what comes nearest: 0.1 s at most on a text of 4 MB.
_COMPARED_CHARS = 200
_SEARCHED_CHARS = 4_000_000
_LEAST_SIMILARITY = 50.0
_WIDENED_CHARS = 20


@dataclass(frozen=True)
class Found:
    """The quote is `text[start:end]`; it occurs `occurrences` times, and this is the first."""

    start: int
    end: int
    how: Literal["exact", "folded"]
    occurrences: int


@dataclass(frozen=True)
class Missing:
    """The quote is not there; `nearest` begins at `nearest_start` (None: nothing is near).

    `similarity` in [0, 1] compares the first 200 characters.
    """

    nearest: str
    nearest_start: int | None
    similarity: float
    why: str


def find_quote(quote: str, text: str) -> Found | Missing:
    """Find `quote` in `text`, exactly, or else with white space, ligatures, quotation marks and dashes folded.

    >>> find_quote("the ﬁrst  day", "On the first day.")
    Found(start=3, end=16, how='folded', occurrences=1)
    """
    if not quote.strip():
        return Missing("", None, 0.0, "the quote is empty")
    start = text.find(quote)
    if start >= 0:
        return Found(start, start + len(quote), "exact", _occurrences(quote, text, start))
    wanted, folded = fold(quote).text.strip(), fold(text)
    start = folded.text.find(wanted) if wanted else -1
    if start >= 0:
        first, last = folded.span(start, start + len(wanted))
        return Found(first, last, "folded", _occurrences(wanted, folded.text, start))
    return _nearest(wanted, folded, text)


def _occurrences(quote: str, text: str, first: int) -> int:
    """Count occurrences; where they overlap, at least two are counted, for then the place is not certain."""
    again = text.find(quote, first + 1) >= 0
    return max(text.count(quote), 1 + again)


def _nearest(wanted: str, folded: Folded, text: str) -> Missing:
    head = wanted[:_COMPARED_CHARS]
    lowered = folded.text.lower()
    place = lowered.find(wanted.lower()) if len(lowered) == len(folded.text) else -1
    if head and place >= 0:
        start, end = folded.span(place, place + len(wanted))
        return Missing(text[start:end], start, 1.0, "it differs in upper and lower case")
    searched = folded.text[:_SEARCHED_CHARS]
    best = fuzz.partial_ratio_alignment(head, searched, score_cutoff=_LEAST_SIMILARITY) if head and searched else None
    if best is None or best.dest_end <= best.dest_start:
        return Missing("", None, 0.0, "nothing like it is there")
    end = min(len(folded.text), best.dest_end + len(wanted) - len(head))
    start, end = _whole_words(text, *folded.span(best.dest_start, end))
    return Missing(text[start:end], start, best.score / 100, f"the nearest is alike by {best.score:.0f} %")


def _whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a span to where words begin and end, by at most 20 characters a side: it is read by people."""
    for _ in range(_WIDENED_CHARS):
        start -= start > 0 and text[start - 1].isalnum() and text[start].isalnum()
        end += end < len(text) and text[end].isalnum() and text[end - 1].isalnum()
    return start, end
