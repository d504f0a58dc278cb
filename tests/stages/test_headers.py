"""What is put before a chunk's text for embedding only, and what of a document's marks a chunk carries."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipelines.cache import Cache
from pipelines.execution import Execution, Node
from pipelines.golden.dataset import Dataset
from pipelines.models.named_tokenizers import tokenizer_identity
from pipelines.pipeline import Pipeline
from pipelines.planning.plan import Plan, plan
from pipelines.records import PAGE, SECTION, TABLE, Chunks, Document, Documents
from pipelines.stages.embed.headers import headed_texts, readable, title_of

TEXT = "# Report\n\nIntro.\n\n## Sales\n\n| a | b |\n|---|---|\n| x | 1 |\n| y | 2 |\n"
SALES, ROW = TEXT.index("## Sales"), TEXT.index("| y")


def headed(header: str, document: Document, *starts: int) -> list[str]:
    """The first line of what is embedded for chunks that begin at `starts`."""
    ends = [*starts[1:], len(document.text)]
    chunks = Chunks.of([0] * len(starts), starts, ends)
    return headed_texts(Documents.of([document]), chunks, header)  # type: ignore[arg-type]


def test_headers_are_composed_of_title_section_and_header_row() -> None:
    document = Document("a/b_c.md", TEXT)
    row = TEXT[ROW:]
    assert headed("title", document, ROW) == [f"Report\n\n{row}"]
    assert headed("section", document, ROW) == [f"Report > Sales\n\n{row}"]
    assert headed("title-section", document, ROW) == [f"Report > Sales\n\n{row}"]  # the path begins with the title
    assert headed("title-section-table", document, ROW) == [f"Report > Sales\n| a | b |\n\n{row}"]
    whole = headed("title-section-table", document, 0, SALES)
    assert whole[0].startswith("Report\n\n# Report")
    assert whole[1].startswith("Report > Sales\n\n## Sales")  # the chunk holds the table's beginning itself


def test_titles_come_of_metadata_then_the_first_heading_then_the_id() -> None:
    assert title_of(Document("x", "# Head\ntext", {"title": "Named"})) == "Named"
    assert title_of(Document("x", "# Head\ntext")) == "Head"
    assert title_of(Document("policies/gifts_policy-2021.pdf", "text")) == "gifts policy 2021"
    assert readable("…") == "…"
    document = Document("x", "# Head\ntext", {"title": "Named"})
    assert headed("title-section", document, 0)[0].startswith("Named > Head\n\n")


def test_marks_give_sections_and_tables() -> None:
    document = Document("d", "zero\nname\tvalue\nx\t1\n", {}, {SECTION: [(0, 20, "S > T")], TABLE: [(5, 20, "1")]})
    assert headed("section", document, 0) == [f"S > T\n\n{document.text}"]
    assert headed("title-section-table", document, 16)[0].startswith("S > T\nname\tvalue\n\nx\t1")


def dataset(folder: Path) -> Dataset:
    rows = [{"id": "d1", "text": TEXT, "metadata": {"section": "own"}}, {"id": "d2", "text": "Other. " * 30}]
    questions = [{"id": "q", "text": "What were sales?", "evidence": [{"document_id": "d1", "start": 0, "end": 8}]}]
    for name, lines in (("documents", rows), ("questions", questions)):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    (folder / "dataset.yaml").write_text("name: tiny\nfields: {section: str}\n", encoding="utf-8")
    return Dataset.open(folder)


def planned(found: Dataset, **embed: str) -> Plan:
    settings = {"chunk": {"use": "recursive", "size": 16}, "embed": {"use": "minilm", "precision": "float32", **embed}}
    return plan(Pipeline.parse(settings), found, found.select(None))


def test_a_header_changes_what_is_embedded_of_chunks_and_nothing_else(tmp_path: Path) -> None:
    found = dataset(tmp_path)
    without, titled = planned(found), planned(found, header="title")
    for name in ("chunks", "texts", "query_vectors", "queries"):
        assert getattr(without, name).key == getattr(titled, name).key
    assert without.vectors.key != titled.vectors.key
    assert without.pipeline.embed.fingerprint() == titled.pipeline.embed.fingerprint()
    run = Execution(Cache(tmp_path / "cache"))
    plain, headed = run.get(without.vectors), run.get(titled.vectors)
    assert plain.shape == headed.shape
    assert not np.array_equal(plain, headed)
    assert run.get(titled.embedded_texts)[0] == f"Report\n\n{run.get(titled.texts)[0]}"


def test_chunks_say_page_and_table_of_their_beginning_and_metadata_stand_above_marks(tmp_path: Path) -> None:
    marks = {PAGE: [(0, SALES, 1), (SALES, len(TEXT), 2)], SECTION: [(0, 5, "marked")], TABLE: [(ROW, ROW + 5, "T")]}
    both = [Document("d1", TEXT, {"section": "own"}, marks), Document("d2", "Other. " * 30)]
    one = planned(dataset(tmp_path))
    one.__dict__["documents"] = Node("load", "marked", (), lambda _: Documents.of(both))
    run = Execution(Cache(tmp_path / "cache"))
    chunks = run.get(one.chunks)
    pages = [chunks.columns[PAGE][i] for i in range(len(chunks))]
    first = [i for i in range(len(chunks)) if chunks.document[i] == 0]
    assert [pages[i] for i in first] == [1 if chunks.start[i] < SALES else 2 for i in first]
    assert pages[len(first)] is None  # the other document has no pages
    assert chunks.columns[SECTION][0] == "own"
    assert {chunks.columns[TABLE][i] for i in first if not ROW <= chunks.start[i] < ROW + 5} == {None}


def test_tokenizers_by_name_and_path(tmp_path: Path) -> None:
    from pipelines.errors import ConfigurationError
    from pipelines.models.tokens import boundaries, count
    from pipelines.models.weights import minilm_folder

    folder = str(minilm_folder())
    assert tokenizer_identity("cl100k_base") == ""
    assert tokenizer_identity("minilm") == tokenizer_identity(folder) == tokenizer_identity(f"{folder}/tokenizer.json")
    assert count("Donaudampfschifffahrt", "minilm") != count("Donaudampfschifffahrt")
    assert boundaries("  two words ", folder).tolist() == [0, 6, 12]  # what is left out belongs to the token before
    same = [Pipeline.parse({"chunk": {"use": "fixed", "tokenizer": name}}).chunk for name in ("minilm", folder)]
    assert same[0].fingerprint() != Pipeline.parse({"chunk": {"use": "fixed"}}).chunk.fingerprint()
    found = [list(one.cuts(Document("d", "word " * 600))) for one in same]
    assert found[0] == found[1]
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="cannot be read as a tokenizer"):
        count("a", str(tmp_path))
    with pytest.raises(ConfigurationError, match="There is no tokenizer 'gpt-9'; name cl100k_base, minilm"):
        Pipeline.parse({"chunk": {"use": "fixed", "tokenizer": "gpt-9"}}).chunk.fingerprint()
