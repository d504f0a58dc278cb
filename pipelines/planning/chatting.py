"""How a stage's component asks its language model within an execution: through the answers that the store keeps."""

from __future__ import annotations

from pathlib import Path

from pipelines.cache import Cache
from pipelines.execution import Execution
from pipelines.models.chat_answers import Asker
from pipelines.models.chat_knobs import ChatKnobs


def answers_folder(cache: Cache) -> Path:
    """Return where the answers of language models are kept."""
    return cache.root / "answers"


def asker(run: Execution, knobs: ChatKnobs, stage: str) -> Asker:
    """Return what a component of `stage` asks through; its pace is noted as that of its model."""
    return Asker(
        knobs,
        answers_folder(run.cache),
        # Asked for only when something is told: an execution may refuse work that is reported, but not a look-up.
        lambda done, total: run.progress(stage)(done, total),
        run.cache.on_damage,
        lambda n, seconds: run.on_worked(chat_work(knobs), n, seconds),
        run.note,
    )


def chat_work(knobs: ChatKnobs) -> str:
    """Return what the pace of a model's answers is kept under, answers a second."""
    return f"chat {knobs.endpoint} {knobs.model}"[:200]
