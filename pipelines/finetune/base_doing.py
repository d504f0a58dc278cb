"""How a worker compares base models: each is measured in a process of its own, evaluated, held against the first."""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipelines.errors import Cancelled, StorageError, WorkbenchError, counted, shorten
from pipelines.finetune.base_facts import NO_FOLDER, NO_LICENCE, Facts, facts, folder_of
from pipelines.finetune.base_models import MODELS, read_rows, write_rows
from pipelines.finetune.base_names import Named
from pipelines.finetune.base_paired import compared
from pipelines.finetune.base_probe import MOST_TEXTS, Probed, probed
from pipelines.finetune.base_row import ModelRow
from pipelines.finetune.bench import Bench
from pipelines.golden.dataset import Dataset
from pipelines.models.weights import minilm_folder, model_folder
from pipelines.pipeline import Pipeline
from pipelines.planning.by_text import work_name
from pipelines.planning.plan import Plan, plan
from pipelines.runs.database import Database
from pipelines.runs.doing import opened_as_submitted
from pipelines.runs.heart import Heart
from pipelines.runs.jobs import Job
from pipelines.sweeps.batch import On

__all__ = ["MODELS", "do_models"]

_SEED = 0
_UNMEASURED = "nothing was embedded yet that tells; a corpus that is embedded for the first time does"
_log = logging.getLogger("rag_workbench.worker")


def do_models(job: Job, heart: Heart, database: Database, worker: str) -> str:
    """Do a comparison of base models, and return its job's id; the rows of before a crash stand."""
    asked = job.payload
    dataset = opened_as_submitted(asked["dataset"], asked["version"])
    bench = Bench(database, worker, heart, job.id)
    models = [Named(**one) for one in asked["models"]]
    rows = [dict(row) for row in read_rows(job.id).get("rows", ())]
    for number, one in enumerate(models[len(rows) :], start=len(rows)):
        heart.tell(model=one.label, model_number=number + 1, models_total=len(models), stage="embed", done=0, total=0)
        rows.append(_row(bench, one, dataset, asked))
        write_rows(job.id, *compared(bench, rows, asked["metrics"]))
        heart.advanced()
        bench.say(f"{one.label}: {rows[-1]['error'] or 'done'}")
    return job.id


def _row(bench: Bench, one: Named, dataset: Dataset, asked: Mapping[str, Any]) -> dict[str, Any]:
    row = ModelRow(one.label, asked["metrics"])
    if one.settings is None:
        return row.refused(one.error or "")
    try:
        _Model(bench, one.label, one.settings, On(dataset, asked["split"]), asked["pipeline"]).enter(row)
    except (Cancelled, StorageError):
        raise
    except WorkbenchError as error:
        return row.refused(str(error))
    except Exception as error:
        _log.exception("model %s", one.label)
        why = f"{type(error).__name__}: {shorten(error, 120).rstrip('.')}"
        return row.refused(f"The model cannot be computed ({why}).")
    return row.done()


@dataclass(frozen=True)
class _Model:
    """One model on the questions of a dataset."""

    bench: Bench
    label: str
    settings: Mapping[str, Any]
    on: On
    stages: Mapping[str, Any]

    @cached_property
    def pipeline(self) -> Pipeline:
        """The pipeline that is evaluated."""
        return Pipeline.parse({**self.stages, "embed": self.settings}, f"model '{self.label}'")

    @cached_property
    def plan(self) -> Plan:
        """Its stage executions."""
        return plan(self.pipeline, self.on.dataset, self.on.questions())

    def enter(self, row: ModelRow) -> None:
        """Enter what there is to be told: first what needs no work, so that a model that fails has it too."""
        run, embedder = self.bench.execution(), self.pipeline.embed
        row.set("usd_per_million_tokens", *self._price())
        fitted = None if self.plan.fitted is None else run.get(self.plan.fitted)
        texts = run.get(self.plan.embedded_texts)
        found = self._facts(fitted)
        self._enter_facts(row, found)
        if found is not None:
            self._measure(row, found, fitted, _sample(texts))
        self._evaluate(row)
        row.set("dimensions", int(run.get(self.plan.vectors).shape[1]))
        if found is None:
            row.set("max_tokens", getattr(embedder, "max_tokens", None))
            self._enter_kept_pace(row, sum(map(len, texts)) / max(1, len(texts)))

    def _price(self) -> tuple[float | None, str]:
        if hasattr(self.pipeline.embed, "usd_per_million_tokens"):
            return self.pipeline.embed.usd_per_million_tokens, "usd_per_million_tokens is not set"
        return None, "it is computed here"

    def _facts(self, fitted: Path | None) -> Facts | None:
        folder = folder_of(self.pipeline.embed, fitted)
        if folder is None:
            return None
        model = str(self.settings.get("model", ""))
        distilled = self.pipeline.embed.name == "static"
        teacher = minilm_folder() if model == "all-MiniLM-L6-v2" else model_folder(model)
        return facts(folder, teacher if distilled else folder)

    def _enter_facts(self, row: ModelRow, found: Facts | None) -> None:
        if found is None:
            for name in ("parameters", "disk_bytes", "licence", "memory_bytes", "memory_from"):
                row.set(name, None, NO_FOLDER)
            return
        row.set("parameters", found.parameters)
        row.set("disk_bytes", found.disk_bytes)
        row.set("licence", found.licence, NO_LICENCE)

    def _measure(self, row: ModelRow, found: Facts, fitted: Path | None, texts: Sequence[str]) -> None:
        """Enter what a process of its own measures; where that fails, the model is not loaded here either."""
        row.set("memory_bytes", found.estimated_memory)
        row.set("memory_from", "estimated from the size of its weights")
        self.bench.heart.tell(stage="measure", done=0, total=0)
        measured = probed(self.settings, fitted, texts, self.bench.heart.look_up)
        row.set("memory_bytes", measured.memory_bytes)
        row.set("memory_from", "measured")
        row.set("max_tokens", measured.max_tokens, "it reads texts of any length")
        row.set("texts_per_second", measured.texts_per_second)
        row.set("speed_from", _speed_from(measured, texts))
        if measured.gpu_bytes is not None:
            row.notes.append(f"It held {measured.gpu_bytes / 1e6:,.0f} MB on the GPU besides.")

    def _evaluate(self, row: ModelRow) -> None:
        run_id = self.bench.evaluated(self.pipeline, self.on, f"{self.label}, as a base")
        done = self.bench.runs.get(run_id)
        row.set("run", run_id)
        row.notes += done.notes
        for metric in row.metrics:
            measured = done.measured(metric)
            why = f"the pipeline scores no {metric}" if measured is None else measured.reason
            for part in ("mean", "low", "high", "n"):
                name = metric if part == "mean" else f"{metric} {part}"
                row.set(name, getattr(measured, part, None), why)

    def _enter_kept_pace(self, row: ModelRow, mean_chars: float) -> None:
        """Enter how fast an endpoint was: of the calls that were made anyway, for a measurement costs money."""
        pace = self.bench.rates.seconds_a_unit().get(work_name(self.pipeline.embed))
        rate = None if not pace or not mean_chars else 1.0 / (pace * mean_chars)
        row.set("texts_per_second", rate, _UNMEASURED)
        told = f"the calls so far, at the mean length of these chunks, {mean_chars:,.0f} characters"
        row.set("speed_from", None if rate is None else told, _UNMEASURED)


def _sample(texts: Sequence[str]) -> list[str]:
    """Return some of the distinct texts, drawn at random."""
    distinct = list(dict.fromkeys(texts))
    return random.Random(_SEED).sample(distinct, min(MOST_TEXTS, len(distinct)))  # noqa: S311


def _speed_from(measured: Probed, texts: Sequence[str]) -> str:
    mean = sum(map(len, texts)) / max(1, len(texts))
    often = "" if measured.passes == 1 else f" {measured.passes} times"
    return (
        f"{counted(measured.n_texts, 'chunk')} of this dataset, of {mean:,.0f} characters on average, embedded{often} "
        f"in {measured.seconds:.1f} s, {counted(measured.threads, 'thread')}, loading aside"
    )
