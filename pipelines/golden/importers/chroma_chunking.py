"""chroma-chunking: the files of Chroma's report on chunking, questions with character spans over a few long texts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from pipelines.errors import DatasetError, shorten
from pipelines.golden.importers import Draft, Problem, importer
from pipelines.golden.importers.sources import need_file, need_folder
from pipelines.golden.importers.tables import Row, read_table
from pipelines.records import Document, Evidence, Question
from pipelines.stages.load import read_text
from pipelines.stages.load.files import files_below, holds
from pipelines.stages.load.reading import clean, named, parse_json

_TABLE = "questions_df.csv"
_COLUMNS = ("question", "references", "corpus_id")
_WANTED = f"the format is a folder with {_TABLE} and a text <corpus_id>.md for each corpus"


@importer("chroma-chunking", f"a folder with {_TABLE} and <corpus_id>.md")
def read(src: Path) -> Draft:
    """Read the folder: each text is a document, all of them one corpus."""
    folder = need_folder(src, _WANTED)
    path = need_file(folder, _TABLE, _WANTED)
    rows = read_table(read_text(path), named(path), _COLUMNS, delimiters=",").rows
    draft = Draft(
        description="Questions with the exact character spans that answer them, over a few long texts.",
        licence="MIT; the texts under their own terms",
        source="Chroma, Evaluating Chunking Strategies for Retrieval (2024), brandonstarxel/chunking_evaluation",
    )
    # Looked up among the files that are there, never made into a path: the names are the table's.
    texts = {file.stem: file for file in files_below(folder) if file.suffix == ".md" and file.parent == folder}
    for name in sorted({row["corpus_id"].strip() for row in rows}):
        if name not in texts:
            raise DatasetError(f"{named(folder)} has no text '{shorten(name, 60)}.md' ({holds(folder)}); {_WANTED}.")
        draft.documents.append(Document(clean(name), read_text(texts[name])))
    _questions(rows, draft)
    return draft


def _questions(rows: tuple[Row, ...], draft: Draft) -> None:
    number: Counter[str] = Counter()
    for row in rows:
        corpus = clean(row["corpus_id"].strip())
        number[corpus] += 1
        question_id = f"{corpus}-{number[corpus]:03d}"
        try:
            evidence = _references(row["references"], corpus)
        except (ValueError, TypeError, KeyError) as error:
            found = (
                f"Line {row.line} of {_TABLE}: its references are not a JSON list of content, start_index, end_index"
            )
            draft.problems.append(Problem(question_id, f"{found} ({shorten(error, 60)}); correct them."))
            draft.failed.add(question_id)
            evidence = ()
        draft.questions.append(Question(question_id, clean(row["question"]), tags=(corpus,), evidence=evidence))


def _references(text: str, corpus: str) -> tuple[Evidence, ...]:
    items = parse_json(text)
    if not isinstance(items, list):
        raise TypeError("no list")
    return tuple(
        Evidence(corpus, int(item["start_index"]), int(item["end_index"]), clean(item["content"])) for item in items
    )
