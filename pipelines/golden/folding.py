"""Text with its typography folded away, in which every character still knows where it came from."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

_SOFT_HYPHEN = "\u00ad"
_INVISIBLE = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
_REPLACED = {
    **{
        "\ufb00": "ff",
        "\ufb01": "fi",
        "\ufb02": "fl",
        "\ufb03": "ffi",
        "\ufb04": "ffl",
        "\ufb05": "st",
        "\ufb06": "st",
    },
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    "\u2026": "...",
}
_COMBINING = "\u0300-\u036f"
# A lone space folds to itself: only longer runs, other white space and what is invisible need a segment.
_FOLDABLE = re.compile(
    rf"[\s{_INVISIBLE}]{{2,}}|[^\S ]|[{_INVISIBLE}]|[{''.join(_REPLACED)}]|[^\s{_INVISIBLE}{_COMBINING}][{_COMBINING}]+"
)


@dataclass(frozen=True)
class Folded:
    """`text` is folded; segment i replaced `lengths[i]` characters at `origins[i]` by `widths[i]` at `starts[i]`."""

    text: str
    starts: tuple[int, ...]
    widths: tuple[int, ...]
    origins: tuple[int, ...]
    lengths: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Map a span of the folded text, not empty, to the characters it came from.

        A span that begins or ends within a ligature is widened to the whole of it.
        """
        return self._origin(start)[0], self._origin(end - 1)[1]

    def _origin(self, i: int) -> tuple[int, int]:
        """Return the span of the original that folded character `i` stands for."""
        segment = bisect_right(self.starts, i) - 1
        if segment < 0:
            return i, i + 1
        origin, length = self.origins[segment], self.lengths[segment]
        beyond = i - self.starts[segment] - self.widths[segment]
        if beyond < 0:
            return origin, origin + length
        return origin + length + beyond, origin + length + beyond + 1


def fold_part(part: str) -> str:
    """Fold what `_FOLDABLE` matched: a run of white space to one space, what is invisible to nothing."""
    if part in _REPLACED:
        return _REPLACED[part]
    if part.startswith(_SOFT_HYPHEN) and "\n" in part:
        return ""  # a word broken at the end of a line
    if any(c.isspace() for c in part):
        return " "
    return unicodedata.normalize("NFC", part) if unicodedata.combining(part[-1]) else ""


@lru_cache(maxsize=32)
def fold(text: str) -> Folded:
    """Fold white space, ligatures, typographic quotes and dashes, soft hyphens and combined accents."""
    parts: list[str] = []
    rows: list[tuple[int, int, int, int]] = []
    done = length = 0
    for match in _FOLDABLE.finditer(text):
        kept, new = text[done : match.start()], fold_part(match[0])
        parts += (kept, new)
        rows.append((length + len(kept), len(new), match.start(), match.end() - match.start()))
        length += len(kept) + len(new)
        done = match.end()
    parts.append(text[done:])
    starts, widths, origins, lengths = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Folded("".join(parts), starts, widths, origins, lengths)
