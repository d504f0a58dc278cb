"""A quote found again in the text of a file, however that file was parsed and cleaned."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from pipelines.golden.folding import fold
from pipelines.golden.squeezed import Squeezed, squeeze
from pipelines.records import MetadataValue

Page = tuple[int, int, MetadataValue]
_MOST_OCCURRENCES = 1000
_LEAST_SQUEEZED = 6
_HEAD_CHARS = 20
_MOST_HEAD_CHARS = 600
_LEAST_PART = 6
_MOST_STARTS = 50
_LEAST_SHARE = 0.6
_SLACK = 4


@dataclass(frozen=True)
class Anchor:
    """The quote is `text[start:end]`, and there are `occurrences` places that it could be meant to be at."""

    start: int
    end: int
    occurrences: int


def anchor(quote: str, text: str, pages: Sequence[Page] = (), page: int | None = None) -> Anchor | None:
    """Find a quote exactly; or with typography and white space folded; or without hyphens, cell lines and white space.

    At last it is looked for over the end of a page, where running heads and footnotes stand in between, be it in the
    text or in the quote. Where it occurs more than once, the place on (or nearest to) `page` is taken, or else the
    first: for a quote is copied where a reader met it, which most often is its first place.
    """
    for find in (_exactly, _folded, _squeezed):
        found = _chosen(list(islice(find(quote, text), _MOST_OCCURRENCES)), pages, page)
        if found is not None:
            return found
    return _over_pages(squeeze(quote).text, squeeze(text), pages, page)


def _exactly(quote: str, text: str) -> Iterator[tuple[int, int]]:
    if quote.strip():
        yield from _all(quote, text)


def _folded(quote: str, text: str) -> Iterator[tuple[int, int]]:
    wanted, folded = fold(quote).text.strip(), fold(text)
    if wanted:
        yield from (folded.span(start, end) for start, end in _all(wanted, folded.text))


def _squeezed(quote: str, text: str) -> Iterator[tuple[int, int]]:
    wanted, squeezed = squeeze(quote).text, squeeze(text)
    if len(wanted) >= _LEAST_SQUEEZED:
        yield from (squeezed.span(start, end) for start, end in _all(wanted, squeezed.text))


def _all(wanted: str, text: str) -> Iterator[tuple[int, int]]:
    start = text.find(wanted)
    while start >= 0:
        yield start, start + len(wanted)
        start = text.find(wanted, start + 1)


def _chosen(spans: Sequence[tuple[int, int]], pages: Sequence[Page], page: int | None) -> Anchor | None:
    if not spans:
        return None
    if page is None or not pages:
        return Anchor(*spans[0], len(spans))
    away = [abs(_page_of(start, pages) - page) for start, _ in spans]
    nearest = min(away)
    return Anchor(*spans[away.index(nearest)], away.count(nearest))


def _page_of(place: int, pages: Sequence[Page]) -> int:
    row = max(0, bisect_right(pages, place, key=lambda mark: mark[0]) - 1)
    value = pages[row][2]
    return value if isinstance(value, int) else row + 1


def _over_pages(wanted: str, text: Squeezed, pages: Sequence[Page], page: int | None) -> Anchor | None:
    """Find a quote in two parts, the end of a page between them."""
    if len(pages) < 2 or len(wanted) < _HEAD_CHARS + _LEAST_PART:
        return None
    breaks = [text.at_or_after(start) for start, _, _ in pages[1:]]
    starts = islice(_all(wanted[:_HEAD_CHARS], text.text), _MOST_STARTS)
    spans = [(start, end) for start, _ in starts if (end := _end(wanted, text.text, start, breaks)) is not None]
    return _chosen([text.span(*span) for span in spans], pages, page)


def _end(wanted: str, text: str, start: int, breaks: Sequence[int]) -> int | None:
    """Return where the quote that begins at `start` ends, something else at a page's end being between its parts.

    What is in between may begin like the quote's rest: some characters less are tried too.
    """
    here = text[start : start + len(wanted)]
    same = next((i for i, (a, b) in enumerate(zip(wanted, here, strict=False)) if a != b), len(here))
    for taken in range(same, max(_HEAD_CHARS // 2, same - _SLACK) - 1, -1):
        rest, at = wanted[taken:], start + taken
        end = _more_in_text(rest, text, at, breaks)
        end = _more_in_quote(rest, text, at, breaks, int((1 - _LEAST_SHARE) * len(wanted))) if end is None else end
        if end is not None:
            return end
    return None


def _more_in_text(rest: str, text: str, at: int, breaks: Sequence[int]) -> int | None:
    """Return where the rest of a quote ends that goes on behind a running head, or below a footnote."""
    if len(rest) < _LEAST_PART:
        return None
    found = text.find(rest, at, at + _MOST_HEAD_CHARS + len(rest))
    passed = bisect_right(breaks, found) - bisect_right(breaks, at - 1) if found >= 0 else 0
    return found + len(rest) if passed else None


def _more_in_quote(rest: str, text: str, at: int, breaks: Sequence[int], most: int) -> int | None:
    """Return where a quote ends that holds a running head, of `most` characters, which the text lacks."""
    if bisect_right(breaks, at + _SLACK) == bisect_right(breaks, at - _SLACK - 1):
        return None
    for skipped in range(1, min(len(rest) - 2 * _LEAST_PART, most, _MOST_HEAD_CHARS // 2) + 1):
        if text.startswith(rest[skipped:], at):
            return at + len(rest) - skipped
    return None
