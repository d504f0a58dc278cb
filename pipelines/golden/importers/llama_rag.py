"""llama-rag: the JSON of llama-index's LabelledRagDataset, with its source documents where they are beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.errors import DatasetError, did_you_mean, shorten
from pipelines.golden.importers import Draft, Problem, importer
from pipelines.golden.importers.contexts import Asked, add_questions, json_in, reference_text
from pipelines.stages.load.files import holds
from pipelines.stages.load.reading import clean, named, show

_WANTED = "a LabelledRagDataset is JSON with examples, each with query, reference_contexts and reference_answer"
_FILE = "rag_dataset.json"


@importer("llama-rag", "a LabelledRagDataset's JSON, or the folder with it and 'source_files'")
def read(src: Path) -> Draft:
    """Read the file: contexts are anchored in the source documents beside it, or become documents themselves."""
    path = _file(src)
    draft = Draft(
        description="Questions with reference contexts and answers.", source=f"LabelledRagDataset, {path.name}"
    )
    examples = _examples(path)
    asked = [one for number, example in enumerate(examples, start=1) if (one := _asked(example, number, path, draft))]
    add_questions(draft, asked, path.parent)
    return draft


def _file(src: Path) -> Path:
    """Return the JSON file: `src`, `rag_dataset.json` in it, or the only one there."""
    if not src.is_dir():
        return src
    files = sorted(path for path in src.glob("*.json") if path.is_file())
    chosen = [path for path in files if path.name == _FILE] or files
    if len(chosen) == 1:
        return chosen[0]
    what = f"{len(chosen)} JSON files" if chosen else "no JSON file"
    raise DatasetError(f"{named(src)} holds {what} ({holds(src)}); {_WANTED}: name the file.")


def _examples(path: Path) -> Sequence[object]:
    content = json_in(path)
    examples = content.get("examples") if isinstance(content, Mapping) else None
    if not isinstance(examples, list):
        found = (
            f"an object with {shorten(', '.join(map(str, content)), 60)}"
            if isinstance(content, Mapping)
            else show(content)
        )
        guess = did_you_mean("examples", map(str, content)) if isinstance(content, Mapping) else ""
        raise DatasetError(f"{named(path)} holds {found}, not examples; {_WANTED}: name another file.{guess}")
    if not examples:
        raise DatasetError(f"{named(path)} has no examples; {_WANTED}: name another file.")
    return examples


def _asked(example: object, number: int, path: Path, draft: Draft) -> Asked | None:
    """Return one example, None for one that is none, which is a problem."""
    wrong = _wrong(example)
    if wrong or not isinstance(example, Mapping):
        message = f"{named(path)}, example {number}: {wrong}; it is left out: correct it."
        draft.problems.append(Problem(None, message))
        return None
    contexts = tuple(clean(context) for context in example.get("reference_contexts") or ())
    return Asked(clean(example["query"]).strip(), reference_text(example.get("reference_answer")), contexts)


def _wrong(example: object) -> str:
    """Say what keeps an example from being one, "" where nothing does."""
    if not isinstance(example, Mapping):
        return f"it is {show(example)}, not an object"
    query, contexts = example.get("query"), example.get("reference_contexts")
    if not isinstance(query, str) or not query.strip():
        return f"'query' must be text, but is {show(query)}"
    if contexts is not None and not (isinstance(contexts, list) and all(isinstance(c, str) for c in contexts)):
        return f"'reference_contexts' must be a list of texts, but is {show(contexts)}"
    return ""
