"""The main text of a web page: what surrounds it is cut out of the tree, and trafilatura judges what is left."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.stages.load.writer import Writer, one_line

_AROUND = frozenset(("nav", "footer", "aside", "form", "menu", "dialog"))
_ROLES = frozenset(("navigation", "banner", "contentinfo", "complementary", "search", "menu", "menubar", "dialog"))
_CALLED = re.compile(
    r"(^|[-_ ])(nav|navi|navbar|navigation|menu|sidebar|breadcrumbs?|footer|cookies?|banner|share|social)([-_ ]|$)",
    re.IGNORECASE,
)
_BLOCKS = ("div", "ul", "ol", "section", "header", "table", "p", "span")
_LEAST_LINKS = 3
_MENU_LINKED = 0.8
_CALLED_LINKED = 0.3
_MOST_OF_PAGE = 0.5
_LEAST_COVERED = 0.25


def cut_surroundings(body: Any) -> None:
    """Take menus, sidebars, forms, feet and the like out of a page's tree."""
    total = max(1, _length(body))
    for element in list(body.iter()):
        if isinstance(element.tag, str) and element is not body and _surrounds(element, total):
            element.drop_tree()


def _surrounds(element: Any, total: int) -> bool:
    if element.getparent() is None:
        return False
    if element.tag in _AROUND or element.get("role") in _ROLES:
        return _length(element) <= _MOST_OF_PAGE * total
    if element.tag not in _BLOCKS:
        return False
    called = bool(_CALLED.search(f"{element.get('class', '')} {element.get('id', '')}"))
    links = element.findall(".//a")
    if not called and len(links) < _LEAST_LINKS:
        return False
    length = _length(element)
    linked = sum(_length(link) for link in links) / max(1, length)
    return length <= _MOST_OF_PAGE * total and linked >= (_CALLED_LINKED if called else _MENU_LINKED)


def _length(element: Any) -> int:
    return len(one_line("".join(element.itertext())))


@dataclass(frozen=True)
class Block:
    """A heading (level 1 to 6), a table (rows) or a paragraph (level 0)."""

    text: str
    level: int = 0
    rows: Sequence[Sequence[str]] = ()


@dataclass
class Blocks:
    """Takes blocks as a writer does, and hands those on that belong to the main text."""

    found: list[Block] = field(default_factory=list)

    def block(self, text: str) -> None:
        """Take a paragraph."""
        if text.strip():
            self.found.append(Block(text))

    def heading(self, text: str, level: int) -> None:
        """Take a heading."""
        if text.strip():
            self.found.append(Block(one_line(text), level))

    def table(self, rows: Sequence[Sequence[str]], caption: str = "") -> None:
        """Take a table."""
        self.found.append(Block(caption, 0, rows))

    def write(self, writer: Writer, page: str) -> None:
        """Write what trafilatura takes for the main text; all of it where that is too little to go by."""
        kept = self._main(page)
        for block, wanted in zip(self.found, kept, strict=True):
            if wanted and block.rows:
                writer.table(block.rows, block.text)
            elif wanted and block.level:
                writer.heading(block.text, block.level)
            elif wanted:
                writer.block(block.text)

    def _main(self, page: str) -> list[bool]:
        main = _squeezed(_main_text(page))
        kept = [bool(main) and _within(block, main) for block in self.found]
        covered = sum(len(block.text) for block, wanted in zip(self.found, kept, strict=True) if wanted)
        if covered < _LEAST_COVERED * sum(len(block.text) for block in self.found):
            return [True] * len(self.found)
        for i in reversed(range(len(self.found) - 1)):  # A heading belongs to what stands below it.
            kept[i] |= self.found[i].level > 0 and kept[i + 1]
        return kept


def _main_text(page: str) -> str:
    from trafilatura import bare_extraction

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    found = bare_extraction(page, include_tables=True, include_comments=False, favor_recall=True)
    return getattr(found, "text", None) or ""


def _within(block: Block, main: str) -> bool:
    """Whether at least half of a block's lines, or cells, are in the main text."""
    parts = [part for part in _parts(block) if part]
    return bool(parts) and sum(part in main for part in parts) >= 0.5 * len(parts)


def _parts(block: Block) -> Iterator[str]:
    if block.rows:
        yield from (_squeezed(cell) for row in block.rows for cell in row)
    else:
        yield from (_squeezed(line.removeprefix("- ")) for line in block.text.split("\n"))


def _squeezed(text: str) -> str:
    return "".join(text.split())
