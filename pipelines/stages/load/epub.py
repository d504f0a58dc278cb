"""Books."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import unquote
from zipfile import ZipFile

from pipelines.errors import DatasetError, shorten
from pipelines.stages.load import Attempt, Loader, Note
from pipelines.stages.load.html_text import decode_page, refuse_empty, write_page
from pipelines.stages.load.writer import Writer, titled
from pipelines.stages.load.zips import member, open_archive

_CONTAINER = "META-INF/container.xml"
_TEXTS = ("application/xhtml+xml", "text/html", "application/xml", "text/x-oeb1-document")


class EpubLoader(Loader, name="epub", version=1):
    """Read books (.epub): the chapters in the order in which they are read, headings as sections, tables row by row.

    `auto` takes it for such files; choose it by name where any other file is a mistake, which is then reported.
    Costs some tens of milliseconds a file, once a content.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".epub",)

    def attempt(self, data: bytes, document_id: str, where: str) -> Attempt:
        """Yield the one document; title, author and language as metadata."""
        archive = open_archive(data, where, "book (.epub)")
        package_path, package = _package(archive, where)
        if member(archive, "META-INF/encryption.xml") and member(archive, "META-INF/rights.xml"):
            raise DatasetError(f"{where} is a book that is protected against copying; take it out.")
        writer, missing = Writer(), []
        for name in _spine(package, posixpath.dirname(package_path)):
            content = member(archive, name)
            if content is None:
                missing.append(name)
                continue
            text, notes = decode_page(content, f"{where} ({shorten(name, 60)})")
            yield from notes
            write_page(text, writer, main_text=False)
        if missing:
            yield Note(f"{where} lacks {len(missing)} of its chapters, such as {shorten(missing[0], 60)}.")
        empty = list(refuse_empty(writer, where, "a book"))
        yield from empty
        if not empty:
            said = {name: _said(package, name) for name in ("title", "creator", "language")}
            yield writer.document(
                document_id, titled(said["title"], author=said["creator"], book_language=said["language"])
            )


def _xml(content: bytes, where: str) -> Any:
    """Parse XML without entities, document types or the network.

    Raises:
        DatasetError: when it is not well-formed.
    """
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise DatasetError(f"{where} is no whole book ({shorten(error, 60)}); save it anew, or take it out.") from error


def _package(archive: ZipFile, where: str) -> tuple[str, Any]:
    container = member(archive, _CONTAINER)
    root = None if container is None else _xml(container, where).find(".//{*}rootfile")
    path = "" if root is None else root.get("full-path", "")
    content = member(archive, path) if path else None
    if content is None:
        raise DatasetError(f"{where} is no book: it does not say what belongs to it; save it anew, or take it out.")
    return path, _xml(content, where)


def _spine(package: Any, folder: str) -> Iterator[str]:
    """Yield the names of the chapters within the archive, in reading order; each once."""
    items = {item.get("id"): item for item in package.findall(".//{*}manifest/{*}item")}
    seen: set[str] = set()
    for reference in package.findall(".//{*}spine/{*}itemref"):
        item = items.get(reference.get("idref"))
        if (
            item is None
            or item.get("media-type", _TEXTS[0]) not in _TEXTS
            or "nav" in item.get("properties", "").split()
        ):
            continue
        name = posixpath.normpath(posixpath.join(folder, unquote(item.get("href", "").partition("#")[0])))
        if name not in seen:
            seen.add(name)
            yield name


def _said(package: Any, name: str) -> str:
    element = package.find(f".//{{*}}metadata/{{http://purl.org/dc/elements/1.1/}}{name}")
    return "" if element is None else " ".join("".join(element.itertext()).split())
