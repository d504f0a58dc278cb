"""How a language model is asked within an execution to write questions on passages."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.execution import Execution
from pipelines.planning.chatting import asker
from pipelines.records import Chunks, Documents, Paid
from pipelines.records.pairs import Written
from pipelines.training.writing import WriterKnobs, writing_prompt


def asked_on(
    run: Execution,
    writer: WriterKnobs,
    documents: Documents,
    chunks: Chunks,
    texts: Sequence[str],
    rows: Sequence[int],
) -> Paid[tuple[Written, ...]]:
    """Return the answers on each passage, and what they took."""
    titles = documents.columns.get("title")
    named = ["" if titles is None else str(titles[int(chunks.document[row])] or "") for row in rows]
    prompts = [writing_prompt(texts[row], title) for row, title in zip(rows, named, strict=True)]
    ask = asker(run, writer, "embed")
    answers = ask(prompts, range(len(rows)))
    spent = ask.spent(len(rows))
    run.note(spent.told(writer.model))
    return Paid(tuple(Written(text, row) for text, row in zip(answers, rows, strict=True)), spent)
