"""squad: reading comprehension in the JSON of SQuAD 1.1 and 2.0; each paragraph becomes a document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipelines.errors import DatasetError, shorten
from pipelines.golden.importers import Draft, Problem, importer
from pipelines.records import Document, Evidence, Question
from pipelines.stages.load import read_text
from pipelines.stages.load.reading import clean, named, parse_json

_WANTED = "a SQuAD file is JSON with data, paragraphs, context and qas"
_GROUP = "answers"


@importer("squad", "a JSON file of SQuAD 1.1 or 2.0")
def read(src: Path) -> Draft:
    """Read the file: the answers given to one question are alternatives, impossible ones are unanswerable."""
    if src.is_dir():
        raise DatasetError(f"{named(src)} is a folder; {_WANTED}: name the file.")
    draft = Draft(description="Questions about paragraphs, with the answers' places.", source=f"SQuAD, {src.name}")
    titles: Counter[str] = Counter()
    seen: set[str] = set()
    try:
        content = parse_json(read_text(src))
        for title, paragraph in _paragraphs(content):
            titles[title] += 1
            document = Document(f"{title}-{titles[title]:03d}", clean(paragraph["context"]), {"title": title})
            draft.documents.append(document)
            for item in paragraph["qas"]:
                _add(item, document, draft, seen)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        what = f"'{error.args[0]}' is missing" if isinstance(error, KeyError) else shorten(error, 80)
        raise DatasetError(f"{named(src)} is not a SQuAD file ({what}); {_WANTED}: correct it.") from error
    return draft


def _paragraphs(content: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, article in enumerate(content["data"], start=1):
        title = clean(str(article.get("title") or f"article {number}"))
        for paragraph in article["paragraphs"]:
            yield title, paragraph


def _add(item: Mapping[str, Any], document: Document, draft: Draft, seen: set[str]) -> None:
    question_id = clean(str(item["id"]))
    if question_id in seen:
        message = f"Question '{shorten(question_id, 60)}' is there twice; the first is kept: give each its own id."
        draft.problems.append(Problem(question_id, message))
        return
    seen.add(question_id)
    impossible = bool(item.get("is_impossible"))
    answers = [] if impossible else list(item.get("answers") or [])
    if not answers and not impossible:
        message = f"Question '{shorten(question_id, 60)}' has no answer and is not marked impossible; it is left out."
        draft.problems.append(Problem(question_id, message))
        draft.failed.add(question_id)
    answer = clean(answers[0]["text"]) if answers else None
    evidence = tuple(_alternatives(answers, document))
    draft.questions.append(Question(question_id, clean(item["question"]), answer, evidence=evidence))


def _alternatives(answers: list[Mapping[str, Any]], document: Document) -> Iterator[Evidence]:
    """Yield each distinct answer; several are alternatives, so they share a group."""
    places = dict.fromkeys((int(answer["answer_start"]), clean(answer["text"])) for answer in answers)
    group = _GROUP if len(places) > 1 else None
    for start, text in places:
        yield Evidence(document.id, start, start + len(text), text, group=group)
