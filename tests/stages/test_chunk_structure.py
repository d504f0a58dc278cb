"""Chunkers that follow what a document is made of: sections, tables, pages, sentences, parents."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.models.outline import first_heading, header_rows, pages, sections, tables
from pipelines.models.sentences import sentences
from pipelines.models.tokens import count
from pipelines.records import PAGE, SECTION, TABLE, Chunks, Document, Documents
from pipelines.stages.chunk import Chunker
from pipelines.stages.chunk.markdown import MarkdownChunker
from pipelines.stages.chunk.page import PageChunker
from pipelines.stages.chunk.parent import ParentChunker
from pipelines.stages.chunk.recursive import RecursiveChunker
from pipelines.stages.chunk.sentence_window import SentenceWindowChunker
from pipelines.stages.chunk.table import TableChunker

PROSE = "One sentence stands here, and it is of some length. Another one follows it at once. "
REPORT = f"""# Annual report

## Results

{PROSE * 3}

### By region
{PROSE * 2}

```
# no heading: this is code
```

Outlook
-------
{PROSE * 20}
"""
LINES = st.lists(
    st.sampled_from(
        ["# A", "## B", "text", "", "===", "---", "```", "| a | b |", "|---|---|", "\f", "a | b", "  # C #"]
    ),
    max_size=30,
)


def cut(chunker: Chunker, text: str, **marks: list[tuple[int, int, str | int]]) -> list[str]:
    """The text of each chunk of one document."""
    documents = Documents.of([Document("d", text, {}, marks)])
    return chunker.chunk(documents).texts(documents)


def chunks(chunker: Chunker, text: str) -> Chunks:
    return chunker.chunk(Documents.of([Document("d", text)]))


def test_sections_are_found_below_headings_of_both_kinds_and_never_in_code() -> None:
    found = [(REPORT[start:end].split("\n")[0], path) for start, end, path in sections(Document("d", REPORT))]
    assert found == [
        ("# Annual report", "Annual report"),
        ("## Results", "Annual report > Results"),
        ("### By region", "Annual report > Results > By region"),
        ("Outlook", "Annual report > Outlook"),
    ]
    assert first_heading(Document("d", REPORT)) == "Annual report"
    assert first_heading(Document("d", "no heading at all")) == ""


def test_marked_sections_stand_above_headings_in_the_text() -> None:
    text = "# Not asked\n\nbody one\n\nbody two"
    document = Document("d", text, {}, {SECTION: [(13, 21, "First > A"), (23, len(text), "Second")]})
    assert [(text[s:e], path) for s, e, path in sections(document)] == [
        ("# Not asked\n\n", ""),
        ("body one\n\n", "First > A"),
        ("body two", "Second"),
    ]


@given(LINES.map("\n".join), st.booleans())
def test_outlines_cover_any_text(text: str, windows: bool) -> None:
    document = Document("d", text.replace("\n", "\r\n") if windows else text)
    for found in (sections(document), tables(document), pages(document)):
        assert "".join(document.text[span[0] : span[1]] for span in found) == document.text
        assert all(document.text[span[0] : span[1]].strip() for span in found) or not document.text.strip()


def test_markdown_never_mixes_two_sections() -> None:
    pieces = cut(MarkdownChunker(size=64, tiny=0), REPORT)
    headings = ["# Annual", "## Results", "### By region", "Outlook\n---"]
    assert [sum(heading in piece for heading in headings) for piece in pieces].count(1) == 4
    assert all(sum(f"\n{heading}" in f"\n{piece}" for heading in headings[1:]) <= 1 for piece in pieces)
    assert max(count(piece) for piece in pieces) <= 64 + 4


def test_markdown_joins_a_tiny_section_to_the_next() -> None:
    pieces = cut(MarkdownChunker(size=256, tiny=8), REPORT)
    assert pieces[0].startswith("# Annual report\n\n## Results")
    assert pieces[1].startswith("### By region")
    assert cut(MarkdownChunker(), "# A\n\n# B\n\n# C") == ["# A\n\n# B\n\n# C"]
    assert cut(MarkdownChunker(tiny=0), "# A\n\n# B\n\n# C") == ["# A\n\n", "# B\n\n", "# C"]
    last = f"# A\n{PROSE * 4}\n# B\nshort"
    assert cut(MarkdownChunker(), last) == [last]  # the last has nothing behind it, so it joins what stands before


def test_markdown_without_headings_is_recursive() -> None:
    text = f"{PROSE * 9}\n\n{PROSE * 30}"
    assert cut(MarkdownChunker(size=128), text) == cut(RecursiveChunker(size=128), text)


ROWS = "".join(f"| row {i} | {i * 1000:,} |\n" for i in range(40))
WITH_TABLE = f"{PROSE}\n\n| name | value |\n|---|---|\n{ROWS}\n{PROSE}"


def test_a_table_is_kept_whole_while_it_fits() -> None:
    before, table, after = cut(TableChunker(), WITH_TABLE)
    assert before.strip() == PROSE.strip()
    assert table.startswith("| name | value |") and table.rstrip().endswith("| row 39 | 39,000 |")
    assert after == PROSE


def test_a_longer_table_is_cut_between_rows() -> None:
    _, *parts, _ = cut(TableChunker(table_size=128), WITH_TABLE)
    assert len(parts) > 2
    assert all(part.startswith("| ") and part.rstrip().endswith("|") for part in parts)
    assert max(count(part) for part in parts) <= 128 + 4


def test_marked_tables_stand_above_what_looks_like_one() -> None:
    text = f"a\tb\nc\td\n{PROSE}"
    assert cut(TableChunker(), text, **{TABLE: [(0, 8, "1")]}) == ["a\tb\nc\td\n", PROSE]
    assert cut(TableChunker(), "name | value\n--- | ---\nx | 1\n\nprose") == [
        "name | value\n--- | ---\nx | 1\n\n",
        "prose",
    ]
    assert cut(TableChunker(), "one | line with a bar\nand another") == ["one | line with a bar\nand another"]


def test_header_rows() -> None:
    assert header_rows("| name | value |\n|---|---|\n| x | 1 |") == "| name | value |"
    assert header_rows("a\tb\nc\td") == "a\tb"
    assert header_rows("") == ""


@pytest.mark.parametrize(("n", "expected"), [(1, ["one \n", "two ", "three"]), (2, ["one \ntwo ", "three"])])
def test_pages_one_by_one_or_several(n: int, expected: list[str]) -> None:
    text = "one \ntwo three"
    marks: dict[str, list[tuple[int, int, str | int]]] = {PAGE: [(0, 3, 1), (5, 8, 2), (9, 14, 3)]}
    assert cut(PageChunker(pages=n), text, **marks) == expected


def test_pages_without_marks_end_at_form_feeds_and_long_ones_are_cut() -> None:
    assert cut(PageChunker(), "one\ftwo\f\f") == ["one\f", "two\f\f"]
    long = cut(PageChunker(size=16), f"{PROSE * 3}\fshort")
    assert len(long) > 3 and long[-1] == "short"


def test_sentences_of_several_scripts() -> None:
    text = "Dr. Smith went. “Yes.” He paid 1.5 million.\n\n# Head\nText. שלום עולם. מה נשמע? "
    text += "日本語です。これも。👩‍👩‍👧‍👦 ok\n- item\n"
    found = [text[start:end] for start, end in sentences(text)]
    assert "".join(found) == text
    assert "Dr. Smith went. " in found
    assert {"שלום עולם. ", "מה נשמע? ", "日本語です。", "これも。", "- item\n"} <= set(found)


def test_a_window_hands_on_so_many_sentences_on_either_side() -> None:
    text = "Alpha is one. Beta is two. Gamma is three. Delta is four. Epsilon is five."
    found = chunks(SentenceWindowChunker(window=1), text)
    pieces = [text[s:e].strip() for s, e in zip(found.start, found.end, strict=True)]
    contexts = [text[s:e].strip() for s, e in zip(found.context_start, found.context_end, strict=True)]
    assert pieces[2] == "Gamma is three."
    assert contexts[2] == "Beta is two. Gamma is three. Delta is four."
    assert contexts[0] == "Alpha is one. Beta is two."
    two = chunks(SentenceWindowChunker(sentences=2, window=0), text)
    assert [text[s:e].strip() for s, e in zip(two.start, two.end, strict=True)][-1] == "Epsilon is five."
    assert two.context_start.tolist() == two.start.tolist()


def test_a_parent_holds_its_children_and_neighbours_share_it() -> None:
    text = PROSE * 40
    found = chunks(ParentChunker(size=32, parent_size=128), text)
    parents = list(dict.fromkeys(zip(found.context_start.tolist(), found.context_end.tolist(), strict=True)))
    assert parents == [tuple(span) for span in RecursiveChunker(size=128).spans(text)]
    assert all(before[1] == after[0] for before, after in pairwise(parents))
    assert len(found) > 3 * len(parents)
    small = chunks(ParentChunker(size=128, parent_size=16), text)
    assert small.context_end.tolist() == small.end.tolist()  # a parent is never less than what is indexed
