"""The letters of a PDF page and where they stand, put together to pieces: runs of letters on one line without a gap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_GAP = 1.0
_BACK = 0.5
_SAME_LINE = 0.5
_LINE_ENDS = (10, 13)
_SPACES = (9, 10, 13, 32, 160)
_NOTHING = (0, 0xFFFF)
_LINE_END_HYPHENS = (2, 0xFFFE)
_INVISIBLE = 0x200B


@dataclass(frozen=True)
class Piece:
    """Text with its box in points from the page's lower left corner, and the size of its letters."""

    text: str
    left: float
    right: float
    bottom: float
    top: float
    size: float

    @property
    def height(self) -> float:
        """How high its box is."""
        return self.top - self.bottom


def page_pieces(page: Any) -> list[Piece]:
    """Return the pieces of a page in the order in which it writes them."""
    import pypdfium2.raw as pdfium

    words = page.get_textpage()
    try:
        n = pdfium.FPDFText_CountChars(words.raw)
        if n <= 0:
            return []
        codes = np.fromiter((pdfium.FPDFText_GetUnicode(words.raw, i) for i in range(n)), dtype=np.uint32, count=n)
        boxes = _turned(_boxes(words.raw, n), page.get_rotation(), *page.get_size())
        return _pieces(words.raw, codes, boxes)
    finally:
        words.close()


def _boxes(words: Any, n: int) -> npt.NDArray[np.float64]:
    """Return left, bottom, right and top of every letter's cell, float64 [n, 4]."""
    import pypdfium2.raw as pdfium

    rows = (pdfium.FS_RECTF * n)()
    read = pdfium.FPDFText_GetLooseCharBox
    for i in range(n):
        read(words, i, rows[i])
    left, top, right, bottom = np.frombuffer(rows, dtype=np.float32).reshape(n, 4).T.astype(np.float64)
    low, high = np.minimum(bottom, top), np.maximum(bottom, top)
    return np.stack([np.minimum(left, right), low, np.maximum(left, right), high], axis=1)


def _turned(boxes: npt.NDArray[np.float64], rotation: int, width: float, height: float) -> npt.NDArray[np.float64]:
    """Return boxes as the page is shown; `width` and `height` are those of the page as shown, `rotation` in degrees."""
    left, bottom, right, top = boxes.T
    if rotation == 90:
        turned = (bottom, height - right, top, height - left)
    elif rotation == 180:
        turned = (width - right, height - top, width - left, height - bottom)
    elif rotation == 270:
        turned = (width - top, left, width - bottom, right)
    else:
        return boxes
    return np.stack(turned, axis=1)


def _pieces(words: Any, codes: npt.NDArray[np.uint32], boxes: npt.NDArray[np.float64]) -> list[Piece]:
    import pypdfium2.raw as pdfium

    ink = np.flatnonzero(~np.isin(codes, (*_SPACES, *_NOTHING)))
    if not len(ink):
        return []
    letters = _letters(codes)
    heights = boxes[:, 3] - boxes[:, 1]
    firsts = np.flatnonzero(_breaks(codes, boxes, ink))
    lasts = np.append(firsts[1:], len(ink)) - 1
    found = []
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        rows = ink[first : last + 1]
        text = letters[rows[0] : rows[-1] + 1].replace(chr(_INVISIBLE), "")
        left, bottom = boxes[rows, :2].min(axis=0).tolist()
        right, top = boxes[rows, 2:].max(axis=0).tolist()
        middle = int(rows[len(rows) // 2])
        size = _real_size(float(pdfium.FPDFText_GetFontSize(words, middle)), float(heights[middle]))
        found.append(Piece(text, left, right, bottom, top, size))
    return found


def _real_size(said: float, height: float) -> float:
    """Return the size of letters: what the file says, or by the box's height where that is scaled otherwise."""
    return round(said, 1) if said > 1 and 0.6 <= height / said <= 2.0 else round(height / 1.15, 1)


def _breaks(
    codes: npt.NDArray[np.uint32], boxes: npt.NDArray[np.float64], ink: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Mark the letters with which a piece begins, bool [n_ink]."""
    ends = np.cumsum(np.isin(codes, _LINE_ENDS))
    left, bottom, right, top = boxes[ink].T
    height = np.maximum(np.maximum(top - bottom, 1.0)[1:], np.maximum(top - bottom, 1.0)[:-1])
    gap = left[1:] - right[:-1]
    off = np.abs((top + bottom)[1:] - (top + bottom)[:-1]) / 2
    new = (ends[ink][1:] != ends[ink][:-1]) | (gap > _GAP * height) | (gap < -_BACK * height - (right - left)[1:])
    return np.concatenate([[True], new | (off > _SAME_LINE * height)])


def _letters(codes: npt.NDArray[np.uint32]) -> str:
    """Return one character a code; a hyphen that a line's end asks for is a soft one, and what is none is invisible."""
    kept = codes.astype(np.uint32)
    kept[np.isin(codes, _SPACES)] = 32
    kept[np.isin(codes, _LINE_END_HYPHENS)] = 0xAD
    kept[np.isin(codes, _NOTHING)] = _INVISIBLE
    kept[((codes >= 0xD800) & (codes < 0xE000)) | (codes > 0x10FFFF)] = 0xFFFD
    return kept.astype("<u4").tobytes().decode("utf-32-le")
