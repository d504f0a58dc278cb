"""Web pages to text: headings, paragraphs, lists and tables; with or without what surrounds the main text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pipelines.errors import DatasetError
from pipelines.stages.load.encodings import decoded
from pipelines.stages.load.html_main import Blocks, cut_surroundings
from pipelines.stages.load.outcome import Note
from pipelines.stages.load.writer import Writer, one_line

_SILENT = frozenset(("script", "style", "noscript", "template", "head", "svg", "math", "iframe", "object", "select",
                     "button", "input", "textarea"))  # fmt: skip
_INLINE = frozenset((
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins", "kbd",
    "label", "mark", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strong", "sub", "sup", "time",
    "tt", "u", "var", "wbr", "img",
))  # fmt: skip
_HEADING = re.compile(r"h([1-6])$")
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_\-]{2,30})""", re.IGNORECASE)
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9_\-]{2,30})["']""")
_PROLOGUE = re.compile(r"^\s*<\?xml[^>]*\?>")
_HEAD_BYTES = 4096
_MOST_LOST_SHARE = 0.01


def decode_page(data: bytes, where: str) -> tuple[str, list[Note]]:
    """Decode a page as it says itself, or else as text whose encoding is looked for.

    Raises:
        DatasetError: when it is no text, or none in an encoding that is certain.
    """
    said = _CHARSET.search(data[:_HEAD_BYTES]) or _DECLARED.search(data[:_HEAD_BYTES])
    if said and not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        name = said[1].decode("ascii").lower()
        name = {"iso-8859-1": "cp1252"}.get(name, name)
        try:
            text = data.decode(name, errors="replace")
            lost = text.count("\ufffd")
            if lost <= _MOST_LOST_SHARE * len(text):
                return text, [Note(_lost(where, lost, name))] if lost else []
        except (LookupError, UnicodeError):
            pass
    return decoded(data, where, "auto")


def _lost(where: str, n: int, encoding: str) -> str:
    return f"{where} says that it is {encoding} text, and {n} of its characters are none: they read as \ufffd."


def parse_page(text: str) -> Any:
    """Return the tree of a page; nothing is fetched, and no entity of its own is replaced."""
    from lxml import html

    parser = html.HTMLParser(no_network=True, remove_comments=True, remove_pis=True)
    page = _PROLOGUE.sub("", text, count=1)
    return html.document_fromstring(page, parser=parser) if page.strip() else None


def page_title(tree: Any) -> str:
    """Return what the page calls itself."""
    return one_line(tree.findtext(".//title") or "")


def write_page(text: str, writer: Writer, *, main_text: bool) -> str:
    """Write a page and return its title; with `main_text`, without menus, sidebars, forms and the like."""
    from lxml.etree import LxmlError

    try:
        tree = parse_page(text)
    except (LxmlError, ValueError, AssertionError):
        tree = None
    if tree is None:
        return ""
    title = page_title(tree)
    body = tree.find("body")
    top = tree if body is None else body
    if not main_text:
        _write(top, writer)
        return title
    cut_surroundings(top)
    blocks = Blocks()
    _write(top, blocks)
    blocks.write(writer, text)
    return title


class _Walk:
    """Collects inline text, and writes it as a paragraph wherever a block begins or ends."""

    def __init__(self, writer: Writer | Blocks) -> None:
        self.writer = writer
        self._inline: list[str] = []

    def element(self, node: Any) -> None:
        tag = node.tag.rpartition("}")[2].lower() if isinstance(node.tag, str) else ""
        if not tag or tag in _SILENT:
            pass
        elif tag == "br":
            self._inline.append("\n")
        elif tag in _INLINE:
            self._children(node)
        else:
            self._flush()
            self._block(node, tag)
            self._flush()
        if node.tail:
            self._inline.append(re.sub(r"\s+", " ", node.tail))

    def _block(self, node: Any, tag: str) -> None:
        level = _HEADING.match(tag)
        if level:
            self.writer.heading("".join(node.itertext()), int(level[1]))
        elif tag == "pre":
            self.writer.block("".join(node.itertext()).strip("\n"))
        elif tag in ("ul", "ol", "dl") and not _blocks_within(node):
            self.writer.block("\n".join(f"- {line}" for child in node if (line := _line(child))))
        elif tag == "table" and (rows := _rows(node)):
            caption = node.find("caption")
            self.writer.table(rows, "" if caption is None else "".join(caption.itertext()))
        else:
            self._children(node)

    def _children(self, node: Any) -> None:
        if node.text:
            self._inline.append(re.sub(r"\s+", " ", node.text))
        for child in node:
            self.element(child)

    def _flush(self) -> None:
        lines = (one_line(line) for line in "".join(self._inline).split("\n"))
        self._inline.clear()
        self.writer.block("\n".join(line for line in lines if line))

    def end(self) -> None:
        self._flush()


def _write(node: Any, writer: Writer | Blocks) -> None:
    walk = _Walk(writer)
    walk.element(node)
    walk.end()


def _line(node: Any) -> str:
    return one_line("".join(node.itertext())) if isinstance(node.tag, str) else ""


def _blocks_within(node: Any) -> bool:
    return any(isinstance(one.tag, str) and one.tag in ("table", "ul", "ol", "pre") for one in node.iterdescendants())


def _rows(table: Any) -> list[list[str]]:
    """Return the cells of a table of data; nothing for one that only lays a page out."""
    if any(True for _ in table.iterdescendants("table")):
        return []
    found = [[_line(cell) for cell in row if cell.tag in ("td", "th")] for row in table.iter("tr")]
    rows = [row for row in found if any(row)]
    return rows if len(rows) > 1 and max(map(len, rows)) > 1 else []


def refuse_empty(writer: Writer, where: str, what: str) -> Iterator[DatasetError]:
    """Yield the error for a file without a word."""
    if writer.empty:
        yield DatasetError(f"{where} is {what} without any text; take it out, or see whether its text was lost.")
