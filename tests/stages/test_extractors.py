"""Each extractor, on texts whose metadata a reader can see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.component import components
from pipelines.errors import ConfigurationError
from pipelines.pipeline import Pipeline
from pipelines.records import SECTION, Chunks, Column, Document, Documents
from pipelines.stages.extract import Extractor
from pipelines.stages.extract.found import extraction_notes, reported
from pipelines.stages.extract.merging import merged

NOTE = "# Rates\n\nThis note of the third quarter of 2024 was published on 22 October 2024. Rates fell in Q2 2024.\n\n"
MORE = "## Outlook\n\nIn FY2025 and the first half of 2026 Novatek Systems expects more. Clause 17 applies.\n"
DEUTSCH = "Der Vorstand hat die Dividende im vergangenen Jahr erhöht, weil die Gewinne deutlich gestiegen sind.\n"


def corpus() -> tuple[Documents, Chunks]:
    """Three documents: one of two chunks, one in German with a folder and a year, one without a word."""
    documents = Documents.of(
        [
            Document("note", NOTE + MORE, {"company": "Novatek Systems Inc.", "year": 2024, "kind": "note"}),
            Document("reports/2023/q1.PDF", DEUTSCH, {"company": "Ostrava Steel AG", "year": 2022}),
            Document("empty_2021.md", "", {"company": "Ostrava Steel AG"}),
        ]
    )
    chunks = Chunks.of([0, 0, 1, 2], [0, len(NOTE), 0, 0], [len(NOTE), len(NOTE) + len(MORE), len(DEUTSCH), 0])
    columns = {name: column.take(chunks.document) for name, column in documents.columns.items()}
    return documents, Chunks(*(getattr(chunks, n) for n in ARRAYS), columns=columns)


ARRAYS = ("document", "start", "end", "context_start", "context_end", "tokens")


def extracted(use: str, **knobs: Any) -> dict[str, list[Any]]:
    component = components("extract")[use](**knobs)
    documents, chunks = corpus()
    return {name: [column[i] for i in range(4)] for name, column in component.extract(documents, chunks).items()}


def test_path() -> None:
    found = extracted("path", folders=["kind", "year", "more"])
    assert found["folder"] == [None, None, "reports/2023", None]
    assert found["file"] == ["note", "note", "q1", "empty_2021"]
    assert found["extension"] == [None, None, "pdf", "md"]
    assert found["kind"] == [None, None, "reports", None]
    assert found["year"] == [None, None, 2023, None]
    assert found["more"] == [None] * 4


def test_dates_of_documents() -> None:
    """By the id, else by the beginning: the third quarter stands first there, and 22 October is behind "published"."""
    found = extracted("dates")
    assert found["year"] == [2024, 2024, 2023, 2021]
    assert found["quarter"] == ["Q3", "Q3", "Q1", None]
    assert found["date"] == ["2024-10-22", "2024-10-22", None, None]


def test_periods_that_chunks_mention() -> None:
    found = extracted("dates", level="chunk", year_field="mentioned_year")
    assert found["mentioned_year"] == [2024, 2025, None, None]
    assert found["quarter"] == ["Q3", None, None, None]
    assert found["periods"] == ["2024-Q3; 2024-10-22; 2024-Q2", "2025; 2026-H1", None, None]


def test_sections_by_headings_and_by_marks() -> None:
    found = extracted("section")
    assert found["section"][:2] == ["Rates", "Rates > Outlook"]
    assert found["section_title"][:2] == ["Rates", "Outlook"]
    assert found["section_level"] == [1, 2, None, None]
    marked = Documents.of([Document("a", "abcdef", marks={SECTION: [(2, 6, "One > Two")]})])
    columns = components("extract")["section"]().extract(marked, Chunks.of([0, 0], [0, 3], [3, 6]))
    assert [columns["section"][i] for i in range(2)] == [None, "One > Two"]


def test_language() -> None:
    assert extracted("language")["language"] == ["en", "en", "de", None]
    assert extracted("language", languages=["en", "fr"], least_confidence=0.0)["language"][2] in ("en", "fr")
    with pytest.raises(ConfigurationError, match=r"extract\.language does not know all of zz"):
        extracted("language", languages=["zz"])


def test_keywords() -> None:
    found = extracted("keywords", n=3)
    assert found["keywords"][1].startswith(found["keyword"][1])
    assert len(found["keywords"][1].split("; ")) == 3
    assert found["keyword"][3] is None


def test_pattern() -> None:
    found = extracted("pattern", patterns=[r"Clause (?P<clause>\d+)", r"(?P<firm>Nova\w+)", r"(?P<clause>Q\d)"])
    assert found == {"clause": ["Q2", 17, None, None], "firm": [None, "Novatek", None, None]}
    assert extracted("pattern", patterns=["(?P<n>Q\\d)"], on="id", ignore_case=True)["n"] == [None, None, "q1", None]


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("(", r"'\(', which is no regular expression: missing \)"),
        ("abc", "'abc' without a named group"),
        ("(?P<a>", "no"),
    ],
)
def test_patterns_that_are_none(pattern: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^p: extract\.pattern\.patterns .*{told}"):
        Pipeline.parse({"extract": {"use": "pattern", "patterns": [pattern]}}, "p")


def test_a_pattern_that_would_never_end_is_stopped() -> None:
    text = "a" * 40 + "!"
    documents = Documents.of([Document("slow.txt", text)])
    slow = components("extract")["pattern"](patterns=[r"(?P<x>(a|aa|a?a)+)$"], limit_s=0.2)
    with pytest.raises(ConfigurationError, match=r"takes more than 0\.2 s on a text of document 'slow\.txt'"):
        slow.extract(documents, Chunks.of([0], [0], [len(text)]))


def test_vocabulary() -> None:
    found = extracted("vocabulary", fields=["company"])
    assert found["company"] == [None, "Novatek Systems Inc.", None, None]
    assert found["company_mentioned"] == found["company"]
    whole = extracted("vocabulary", level="document")
    assert whole["company"] == ["Novatek Systems Inc."] * 2 + [None, None]
    with pytest.raises(ConfigurationError, match=r"field 'compani', which no document has.* Did you mean 'company'"):
        extracted("vocabulary", fields=["compani"])


@pytest.fixture(scope="module")
def spacy_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spacy = pytest.importorskip("spacy")
    model = spacy.blank("en")
    ruler = model.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "ORG", "pattern": "Novatek Systems"}, {"label": "GPE", "pattern": "Ostrava"}])
    folder = tmp_path_factory.mktemp("spacy") / "model"
    model.to_disk(folder)
    return folder


def test_entities(spacy_model: Path) -> None:
    found = extracted("entities", model=str(spacy_model), labels=["ORG", "GPE"])
    assert found["entity_org"] == [None, "Novatek Systems", None, None]
    assert found["entities_gpe"] == [None] * 4
    with pytest.raises(ConfigurationError, match=r"asks for PERSON, which the model .* it knows GPE, ORG"):
        extracted("entities", model=str(spacy_model), labels=["PERSON"])


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("spacy")
    with pytest.raises(ConfigurationError, match="needs the spaCy model 'no_such_model', which is not installed"):
        extracted("entities", model="no_such_model")
    (tmp_path / "meta.json").write_text("{}")
    with pytest.raises(ConfigurationError, match="cannot read the spaCy model"):
        extracted("entities", model=str(tmp_path))


def test_another_model_in_the_same_folder_is_another_key(spacy_model: Path, tmp_path: Path) -> None:
    import shutil

    from pipelines.stages.extract.entities import _identity

    copy = tmp_path / "model"
    shutil.copytree(spacy_model, copy)
    entities = components("extract")["entities"](model=str(copy))
    before = entities.fingerprint()
    (copy / "meta.json").write_text((copy / "meta.json").read_text() + " ")
    _identity.cache_clear()
    assert entities.fingerprint() != before


def test_several() -> None:
    settings = [{"use": "dates"}, {"use": "path", "folders": ["kind", "year"]}, {"use": "section"}]
    found = extracted("several", extractors=settings)
    assert found["year"] == [2024, 2024, 2023, 2021]  # of dates, the first; path has 2023 for one too
    assert found["kind"] == [None, None, "reports", None]
    assert {"section", "file", "quarter"} <= set(found)
    several = components("extract")["several"]
    spelled = [one.settings() for one in several(extractors=settings).parts()]
    assert several(extractors=settings).fingerprint() == several(extractors=spelled).fingerprint()
    named = [settings[0], settings[1], "section"]
    assert several(extractors=named).fingerprint() == several(extractors=settings).fingerprint()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"use": "date"}, "there is no extract component 'date'.* Did you mean 'dates'"),
        ({"use": "dates", "lvel": "chunk"}, "has no knob 'lvel'"),
        ({"use": "several", "extractors": [{"use": "path"}]}, "holds 'several' again"),
        ({"use": "path", "replace": True}, "set replace beside extractors"),
    ],
)
def test_several_of_what_cannot_be(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        Pipeline.parse({"extract": {"use": "several", "extractors": [wrong]}}, "p")


def test_gaps_are_filled_and_gold_stays_unless_it_is_to_be_replaced() -> None:
    documents, chunks = corpus()
    for replace, years in ((False, [2024, 2024, 2022, 2021]), (True, [2024, 2024, 2023, 2021])):
        dates: Extractor = components("extract")["dates"](replace=replace)
        columns = dates.added(chunks, dates.extract(documents, chunks))
        assert [columns["year"][i] for i in range(4)] == years
        assert [columns["company"][i] for i in range(4)] == [chunks.columns["company"][i] for i in range(4)]


def test_merging_keeps_types_apart() -> None:
    known, found = {"a": Column.of([1, None, None])}, {"a": Column.of(["1", "1", 1]), "b": Column.of([True, None, 0])}
    columns = merged(known, found, replace=False)
    assert [columns["a"][i] for i in range(3)] == [1, "1", 1]
    assert [columns["b"][i] for i in range(3)] == [True, None, 0]


def test_coverage_and_accuracy() -> None:
    """Years of 2024, 2024, 2023, 2021 against 2024, 2024, 2022 and none: 3 compared, 2 equal."""
    documents, chunks = corpus()
    dates = components("extract")["dates"]()
    report = reported(dates, documents, chunks)
    year = next(field for field in report.fields if field.field == "year")
    assert (year.found, year.n_chunks, year.coverage) == (4, 4, 1.0)
    assert (year.known, year.both, year.equal) == (3, 3, 2)
    assert year.accuracy == pytest.approx(2 / 3)
    assert [(d.document_id, d.extracted, d.known) for d in year.disagreements] == [("reports/2023/q1.PDF", 2023, 2022)]
    quarter = next(field for field in report.fields if field.field == "quarter")
    assert quarter.accuracy is None
    assert quarter.reason == "the dataset has no field 'quarter' to compare with"
    notes = extraction_notes(dates.extract(documents, chunks), documents, chunks)
    assert "Extracted year for 4 of 4 chunks; of 3 that the documents' metadata know as well, 66.7% agree." in notes
    assert report.to_dict()["fields"]


@pytest.mark.parametrize("use", sorted(set(components("extract")) - {"entities"}))
def test_every_extractor_is_deterministic_and_reads_each_text_by_itself(use: str) -> None:
    needed = {"pattern": {"patterns": [r"(?P<x>\d+)"]}, "several": {"extractors": [{"use": "dates"}, {"use": "path"}]}}
    component = components("extract")[use](**needed.get(use, {}))
    documents, chunks = corpus()
    one, other = (component.extract(documents, chunks) for _ in range(2))
    assert list(one) == list(other)
    for name in one:
        assert one[name].values == other[name].values
        assert np.array_equal(one[name].codes, other[name].codes)
        assert one[name].codes.dtype == np.int32
        assert len(one[name].codes) == len(chunks)
    nothing = component.extract(Documents((), ()), Chunks.of([], [], []))
    assert all(len(column.codes) == 0 for column in nothing.values())
