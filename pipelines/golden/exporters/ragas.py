"""ragas: testset.jsonl as Ragas' EvaluationDataset reads it, with the documents as text files."""

from __future__ import annotations

from pipelines.golden.exporters import Content, Written, exporter
from pipelines.golden.exporters.llama_rag import lost_by, source_files
from pipelines.golden.serialise import json_rows


@exporter("ragas", "testset.jsonl and the documents as text files below documents/")
def write(content: Content) -> Written:
    """Write a sample a question; its reference contexts are the quotes of the relevant evidence."""
    rows = [
        {
            "user_input": question.text,
            "reference_contexts": [content.quote(item) for item in question.evidence if item.grade > 0],
            "reference": question.answer or "",
        }
        for question in content.questions
    ]
    return Written(
        {"testset.jsonl": json_rows(rows), **source_files(content, "documents")},
        len(content.documents),
        lost_by(content),
    )
