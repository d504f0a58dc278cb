"""A folder of small files of every format, with a known sentence in each, and some that are broken."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from pathlib import Path
from typing import Any

Maker = Callable[[str], bytes]


def sentence(number: int) -> str:
    """Return the sentence that file `number` holds, and no other."""
    return f"The committee approved item {number * 7919 % 100003} of the programme on day {number}."


def write_mixed(folder: Path, n_files: int, broken: int = 5) -> Mapping[str, str]:
    """Write files of every format in turn and some broken ones; return the sentence of each good one, by its name."""
    folder.mkdir(parents=True, exist_ok=True)
    names, facts = list(MAKERS), {}
    for number in range(n_files - broken):
        suffix = names[number % len(names)]
        name = f"file-{number:04d}{suffix}"
        (folder / name).write_bytes(MAKERS[suffix](sentence(number)))
        facts[name] = sentence(number)
    kinds = list(BROKEN.items())
    for number in range(broken):
        name, make = kinds[number % len(kinds)]
        (folder / f"{number:02d}-{name}").write_bytes(make())
    return facts


def pdf(text: str) -> bytes:
    """Return a page that says something."""
    from reportlab.pdfgen.canvas import Canvas

    held = io.BytesIO()
    canvas = Canvas(held)
    canvas.drawString(72, 700, text)
    canvas.save()
    return held.getvalue()


def docx(text: str) -> bytes:
    """Return a Word document with a heading, a paragraph, a table and a paragraph."""
    from docx import Document

    document: Any = Document()
    document.core_properties.title = "Minutes"
    document.add_heading("Decisions", level=1)
    document.add_paragraph(text)
    table = document.add_table(rows=2, cols=2)
    for cell, said in zip(table._cells, ("Item", "Votes", "First", "12"), strict=True):
        cell.text = said
    document.add_paragraph("Nothing else was decided.")
    held = io.BytesIO()
    document.save(held)
    return held.getvalue()


def pptx(text: str) -> bytes:
    """Return two slides, one with notes."""
    from pptx import Presentation

    slides: Any = Presentation()
    for title, body in (("Welcome", "Good morning."), ("Decisions", text)):
        slide = slides.slides.add_slide(slides.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = body
    slides.slides[0].notes_slide.notes_text_frame.text = "Speak slowly."
    held = io.BytesIO()
    slides.save(held)
    return held.getvalue()


def xlsx(text: str) -> bytes:
    """Return a workbook of one sheet."""
    from openpyxl import Workbook

    book = Workbook()
    sheet: Any = book.active
    for row in (("Item", "Decision", "Votes"), ("first", text, 12), ("second", "postponed", 3.5)):
        sheet.append(row)
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def csv(text: str) -> bytes:
    """Return a table separated by semicolons."""
    return f'Item;Decision;Votes\nfirst;"{text}";12\nsecond;postponed;3.5\n'.encode()


def html(text: str) -> bytes:
    """Return a page with a menu around its text."""
    more = "The members discussed the matter at length before they came to a decision. " * 4
    menu = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("Home", "Products", "Careers", "Contact"))
    return (
        f"<!DOCTYPE html><html><head><title>Minutes</title></head><body><nav><ul>{menu}</ul></nav><main><article>"
        f"<h1>Decisions</h1><p>{text} {more}</p><h2>Votes</h2><p>{more}</p><table><tr><th>Item</th><th>Votes</th></tr>"
        "<tr><td>First</td><td>12</td></tr><tr><td>Second</td><td>3</td></tr></table></article></main>"
        "<footer>Imprint and cookies</footer></body></html>"
    ).encode()


def epub(text: str) -> bytes:
    """Return a book of two chapters."""
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles>'
        '<rootfile full-path="book/content.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Minutes</dc:title><dc:creator>A. Clerk</dc:creator>'
        '</metadata><manifest><item id="b" href="two.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="a" href="one.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="a"/><itemref idref="b"/></spine></package>'
    )
    page = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body><h1>{}</h1><p>{}</p></body></html>'
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", container)
        archive.writestr("book/content.opf", package)
        archive.writestr("book/one.xhtml", page.format("Beginning", "It was a fine day."))
        archive.writestr("book/two.xhtml", page.format("Decisions", text))
    return held.getvalue()


def eml(text: str) -> bytes:
    """Return a letter in two forms with an attachment."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Minutes", "clerk@example.org", "all@example.org"
    message["Date"] = "Mon, 03 Mar 2025 10:00:00 +0000"
    message.set_content(text + "\n")
    message.add_alternative(f"<p>{text}</p>", subtype="html")
    message.add_attachment(b"x", maintype="application", subtype="octet-stream", filename="plan.bin")
    return message.as_bytes()


def code(text: str) -> bytes:
    """Return a program."""
    function = f'def decide():\n    """{text}"""\n    return 12\n'
    return f"{function}\n\nclass Vote:\n    def count(self):\n        return 3\n".encode()


def encrypted_pdf() -> bytes:
    """Return a PDF file that asks for a password."""
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfgen.canvas import Canvas

    held = io.BytesIO()
    canvas = Canvas(held, encrypt=StandardEncryption("secret", canPrint=0))
    canvas.drawString(72, 700, "Nobody may read this.")
    canvas.save()
    return held.getvalue()


def scanned_pdf() -> bytes:
    """Return a PDF file of two pages without any text."""
    from reportlab.pdfgen.canvas import Canvas

    held = io.BytesIO()
    canvas = Canvas(held)
    for _ in range(2):
        canvas.rect(72, 600, 100, 100)
        canvas.showPage()
    canvas.save()
    return held.getvalue()


def bomb() -> bytes:
    """Return a workbook of which 1 MB unpacks to 1 GB."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as member:
            for _ in range(1024):
                member.write(bytes(1 << 20))
    return held.getvalue()


MAKERS: Mapping[str, Maker] = {
    ".pdf": pdf,
    ".docx": docx,
    ".pptx": pptx,
    ".xlsx": xlsx,
    ".csv": csv,
    ".html": html,
    ".epub": epub,
    ".eml": eml,
    ".py": code,
    ".md": lambda text: f"# Decisions\n\n{text}\n".encode(),
    ".txt": lambda text: f"{text}\n".encode(),
}
BROKEN: Mapping[str, Callable[[], bytes]] = {
    "encrypted.pdf": encrypted_pdf,
    "scanned.pdf": scanned_pdf,
    "truncated.docx": lambda: docx("It ends too early.")[:-2000],
    "bomb.xlsx": bomb,
    "binary.txt": lambda: b"\x00\x01\x02" * 100,
}
