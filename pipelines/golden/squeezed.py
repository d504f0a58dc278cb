"""Text reduced to what all ways to parse a file agree on: no white space, no hyphens, no lines between cells."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pipelines.golden.folding import Folded, fold

_DROPPED = frozenset(" \t\n\r-|\u2022\u00b7\u25aa\u25cf\u00a0\ufffe\x02")


@dataclass(frozen=True, eq=False)
class Squeezed:
    """`text` is what is left; character i of it is character `places[i]` of the folded text."""

    text: str
    places: npt.NDArray[np.int64]
    folded: Folded

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Map a span, not empty, to the characters of the original that it came from."""
        return self.folded.span(int(self.places[start]), int(self.places[end - 1]) + 1)

    def at_or_after(self, place: int) -> int:
        """Return the first character here that came from `place` of the original, or from behind it."""
        low, high = 0, len(self.text)
        while low < high:
            middle = (low + high) // 2
            if self.span(middle, middle + 1)[0] < place:
                low = middle + 1
            else:
                high = middle
        return low


@lru_cache(maxsize=8)
def squeeze(text: str) -> Squeezed:
    """Drop white space, hyphens, bullets and lines between cells from the folded text."""
    folded = fold(text)
    codes = np.frombuffer(folded.text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    places = np.flatnonzero(~np.isin(codes, [ord(c) for c in _DROPPED]))
    kept = codes[places].tobytes().decode("utf-32-le", "surrogatepass")
    return Squeezed(kept, places, folded)
