"""llama-rag: rag_dataset.json as llama-index's LabelledRagDataset reads it, with the documents as text files."""

from __future__ import annotations

import json

from pipelines.golden.exporters import Content, Written, exporter
from pipelines.golden.naming import slug
from pipelines.stages.load.reading import clean

_BY = {"model_name": "", "type": "human"}


@exporter("llama-rag", "rag_dataset.json and the documents as text files below source_files/")
def write(content: Content) -> Written:
    """Write an example a question; its contexts are the quotes of the relevant evidence."""
    examples = [
        {
            "query": question.text,
            "query_by": _BY,
            "reference_contexts": [content.quote(item) for item in question.evidence if item.grade > 0],
            "reference_answer": question.answer or "",
            "reference_answer_by": _BY,
        }
        for question in content.questions
    ]
    text = clean(json.dumps({"examples": examples}, ensure_ascii=False, indent=2)) + "\n"
    files = {"rag_dataset.json": text, **source_files(content, "source_files")}
    return Written(files, len(content.documents), lost_by(content))


def source_files(content: Content, folder: str) -> dict[str, str]:
    """Return each document's text by a path below `folder`, called after its id."""
    files: dict[str, str] = {}
    for name, text in zip(content.documents.ids, content.documents.texts, strict=True):
        path, number = f"{folder}/{slug(name)}.txt", 2
        while path in files:
            path, number = f"{folder}/{slug(name)}-{number}.txt", number + 1
        files[path] = clean(text)
    return files


def lost_by(content: Content) -> tuple[str, ...]:
    """Say what such a format cannot hold."""
    notices = ["Splits, tags, filters, grades, groups and the documents' metadata are not part of this format."]
    none = sum(not question.answerable for question in content.questions)
    if none:
        notices.append(f"Questions without evidence have no context (n: {none:,}).")
    return tuple(notices)
