"""The verb of losses; `api` offers it beside its own."""

from __future__ import annotations

from pipelines.errors import NotFoundError, WorkbenchError, shorten
from pipelines.kept import KeptRun
from pipelines.losses.behind import Behind, LostEvidence, LostQuestion, Texts
from pipelines.losses.report import Bar, Losses, chosen_cut, cut_name
from pipelines.runs.record import Details, Run
from pipelines.verbs.home import cache, store

__all__ = ["Bar", "Losses", "LostEvidence", "LostQuestion", "cut_name", "losses"]


def losses(reference: str, cut: str = "recall@5") -> Losses:
    """Return where a run, by id or name, lost evidence: `cut` is a number of chunks (5) or of tokens (2000tok).

    Raises:
        NotFoundError: when there is no such run, or losses were not measured in it.
        ConfigurationError: for a cut at which the run was not measured.
    """
    run = store().get(reference)
    kept = store().details(run.id)
    if run.losses is None or kept.fates is None:
        raise NotFoundError(
            f"Where evidence was lost was not measured in run '{shorten(run.name)}', which an earlier version of the "
            "workbench made; evaluate it again to see that."
        )
    chosen, (texts, note) = chosen_cut(cut, tuple(run.losses)), _texts(run, kept)
    return Losses(
        run.id, run.name, chosen, run.losses, run.settings, note, Behind(kept.question_ids, kept.fates, texts)
    )


def _texts(run: Run, kept: Details) -> tuple[Texts, str | None]:
    """Return the questions and, where evidence lacks its quote, the documents; or why there are none."""
    try:
        opened = KeptRun.open(run, kept, cache())
        questions = {question.id: question for question in opened.questions}
        bare = any(item.quote is None and item.grade > 0 for q in opened.questions for item in q.evidence)
        documents = dict(zip(opened.documents.ids, opened.documents.texts, strict=True)) if bare else {}
        return Texts(questions, documents), None
    except WorkbenchError as error:
        return Texts({}, {}), str(error)
