"""Users' text shown as it is: never taken for Markdown, HTML, or a chart's markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import streamlit as st

from pipelines.errors import counted as counted

_JOINER = "\u2060"
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_REPLACED = re.compile(r"(?<=[:@])|(?<=[-<>=~])(?=[-<>=~])|(?<=[wW]{3})(?=\.)")
_DIRECTED = re.compile("[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufeff]")
LABEL_CHARS = 90


def plain(text: object, limit: int | None = None) -> str:
    """Return Markdown that shows `text` on one line, letter by letter: for labels, captions and messages.

    Punctuation is escaped. Where Streamlit would still make a link, an emoji or an arrow of what stands there, an
    invisible word joiner is put in between. A sentence around users' text isolates that with `own` first.
    """
    line = shortened(text, limit) if limit else own(text)
    return _PUNCTUATION.sub(r"\\\1", _REPLACED.sub(_JOINER, line))


def own(text: object) -> str:
    """Return users' text on one line, to be put into a sentence: right-to-left marks in it turn nothing around it."""
    return isolated(" ".join(str(text).split()))


def shortened(text: object, limit: int = LABEL_CHARS) -> str:
    """Return `text` on one line, cut to `limit` characters: for options of a select box, which are no Markdown."""
    line = " ".join(str(text)[: 4 * limit].split())
    return isolated(line if len(line) <= limit else line[: limit - 1] + "…")


def lasting(seconds: float) -> str:
    """Return a time as "0.4 s", "3 min 20 s" or "2 h 5 min"."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def sized(n_bytes: float) -> str:
    """Return an amount of storage as "12 kB", "3.4 MB" or "1.2 GB"."""
    for unit in ("B", "kB", "MB"):
        if n_bytes < 1000:
            return f"{n_bytes:.0f} {unit}" if unit != "MB" or n_bytes >= 10 else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.1f} GB"


def isolated(text: str) -> str:
    """Return `text` between marks that keep its direction of writing to itself, where it has one of its own."""
    return f"\u2068{text}\u2069" if _DIRECTED.search(text) and not text.startswith("\u2068") else text


def chart_text(text: object, limit: int = 48) -> str:
    """Return `text` for a chart's ticks, titles and hover boxes, where Plotly would read tags and entities."""
    return escape(shortened(text, limit), quote=False)


@dataclass(frozen=True)
class Mark:
    """A stretch of a text to be marked: half-open, in characters; `kind` is a key of `COLOURS`."""

    start: int
    end: int
    kind: str


COLOURS: Mapping[frozenset[str], str] = {
    frozenset({"evidence"}): "background:#fde9b0;border-bottom:2px solid #c98a00",
    frozenset({"chunk"}): "background:#d9e9f6",
    frozenset({"evidence", "chunk"}): "background:#bfe3c6;border-bottom:2px solid #c98a00",
    frozenset({"match"}): "background:#e3dcf5",
    frozenset({"context"}): "background:#eef4f9;border-bottom:1px dotted #1f5f8b",
    frozenset({"one"}): "background:#e6f0f7",
    frozenset({"other"}): "background:#f6efdf",
    frozenset({"one", "other"}): "background:#e2d3ea",
    frozenset({"lost"}): "background:#f6d5d1;border-bottom:2px solid #b8433a",
}
_FAINT = frozenset({"match", "context", "one", "other"})
"""Kinds that give way where another one stands upon the same text."""
_BOX = (
    "white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:plaintext;line-height:1.55;font-size:0.92rem;"
    "border:1px solid #d9dfe5;border-radius:4px;padding:0.6rem 0.8rem;overflow-y:auto;"
)


Signs = Sequence[tuple[int, str]]
"""Words to stand at places of a text, each (place, words), such as where a page begins."""


def show_marked(
    text: str, marks: Sequence[Mark], height_px: int = 420, margin: int | None = None, signs: Signs = ()
) -> None:
    """Show a text in a box that scrolls, with its marked stretches coloured where they stand.

    With a margin, only what lies that many characters around a mark is shown. `signs` stand between the lines.
    """
    st.html(marked_html(text, marks, height_px, margin, signs))


def marked_html(
    text: str, marks: Sequence[Mark], height_px: int = 420, margin: int | None = None, signs: Signs = ()
) -> str:
    """Return the box as HTML: the only place where users' text becomes HTML, and every character of it is escaped."""
    body, last = "", 0
    for first, end in windows(len(text), marks, margin):
        places = sorted(sign for sign in signs if first <= sign[0] < end)
        body += _gap(first - last)
        for start, stop, words in _between(first, end, places):
            body += "".join(_sign(one) for one in words) + _window(text, marks, start, stop)
        last = end
    body += _gap(len(text) - last)
    return f'<div dir="auto" tabindex="0" style="{_BOX}max-height:{int(height_px)}px">{body}</div>'


def windows(length: int, marks: Sequence[Mark], margin: int | None) -> list[tuple[int, int]]:
    """Return the stretches to show: everything without a margin, else what lies around the marks, joined where near."""
    if margin is None or not marks:
        return [(0, length if margin is None else min(length, 4 * margin))]
    found: list[tuple[int, int]] = []
    for mark in sorted(marks, key=lambda m: m.start):
        first, end = max(0, mark.start - margin), min(length, mark.end + margin)
        if found and first <= found[-1][1] + margin:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        elif first < end:
            found.append((first, end))
    return found


def _between(first: int, end: int, signs: Signs) -> list[tuple[int, int, list[str]]]:
    """Cut a stretch at its signs; each piece with the words that stand before it."""
    cuts = sorted({first, end, *(place for place, _ in signs)})
    return [(a, b, [words for place, words in signs if place == a]) for a, b in pairwise(cuts)]


def _sign(words: str) -> str:
    style = "color:#1f5f8b;font-size:0.78rem;border-top:1px dashed #b9cfdf;margin-top:0.35rem;user-select:none"
    return f'<div style="{style}"><bdi>{escape(shortened(words, 160), quote=True)}</bdi></div>'


def _gap(n: int) -> str:
    words = f"… {n:,} characters …"
    return f'<div style="color:#66717d;font-size:0.8rem;padding:0.25rem 0">{words}</div>' if n > 0 else ""


def _window(text: str, marks: Sequence[Mark], first: int, end: int) -> str:
    inside = [Mark(m.start - first, m.end - first, m.kind) for m in marks if m.end > first]
    return "".join(_piece(text[first + a : first + b], kinds) for a, b, kinds in segments(end - first, inside))


def _piece(text: str, kinds: frozenset[str]) -> str:
    safe = escape(text, quote=True)
    style = next((COLOURS[one] for one in (kinds, kinds - _FAINT) if one in COLOURS), None)
    return f'<mark style="color:inherit;padding:0;{style}"><bdi>{safe}</bdi></mark>' if style else safe


def segments(length: int, marks: Iterable[Mark]) -> list[tuple[int, int, frozenset[str]]]:
    """Cut 0 to `length` where a mark begins or ends; each piece with the kinds of marks upon it."""
    clipped = (Mark(max(0, m.start), min(length, m.end), m.kind) for m in marks)
    inside = [m for m in clipped if m.start < m.end]
    cuts = sorted({0, length, *(m.start for m in inside), *(m.end for m in inside)})
    return [(a, b, frozenset(m.kind for m in inside if m.start <= a and b <= m.end)) for a, b in pairwise(cuts)]


_KINDS = {
    "evidence": "evidence",
    "chunk": "chosen chunk",
    "both": "evidence in the chunk",
    "match": "search match",
    "context": "handed on with the chunk",
    "one": "the one after it",
    "other": "neighbour",
    "overlap": "in both",
    "lost": "lost evidence",
}


def legend(*kinds: str) -> None:
    """Say what the colours mean."""
    sets = {"both": frozenset({"evidence", "chunk"}), "overlap": frozenset({"one", "other"})}
    spans = [
        f'<span style="{COLOURS[sets.get(kind, frozenset({kind}))]};padding:0 0.35rem">{_KINDS[kind]}</span>'
        for kind in kinds
    ]
    st.html(f'<div style="font-size:0.85rem;display:flex;gap:0.8rem">{"".join(spans)}</div>')


def matches(text: str, needle: str, most: int = 200) -> list[Mark]:
    """Return where `needle` stands in `text`, whatever the case."""
    if not needle:
        return []
    found = re.finditer(re.escape(needle), text, re.IGNORECASE)
    return [Mark(m.start(), m.end(), "match") for m, _ in zip(found, range(most), strict=False)]


def signs_of(marks: Mapping[str, Sequence[tuple[int, int, object]]]) -> list[tuple[int, str]]:
    """Return where each page, section and table of a document begins, in words."""
    return [(start, f"{kind} {value}") for kind, spans in marks.items() for start, _, value in spans]
