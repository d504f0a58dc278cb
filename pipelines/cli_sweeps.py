"""The commands of sweeps and of work that goes on by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines import api
from pipelines.errors import ConfigurationError
from pipelines.runs.jobs import Job
from pipelines.terminal.options import CsvOption, DatasetOption, JsonOption
from pipelines.terminal.output import console, grid, say, writable, write_json, write_text
from pipelines.terminal.progress import cancelling, follow
from pipelines.terminal.sweeps import (
    described_estimate,
    described_report,
    described_standing,
    effects_grid,
    estimate_grid,
    left_unshown,
    sweeps_grid,
    trials_grid,
)

_DEFAULT = "dev, else all"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (sweep, sweeps, jobs, pause, resume, cancel):
        app.command()(command)


def sweep(
    settings: Annotated[
        Path, typer.Argument(metavar="SWEEP.yaml", help="A pipeline with lists and ranges, and search")
    ],
    dataset: DatasetOption,
    split: Annotated[str, typer.Option(help="Questions to choose on: train, dev, test or all")] = _DEFAULT,
    name: Annotated[str | None, typer.Option(help="What to call the sweep; by default the file's name")] = None,
    workers: Annotated[int, typer.Option(help="Worker processes that share the work")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would cost, and do nothing")] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Do not wait: 'sweeps' and 'jobs' tell how it stands")
    ] = False,
    reuse: Annotated[
        bool, typer.Option("--reuse", help="Show the sweep that is there already, if there is one")
    ] = False,
    csv: CsvOption = None,
    json: JsonOption = None,
) -> None:
    """Evaluate every configuration of a search space, choose on dev, report on test."""
    writable(csv, json)
    if name is not None and not name.strip():
        raise ConfigurationError("--name is empty; give the sweep a name, or leave --name out: it is then its file's.")
    spec, opened = api.SweepSpec.read(settings), api.open_dataset(dataset)
    chosen = _split(split, opened)
    if dry_run:
        _plan(api.preflight(spec, opened, split=chosen, workers=workers), json)
        return
    submitted: list[Job] = []
    with cancelling(submitted):
        called = name or settings.stem
        job = api.run_sweep(spec, opened, split=chosen, name=called, workers=workers, again=not reuse)
        submitted.append(job)
        if detach:
            say(f"Job {job.id} goes on by itself; see: rag-workbench sweeps")
            return
        (sweep_id,) = follow(submitted)
    _show(sweep_id, csv, json)


def _split(split: str, dataset: Any) -> str | None:
    if split == _DEFAULT:
        return api.default_split(dataset)
    return None if split == "all" else split


def _plan(estimate: api.Estimate, json: str | None) -> None:
    if json is not None:
        write_json(json, estimate.to_dict())
    if json != "-":
        for line in described_estimate(estimate):
            say(line)
        console().print(estimate_grid(estimate))


def sweeps(
    reference: Annotated[
        str | None, typer.Argument(metavar="[SWEEP]", help="A sweep's id or name: show this one")
    ] = None,
    csv: CsvOption = None,
    json: JsonOption = None,
    study: Annotated[Path | None, typer.Option("--study", help="Write its study for Optuna's dashboard here")] = None,
) -> None:
    """List the sweeps, newest first; or show one: its choice, its effects, its configurations."""
    writable(csv, json)
    if reference is None:
        if csv or json or study:
            raise ConfigurationError("--csv, --json and --study show one sweep; name it: rag-workbench sweeps SWEEP.")
        views = api.sweeps()
        say("There are no sweeps yet; start with: rag-workbench sweep SWEEP.yaml --dataset D") if not views else None
        console().print(sweeps_grid(views)) if views else None
        return
    if study is not None:
        say(f"Open it with: optuna-dashboard {api.write_study(reference, study)} --host 127.0.0.1")
    _show(reference, csv, json)


def _show(reference: str, csv: str | None, json: str | None) -> None:
    view = api.sweep(reference)
    table = api.sweep_table(view)
    if csv is not None:
        write_text(csv, table.to_csv())
    if json is not None:
        write_json(json, api.sweep_json(view))
    if "-" in (csv, json):
        return
    report = view.sweep.report
    say(f"Sweep {view.sweep.id} '{view.sweep.name}' on {view.sweep.dataset_name} ({view.sweep.split})")
    say(described_standing(view))
    for line in described_report(view):
        say(line)
    if table.rows:
        console().print(trials_grid(table, report))
        for line in left_unshown(table):
            say(line)
    if report and report.get("effects"):
        say("\nWhat each knob was worth, best level against worst, all else equal:")
        console().print(effects_grid(report))
    if report and report.get("importance"):
        say("\nHow much each knob mattered for reaching the best tenth (Optuna's PED-ANOVA, shares of 1):")
        say(", ".join(f"{knob} {share:.2f}" for knob, share in report["importance"].items()))


def jobs(
    job_id: Annotated[str | None, typer.Argument(metavar="[JOB]", help="Show this job's log")] = None,
) -> None:
    """List the latest jobs, or show the log of one."""
    if job_id is not None:
        for at, text in api.job_log(_job(job_id).id):
            say(f"{datetime.fromtimestamp(at, UTC).isoformat(timespec='seconds')}  {text}")
        return
    rows = [[job.id, job.state, job.kind, job.title, _progress(job)] for job in api.recent_jobs()]
    console().print(grid(["job", "state", "kind", "what", "progress"], rows, numbers_from=9))


def _progress(job: Job) -> str:
    now = job.progress
    if not job.active and job.state != "paused":
        return ""
    if "trials_total" in now:
        return f"{now['trials_done']} of {now['trials_total']} configurations"
    return f"{now.get('stage', '')} {now.get('done', '')}".strip()


def _job(reference: str) -> Job:
    """Return the job of this id, or the job of a sweep by the sweep's id or name."""
    known = [job for job in api.recent_jobs(1000) if job.id == reference]
    return known[0] if known else api.sweep(reference).job


def pause(reference: Annotated[str, typer.Argument(metavar="JOB", help="A job's id, or a sweep's id or name")]) -> None:
    """Let a job stand still within seconds; finished work is kept."""
    job = _open_job(reference)
    if job is not None and job.state != "paused":
        job = api.pause(job.id)
        say(f"Job {job.id} pauses; go on with: rag-workbench resume {reference}")


def resume(
    reference: Annotated[str, typer.Argument(metavar="JOB", help="A job's id, or a sweep's id or name")],
) -> None:
    """Let a paused job go on."""
    job = _open_job(reference)
    if job is not None:
        say(f"Job {job.id} is {api.resume(job.id).state}.")


def cancel(
    reference: Annotated[str, typer.Argument(metavar="JOB", help="A job's id, or a sweep's id or name")],
) -> None:
    """Stop a job within seconds; finished work is kept."""
    job = _open_job(reference)
    if job is not None:
        say(f"Job {api.cancel(job.id).id} stops; finished work is kept.")


def _open_job(reference: str) -> Job | None:
    """Return the job; None, having said so, when it has ended or stands still already and cannot be disturbed."""
    job = _job(reference)
    if job.active or job.state == "paused":
        return job
    say(f"Job {job.id} has {job.state if job.state != 'cancelled' else 'been cancelled'} already; nothing was changed.")
    return None
