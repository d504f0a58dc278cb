"""Files as companies have them, made here: an annual report of any length, and a folder of many formats."""

from __future__ import annotations

import random
import textwrap
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

WORDS = (
    "revenue margin segment customer liquidity impairment goodwill acquisition dividend shareholder board audit "
    "committee remuneration strategy market demand supply inventory currency hedge interest lease pension tax "
    "provision contingent liability asset equity reserve cash operating investing financing performance outlook "
    "sustainability emission climate governance compliance regulation technology research development employee "
    "increased decreased remained improved declined during compared with the of and in to for from by on as at"
).split()
_SIZE = 10
_LEADING = 12
_TOP, _BOTTOM, _LEFT, _WIDTH = 770, 90, 60, 475
_COLUMN = 225


@dataclass
class AnnualReport:
    """A PDF file and what is true of it, each with its page from 1: sentences, table rows by cell, and headings."""

    data: bytes
    n_pages: int
    facts: list[tuple[int, str]] = field(default_factory=list)
    rows: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)


def annual_report(n_pages: int, seed: int = 7, *, outline: bool = True) -> AnnualReport:
    """Make a report: every third page in two columns, every fifth with a table, all with heads, feet and footnotes."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    chance = random.Random(seed)  # noqa: S311
    held = BytesIO()
    canvas = Canvas(held, pagesize=A4, pageCompression=1)
    canvas.setTitle("Northwind Holdings: Annual Report 2025")
    report = AnnualReport(b"", n_pages)
    for page in range(1, n_pages + 1):
        _furniture(canvas, page)
        _page(canvas, page, report, chance, outline)
        canvas.showPage()
    canvas.save()
    report.data = held.getvalue()
    return report


def _furniture(canvas: Any, page: int) -> None:
    canvas.setFont("Helvetica", 8)
    canvas.drawString(_LEFT, 810, "Northwind Holdings")
    canvas.drawRightString(_LEFT + _WIDTH, 810, "Annual Report 2025")
    canvas.drawCentredString(_LEFT + _WIDTH / 2, 40, str(page))


def _page(canvas: Any, page: int, report: AnnualReport, chance: random.Random, outline: bool) -> None:
    y = _TOP
    if page % 5 == 1:
        title = f"{page // 5 + 1} {' '.join(chance.sample(WORDS[:40], 3)).capitalize()}"
        canvas.setFont("Helvetica-Bold", 16)
        canvas.drawString(_LEFT, y, title)
        if outline:
            canvas.bookmarkPage(f"p{page}")
            canvas.addOutlineEntry(title, f"p{page}", 0)
        report.headings.append((page, title))
        y -= 2 * _LEADING
    if page % 5 == 0:
        y = _table(canvas, page, y, report, chance) - _LEADING
    fact = f"On page {page} the auditors noted item {page * 7919 % 10007} of the consolidated statements."
    report.facts.append((page, fact))
    if page % 3 == 0:
        _columns(canvas, y, fact, chance)
    else:
        _lines(canvas, _LEFT, y, _prose(chance, 3400, fact, 95))
    canvas.setFont("Times-Roman", 7)
    canvas.drawString(_LEFT, 66, f"{page % 4 + 1} {_prose_text(chance, 40)}")


def _columns(canvas: Any, y: float, fact: str, chance: random.Random) -> None:
    """Draw two columns, line by line across the page, as some programs write them."""
    n = int((y - _BOTTOM) / _LEADING)
    left = textwrap.wrap(_prose_text(chance, 60 * n), 46)[:n]
    right = textwrap.wrap(fact + " " + _prose_text(chance, 60 * n), 46)[:n]
    canvas.setFont("Times-Roman", _SIZE)
    for i, (a, b) in enumerate(zip(left, right, strict=False)):
        canvas.drawString(_LEFT, y - i * _LEADING, a)
        canvas.drawString(_LEFT + _WIDTH - _COLUMN, y - i * _LEADING, b)


def _lines(canvas: Any, x: float, y: float, lines: list[str]) -> None:
    canvas.setFont("Times-Roman", _SIZE)
    for line in lines:
        if y < _BOTTOM:
            return
        canvas.drawString(x, y, line)
        y -= _LEADING


def _prose(chance: random.Random, n_chars: int, fact: str, width: int) -> list[str]:
    before, after = _prose_text(chance, n_chars // 3), _prose_text(chance, n_chars)
    return textwrap.wrap(f"{before} {fact} {after}", width)


def _prose_text(chance: random.Random, n_chars: int) -> str:
    parts, length = [], 0
    while length < n_chars:
        sentence = " ".join(chance.choices(WORDS, k=chance.randint(8, 18))).capitalize() + "."
        parts.append(sentence)
        length += len(sentence) + 1
    return " ".join(parts)


def _table(canvas: Any, page: int, y: float, report: AnnualReport, chance: random.Random) -> float:
    canvas.setFont("Times-Bold", _SIZE)
    canvas.drawString(_LEFT, y, f"Table {page // 5}: Key figures in EUR million")
    rows = [("Item", "2025", "2024", "Change"), *(_figures(chance, i) for i in range(12))]
    canvas.setFont("Times-Roman", _SIZE)
    for row in rows:
        y -= _LEADING + 2
        canvas.drawString(_LEFT, y, row[0])
        for i, cell in enumerate(row[1:]):
            canvas.drawRightString(_LEFT + 250 + 90 * i, y, cell)
        canvas.line(_LEFT, y - 3, _LEFT + 430, y - 3)
        report.rows.append((page, row))
    return y - _LEADING


def _figures(chance: random.Random, i: int) -> tuple[str, ...]:
    now, before = chance.randint(1000, 99999), chance.randint(1000, 99999)
    name = f"{WORDS[i].capitalize()} {WORDS[i + 20]}"
    return name, f"{now:,}", f"{before:,}", f"{(now - before) / before * 100:.1f}%"
