"""Each format: what of it survives, and what is refused in one sentence."""

from __future__ import annotations

import io
import zipfile
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from benchmarks import mixed_files
from benchmarks.reports import annual_report
from pipelines.component import build
from pipelines.errors import DatasetError
from pipelines.records import PAGE, SECTION, TABLE, Document
from pipelines.stages.load import Loader, Note

FACT = "The committee approved item 7 of the programme."


def loader(use: str = "auto", **knobs: object) -> Loader:
    found = build("load", {"use": use, **knobs}, "auto", "test")
    assert isinstance(found, Loader)
    return found


def items(name: str, data: bytes, use: str = "auto", **knobs: object) -> list[Document | DatasetError | Note]:
    chosen = loader(use, **knobs).loader_for(name)
    return list(chosen.attempt(data, "d", name))


def one(name: str, data: bytes, use: str = "auto", **knobs: object) -> Document:
    (found,) = [item for item in items(name, data, use, **knobs) if isinstance(item, Document)]
    return loader(use, **knobs).loader_for(name).cleaning().of(found)


def marked(document: Document, kind: str) -> list[tuple[str, object]]:
    return [(document.text[start:end], value) for start, end, value in document.marks.get(kind, ())]


def refused(name: str, data: bytes, use: str = "auto") -> str:
    try:
        (error,) = [item for item in items(name, data, use) if isinstance(item, DatasetError)]
    except DatasetError as raised:
        error = raised
    message = str(error)
    assert name in message
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) < 400
    return message


@pytest.mark.parametrize("outline", [True, False])
def test_a_report_keeps_pages_columns_tables_and_sections(outline: bool):
    report = annual_report(16, outline=outline)
    document = one("report.pdf", report.data)
    pages = {value: text for text, value in marked(document, PAGE)}
    assert list(pages) == list(range(1, 17))
    for page, fact in report.facts:
        assert fact in " ".join(str(pages[page]).split())
    tables = marked(document, TABLE)
    assert [value for _, value in tables] == [f"Table {i}: Key figures in EUR million" for i in (1, 2, 3)]
    for _, row in report.rows:
        assert any(" | ".join(row) in text for text, _ in tables)
    assert [value for _, value in marked(document, SECTION)] == [title for _, title in report.headings]
    assert all(text.startswith(str(value)) for text, value in marked(document, SECTION))
    assert document.metadata == {"title": "Northwind Holdings: Annual Report 2025", "pages": 16}
    assert "Northwind Holdings\n" not in document.text
    kept = one("report.pdf", report.data, drop_running_heads="never")
    assert kept.text.count("Northwind Holdings") == 16


def test_columns_may_be_read_across():
    report = annual_report(3)
    across = one("report.pdf", report.data, use="pdf", columns=False)
    assert report.facts[2][1] not in " ".join(across.text.split())
    assert report.facts[0][1] in " ".join(across.text.split())


def drawn(*pages: str, **settings: Any) -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    held = io.BytesIO()
    canvas = Canvas(held, **settings)
    for text in pages:
        for i, line in enumerate(text.split("\n") if text else []):
            canvas.drawString(72, 700 - 14 * i, line)
        canvas.showPage()
    canvas.save()
    return held.getvalue()


def test_pages_without_text_are_named():
    found = items("a.pdf", drawn("One", "", "Three", ""))
    assert [item.text for item in found if isinstance(item, Note)] == [
        "Pages 2, 4 of the 4 pages of a.pdf have no text."
    ]
    (document,) = [item for item in found if isinstance(item, Document)]
    assert [value for _, value in marked(document, PAGE)] == [1, 3]


def test_a_turned_page_is_read_as_it_is_shown():
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    held = io.BytesIO()
    canvas = Canvas(held, pagesize=A4)
    canvas.setPageRotation(90)
    canvas.translate(A4[0], 0)
    canvas.rotate(90)
    for i, line in enumerate(("first line", "second line", "third line")):
        canvas.drawString(72, 400 - 14 * i, line)
    canvas.save()
    assert one("a.pdf", held.getvalue()).text.split("\n") == ["first line", "second line", "third line"]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.pdf", mixed_files.encrypted_pdf(), "encrypted PDF file that asks for a password"),
        ("a.pdf", mixed_files.scanned_pdf(), "None of the 2 pages"),
        ("a.pdf", mixed_files.pdf(FACT)[:300], "no whole PDF file"),
        ("a.pdf", b"", "no whole PDF file"),
        ("a.docx", mixed_files.docx(FACT)[:-2000], "no whole Word document"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "older format, or encrypted"),
        ("a.xlsx", mixed_files.docx(FACT), "a.xlsx"),
        ("a.pptx", b"PK\x03\x04", "no whole presentation"),
        ("a.epub", mixed_files.docx(FACT), "is no book"),
        ("a.eml", b"just some words", "is no e-mail"),
        ("a.html", b"<html><body></body></html>", "without any text"),
        ("a.html", b"", "without any text"),
        ("a.csv", b"", "without any rows"),
        ("a.txt", "Gr\u00fc\u00df".encode("latin-1"), "which encoding it is in is not certain"),
    ],
)
def test_what_is_broken_is_one_sentence(name: str, data: bytes, said: str):
    from pipelines.stages.load.outcome import Outcome
    from pipelines.stages.load.parser_process import broken

    try:
        message = refused(name, data)
    except (DatasetError, AssertionError):
        raise
    except Exception as error:  # what a parser raises, its process turns into a sentence
        message = str(Outcome.failed(broken(name, "x", error)).errors[0])
    assert said in message


def zipped(**members: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return held.getvalue()


def test_bombs_are_refused_before_they_are_unpacked():
    message = refused("a.xlsx", mixed_files.bomb())
    assert "would unpack to 1,024 MB" in message


def test_a_bomb_that_lies_about_its_size_is_cut_short():
    data = bytearray(zipped(word__document_xml=bytes(200 << 20)))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.index(signature) + offset
        data[place : place + 4] = (1000).to_bytes(4, "little")
    assert "no whole Word document" in refused("a.docx", bytes(data))


@pytest.mark.parametrize("width", ["utf-8", "utf-16"])
def test_xml_with_entities_of_its_own_is_not_read(width: str):
    xml = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'.encode(width)
    held = io.BytesIO(mixed_files.docx(FACT))
    with zipfile.ZipFile(held, "a") as archive:
        archive.writestr("word/extra.xml", xml)
    assert "declares entities" in refused("a.docx", held.getvalue())


def test_a_chapter_outside_of_a_book_is_not_there(tmp_path: Path):
    (tmp_path / "secret.html").write_text("<p>secret</p>")
    package = (
        b'<package><manifest><item id="a" href="../../../secret.html"/><item id="b" href="b.html"/></manifest>'
        b'<spine><itemref idref="a"/><itemref idref="b"/></spine></package>'
    )
    container = b'<container><rootfiles><rootfile full-path="book.opf"/></rootfiles></container>'
    data = zipped(**{"META-INF__container.xml": container, "book.opf": package, "b.html": b"<p>The end.</p>"})
    found = items("a.epub", data)
    assert [item.text for item in found if isinstance(item, Document)] == ["The end."]
    assert "lacks 1 of its chapters" in next(item.text for item in found if isinstance(item, Note))


def test_word_documents_keep_their_order_headings_and_tables():
    document = one("a.docx", mixed_files.docx(FACT))
    assert document.text == f"Decisions\n\n{FACT}\n\nItem | Votes\nFirst | 12\n\nNothing else was decided."
    assert marked(document, SECTION) == [(document.text, "Decisions")]
    assert marked(document, TABLE) == [("Item | Votes\nFirst | 12", "1")]
    assert document.metadata == {"title": "Minutes"}


def test_word_reads_insertions_and_not_deletions():
    from docx import Document as Word
    from docx.oxml import parse_xml

    name = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    word: Any = Word()
    xml = (
        f'<w:p xmlns:w="{name}"><w:r><w:t>It is </w:t></w:r><w:del><w:r><w:delText>not </w:delText></w:r></w:del>'
        "<w:ins><w:r><w:t>truly </w:t></w:r></w:ins><w:r><w:t>so.</w:t></w:r></w:p>"
    )
    control = f'<w:sdt xmlns:w="{name}"><w:sdtContent><w:p><w:r><w:t>Within.</w:t></w:r></w:p></w:sdtContent></w:sdt>'
    for part in (xml, control):
        word.element.body.insert(0, parse_xml(part))
    held = io.BytesIO()
    word.save(held)
    assert one("a.docx", held.getvalue()).text == "Within.\n\nIt is truly so."


def test_slides_are_pages_and_notes_are_a_choice():
    document = one("a.pptx", mixed_files.pptx(FACT))
    assert [value for _, value in marked(document, PAGE)] == [1, 2]
    assert marked(document, PAGE)[1][0] == f"Decisions\n\n{FACT}"
    assert [value for _, value in marked(document, SECTION)] == ["Welcome", "Decisions"]
    assert "Speak slowly." in document.text
    assert "Speak slowly." not in one("a.pptx", mixed_files.pptx(FACT), notes=False).text


@pytest.mark.parametrize(("name", "make"), [("a.xlsx", mixed_files.xlsx), ("a.csv", mixed_files.csv)])
def test_tables_of_data_by_sheet_and_by_row(name: str, make: Any):
    sheet = one(name, make(FACT))
    rows = ["Item: first | Decision: " + FACT + " | Votes: 12", "Item: second | Decision: postponed | Votes: 3.5"]
    assert sheet.text.split("\n") == rows
    found = [item for item in items(name, make(FACT), sheets="row") if isinstance(item, Document)]
    assert [document.id for document in found] == ["d/1", "d/2"]
    assert found[1].text == "Item: second\nDecision: postponed\nVotes: 3.5"
    assert {**found[0].metadata, "sheet": ""} == {"Item": "first", "Decision": FACT, "Votes": 12, "sheet": ""}


def test_a_title_above_a_table_is_no_value_of_a_column():
    data = b"Sales of the year\n\nDay,Town,Sum\n2025-03-04,Arden,007\n"
    assert one("a.csv", data).text == "Sales of the year\nDay: 2025-03-04 | Town: Arden | Sum: 007"
    found = [item for item in items("a.csv", data, sheets="row") if isinstance(item, Document)]
    assert [dict(document.metadata) for document in found] == [{}, {"Day": "2025-03-04", "Town": "Arden", "Sum": "007"}]


def test_a_workbook_of_several_sheets_is_several_documents():
    from openpyxl import Workbook

    book = Workbook()
    for name in ("North", "South"):
        book.create_sheet(name).append(["Town", name])
    held = io.BytesIO()
    book.save(held)
    assert [item.id for item in items("a.xlsx", held.getvalue()) if isinstance(item, Document)] == [
        "d/North",
        "d/South",
    ]


def test_web_pages_lose_their_menu_and_keep_headings_and_tables():
    document = one("a.html", mixed_files.html(FACT))
    assert FACT in document.text
    assert not any(word in document.text for word in ("Careers", "cookies"))
    assert [value for _, value in marked(document, SECTION)] == ["Decisions", "Decisions > Votes"]
    assert marked(document, TABLE) == [("Item | Votes\nFirst | 12\nSecond | 3", "1")]
    assert document.metadata == {"title": "Minutes"}
    assert "Careers" in one("a.html", mixed_files.html(FACT), main_text=False).text


FAQ = """<html><head><title>FAQ</title></head><body><header><nav><a href="/">Home</a> <a href="/x">Login</a></nav>
</header><div class="left"><ul><li><a href="a">Alpha</a></li><li><a href="b">Beta</a></li><li><a href="c">Gamma</a></li>
</ul></div><div><h1>Shipping</h1><dl><dt>How long?</dt><dd>Two days.</dd></dl><ul><li>one<ul><li>a</li></ul></li></ul>
<pre>code
   indented</pre></div><footer>(c) 2024 <a href="/i">Imprint</a></footer><script>alert(1)</script></body></html>"""


def test_a_short_page_keeps_its_structure_and_loses_its_menus():
    document = one("a.html", FAQ.encode())
    assert document.text == "Shipping\n\n- How long?\n- Two days.\n\none\n\n- a\n\ncode\n   indented"
    assert marked(document, SECTION) == [(document.text, "Shipping")]


def test_a_page_with_a_few_damaged_letters_is_read():
    data = (
        mixed_files.html(FACT)
        .replace(b"<head>", b'<head><meta charset="utf-8">')
        .replace(b"members", b"mem\xffbers", 1)
    )
    assert "mem\ufffdbers" in one("a.html", data).text
    assert "1 of its characters" in next(item.text for item in items("a.html", data) if isinstance(item, Note))


def test_books_are_read_in_the_order_of_their_spine():
    document = one("a.epub", mixed_files.epub(FACT))
    assert document.text == f"Beginning\n\nIt was a fine day.\n\nDecisions\n\n{FACT}"
    assert document.metadata == {"title": "Minutes", "author": "A. Clerk"}
    assert [value for _, value in marked(document, SECTION)] == ["Beginning", "Decisions"]


def test_letters_have_sender_subject_and_date():
    found = items("a.eml", mixed_files.eml(FACT))
    assert "plan.bin" in next(item.text for item in found if isinstance(item, Note))
    document = one("a.eml", mixed_files.eml(FACT))
    assert document.text == f"Minutes\n\n{FACT}"
    assert document.metadata == {
        "title": "Minutes", "from": "clerk@example.org", "to": "all@example.org", "date": "2025-03-03",
    }  # fmt: skip


def test_a_letter_in_html_alone():
    message = EmailMessage()
    message["Subject"] = "News"
    message.set_content(f"<table><tr><td><h1>Hello</h1><p>{FACT}</p></td></tr></table>", subtype="html")
    assert one("a.eml", message.as_bytes()).text == f"News\n\nHello\n\n{FACT}"


def test_code_stays_as_it_is_and_its_parts_are_marked():
    data = b"import os\n\n@cache\ndef one():\n    pass\n\nclass Two:\n    def three(self): ...\n"
    document = one("a.py", data)
    assert document.text == data.decode()
    assert [value for _, value in marked(document, SECTION)] == ["one", "Two", "Two > three"]
    assert marked(document, SECTION)[0][0].startswith("@cache")
    assert one("a.py", b"def broken(:\n").marks == {}
    assert one("a.rs", b"fn main() {}").metadata == {"code_language": "rust"}


def test_markdown_is_marked_and_not_changed():
    text = "# A\n\ntext\n\n## B *c*\n\n| x | y |\n|---|---|\n| 1 | 2 |\n\n```\n# no heading\n```\nUnder\n-----\nend\n"
    document = one("a.md", text.encode())
    assert document.text == text
    assert [value for _, value in marked(document, SECTION)] == ["A", "A > B c", "A > Under"]
    assert marked(document, TABLE) == [("| x | y |\n|---|---|\n| 1 | 2 |", "1")]


def test_form_feeds_part_pages_of_plain_text():
    document = one("a.txt", b"one\ftwo\f")
    assert document.text == "one\ftwo\f"
    assert marked(document, PAGE) == [("one\f", 1), ("two\f", 2)]


GERMAN = "Die Geschäftsführung prüft jährlich, ob die Gebühren für größere Überweisungen angemessen sind. " * 3


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.csv"])
def test_text_in_latin_1_is_read_and_said(name: str):
    found = items(name, GERMAN.encode("latin-1"))
    assert "was read as cp1252" in next(item.text for item in found if isinstance(item, Note))
    document = next(item for item in found if isinstance(item, Document))
    assert "Geschäftsführung" in document.text


def test_an_encoding_may_be_named():
    assert one("a.txt", "naïve".encode("latin-1"), encoding="iso-8859-1").text == "naïve"
    with pytest.raises(DatasetError, match=r"a\.txt is not utf-16 text"):
        one("a.txt", b"\xd8\x00\xd8", encoding="utf-16")
    with pytest.raises(DatasetError, match="is not UTF-8 text"):
        one("a.txt", GERMAN.encode("latin-1"), encoding="utf-8")
    assert one("a.txt", "bytes with a mark".encode("utf-16")).text == "bytes with a mark"
