"""How fast files are read, and what survives: a report of 300 pages, and 500 files, five of them broken."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.mixed_files import write_mixed
from benchmarks.reports import AnnualReport, annual_report
from pipelines.cache import Cache
from pipelines.records import PAGE, TABLE, Document
from pipelines.stages.load import Loaded, Loader, loaders

N_PAGES = 300
N_FILES = 500
N_BROKEN = 5


def main() -> dict[str, Any]:
    """Read both, check all of it, and return the figures."""
    with TemporaryDirectory() as folder:
        return {**report_figures(Path(folder) / "report", N_PAGES), **mixed_figures(Path(folder) / "mixed", N_FILES)}


def report_figures(folder: Path, n_pages: int) -> dict[str, Any]:
    """Read a report as a dataset's only file, and check each page's sentence, each row of its tables, and its heads."""
    report = annual_report(n_pages)
    (folder / "documents").mkdir(parents=True)
    (folder / "documents" / "report.pdf").write_bytes(report.data)
    started = time.perf_counter()
    (document,) = auto().read(folder).documents
    seconds = time.perf_counter() - started
    check_report(document, report)
    print(f"A PDF of {n_pages} pages in {seconds:.1f} s: every page number right, every table row whole.")
    return {"pdf_pages": n_pages, "pdf_s": seconds, "pdf_pages_per_s": n_pages / seconds}


def check_report(document: Document, report: AnnualReport) -> None:
    """Assert that what is true of a report is so in its text."""
    pages = {page: " ".join(document.text[a:b].split()) for a, b, page in document.marks[PAGE]}
    assert list(pages) == list(range(1, report.n_pages + 1))
    for page, fact in report.facts:
        assert fact in pages[int(page)], f"page {page} lacks its sentence"
    tables = "\n".join(document.text[a:b] for a, b, _ in document.marks.get(TABLE, ()))
    for page, row in report.rows:
        assert " | ".join(row) in tables, f"a table of page {page} lacks a row"
    assert "Northwind Holdings" not in document.text


def mixed_figures(folder: Path, n_files: int) -> dict[str, Any]:
    """Read many small files, once from nothing and once again with one more beside them."""
    facts = write_mixed(folder / "documents", n_files, N_BROKEN)
    cache = Cache(folder / "cache")
    started = time.perf_counter()
    found = auto().read(folder, cache=cache)
    seconds = time.perf_counter() - started
    check_mixed(found, facts)
    (folder / "documents" / "one-more.txt").write_text("One more.")
    started = time.perf_counter()
    assert len(auto().read(folder, cache=cache).documents) == len(found.documents) + 1
    again = time.perf_counter() - started
    print(f"{n_files} files in {seconds:.1f} s, {N_BROKEN} of them broken and reported; with one more, {again:.1f} s.")
    return {"files": n_files, "files_s": seconds, "files_again_s": again, "files_left_out": len(found.failures)}


def check_mixed(found: Loaded, facts: Any) -> None:
    """Assert that each file that is not broken holds its sentence, and that each broken one is reported."""
    texts = {document.id: document.text for document in found.documents}
    assert len(found.failures) == N_BROKEN
    for name, fact in facts.items():
        assert fact in texts[Path(name).stem], f"{name} lacks its sentence"


def auto() -> Loader:
    """Return the loader that is used when nothing is said."""
    return loaders()["auto"]()
