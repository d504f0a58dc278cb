"""ragas: test sets and evaluation datasets of Ragas, in JSON lines, JSON or CSV, of today's and of former versions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pipelines.errors import DatasetError, did_you_mean, shorten
from pipelines.golden.importers import Draft, Problem, importer
from pipelines.golden.importers.contexts import Asked, add_questions, json_in, reference_text
from pipelines.golden.importers.listed import texts_in
from pipelines.golden.importers.tables import header_of, read_table
from pipelines.stages.load import read_text
from pipelines.stages.load.files import holds
from pipelines.stages.load.reading import RuleError, clean, json_lines, named, show

QUESTION = ("user_input", "question", "query")
CONTEXTS = ("reference_contexts", "ground_truth_contexts", "contexts", "context")
ANSWER = ("reference", "ground_truth", "ground_truths", "reference_answer")
TAGS = ("synthesizer_name", "evolution_type", "query_style", "query_length")
_FORMER = ("contexts", "context")
_LISTS = ("samples", "examples", "data", "rows")
_SUFFIXES = (".jsonl", ".json", ".csv", ".tsv")
_WANTED = "a Ragas test set is JSON lines, JSON or CSV with user_input, reference_contexts and reference"
# The first line of each context that Ragas takes from several documents.
_HOP = re.compile(r"\A\s*<\d+-hop>\s*")

Sample = tuple[str, Mapping[str, object]]


@importer("ragas", "a Ragas test set or EvaluationDataset (.jsonl, .json, .csv), or its folder with 'documents'")
def read(src: Path) -> Draft:
    """Read the file: contexts are anchored in the source documents beside it, or become documents themselves."""
    path = _file(src)
    draft = Draft(description="Questions with reference contexts and answers.", source=f"Ragas, {path.name}")
    samples = list(_samples(path, draft))
    if not samples and not draft.problems:
        raise DatasetError(f"{named(path)} holds no questions; {_WANTED}: name another file.")
    names = {name for _, sample in samples for name in sample}
    text, contexts = (_column(names, known, path) for known in (QUESTION, CONTEXTS))
    if contexts in _FORMER:
        draft.notices.append(
            f"The column '{contexts}' is taken for the reference contexts, as former versions of Ragas wrote them; "
            "in a set that was answered it holds what was retrieved instead, and is no gold."
        )
    answer = next((name for name in ANSWER if name in names), "")
    asked = [one for sample in samples if (one := _asked(sample, text, contexts, answer, draft))]
    add_questions(draft, asked, path.parent)
    return draft


def _file(src: Path) -> Path:
    """Return the file: `src`, or the only one of the kind that the folder `src` holds."""
    if not src.is_dir():
        return src
    found = sorted(path for path in src.iterdir() if path.suffix.lower() in _SUFFIXES and path.is_file())
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} such files" if found else "no such file"
    raise DatasetError(f"{named(src)} holds {what} ({holds(src)}); {_WANTED}: name the file.")


def _column(names: set[str], known: Sequence[str], path: Path) -> str:
    """Return the first of the `known` names that there is.

    Raises:
        DatasetError: when there is none.
    """
    found = next((name for name in known if name in names), None)
    if found is not None:
        return found
    there = shorten(", ".join(sorted(names)), 200) or "none"
    guess = did_you_mean(known[0], names)
    raise DatasetError(
        f"{named(path)} has no column '{known[0]}' (nor {', '.join(known[1:])}); it has {there}; {_WANTED}: "
        f"rename a column, or name another file.{guess}"
    )


def _samples(path: Path, draft: Draft) -> Iterator[Sample]:
    """Yield each sample with where it stands; what is none is a problem."""
    text = read_text(path)
    if path.suffix.lower() in (".csv", ".tsv"):
        yield from _of_table(text, path, draft)
    elif path.suffix.lower() == ".jsonl" or _is_lines(text):
        yield from _of_lines(text, path, draft)
    else:
        yield from _of_json(path, draft)


def _is_lines(text: str) -> bool:
    """Whether the text is an object a line, under whatever name."""
    lines = [line for line in text.split("\n", 2)[:2] if line.strip()]
    return len(lines) == 2 and all(line.strip().startswith("{") and line.strip().endswith("}") for line in lines)


def _of_table(text: str, path: Path, draft: Draft) -> Iterator[Sample]:
    names = set(header_of(text))
    needed = [_column(names, known, path) for known in (QUESTION, CONTEXTS)]
    for row in read_table(text, named(path), needed).rows:
        where = f"{named(path)}, line {row.line}"
        if row.wrong:
            draft.problems.append(Problem(None, f"{where}: {row.wrong}; the row is left out: correct it."))
        else:
            yield where, dict(row.cells)


def _of_lines(text: str, path: Path, draft: Draft) -> Iterator[Sample]:
    for line, row in json_lines(text.encode(), named(path)):
        if isinstance(row, RuleError):
            draft.problems.append(Problem(None, str(row)))
        else:
            yield f"{named(path)}, line {line}", _flat(row)


def _of_json(path: Path, draft: Draft) -> Iterator[Sample]:
    for number, row in enumerate(_rows(json_in(path), path), start=1):
        where = f"{named(path)}, sample {number}"
        if isinstance(row, Mapping):
            yield where, _flat(row)
        else:
            message = f"{where} is {show(row)}, not an object; it is left out: correct it."
            draft.problems.append(Problem(None, message))


def _rows(content: object, path: Path) -> Sequence[object]:
    """Return the samples of a list, of an object that holds one, or of columns side by side."""
    if isinstance(content, list):
        return content
    if isinstance(content, Mapping):
        for name in _LISTS:
            if isinstance(content.get(name), list):
                return list(content[name])
        columns = {name: values for name, values in content.items() if isinstance(values, list)}
        if any(name in columns for name in QUESTION) and len({len(values) for values in columns.values()}) == 1:
            return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    raise DatasetError(f"{named(path)} holds {show(content)}, not a list of samples; {_WANTED}: name another file.")


def _flat(row: Mapping[str, object]) -> Mapping[str, object]:
    """Return a sample's own fields: a test set's may stand within `eval_sample`."""
    inner = row.get("eval_sample")
    return {**row, **inner} if isinstance(inner, Mapping) else row


def _asked(sample: Sample, text: str, contexts: str, answer: str, draft: Draft) -> Asked | None:
    where, row = sample
    question = row.get(text)
    found = texts_in(row.get(contexts))
    wrong = ""
    if isinstance(question, list):
        wrong = f"'{text}' is a conversation, and only single questions can be asked"
    elif not isinstance(question, str) or not question.strip():
        wrong = f"'{text}' must be text, but is {show(question)}"
    elif found is None:
        wrong = f"'{contexts}' must be a list of texts, but is {show(row.get(contexts))}"
    if wrong or found is None:
        draft.problems.append(Problem(None, f"{where}: {wrong}; it is left out: correct it."))
        return None
    tags = tuple(dict.fromkeys(clean(str(row[name])) for name in TAGS if isinstance(row.get(name), str) and row[name]))
    texts = tuple(clean(_HOP.sub("", context)) for context in found)
    return Asked(clean(str(question)).strip(), reference_text(row.get(answer)), texts, tags)
