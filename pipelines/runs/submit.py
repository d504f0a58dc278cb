"""Ask for an evaluation: everything is checked first, then it is entered in the job table, once."""

from __future__ import annotations

from pipelines.component import digest
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline
from pipelines.runs.jobs import Job, Jobs
from pipelines.runs.versions import versions

EVALUATE = "evaluate"


def submit_evaluation(
    jobs: Jobs,
    pipeline: Pipeline,
    dataset: Dataset,
    *,
    split: str | None = None,
    name: str | None = None,
    seed: int = 0,
    again: bool = True,
) -> Job:
    """Enter the evaluation, or return the job that already waits or runs for the same thing.

    With `again` false a finished one counts too, so that impatient clicks make one run.

    Raises:
        WorkbenchError: when the split has no questions, or a component cannot work here (no such device or model).
    """
    dataset.select(split)
    fingerprints = {stage: component.fingerprint() for stage, component in pipeline.components.items()}
    payload = {
        "dataset": str(dataset.path.resolve()),
        "version": dataset.version,
        "pipeline": pipeline.settings(),
        "split": split,
        "name": name,
        "seed": seed,
    }
    identity = digest([payload, fingerprints, versions().code])
    title = f"{name or pipeline.label()} on {dataset.name}" + (f" ({split})" if split else "")
    return jobs.submit(EVALUATE, identity, title, payload, again=again)
