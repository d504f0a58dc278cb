"""The commands of finetuning: train and report, the learning curve, the list, the export of a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines import api
from pipelines.errors import ConfigurationError, shorten
from pipelines.runs.jobs import Job
from pipelines.terminal.finetune import (
    described_estimate,
    described_gains,
    finetunings_grid,
    gains_csv,
    gains_grid,
    moved_grid,
    trainings_estimate_grid,
    trainings_grid,
)
from pipelines.terminal.learning_curve import curve_csv, curve_grid, described_curve, not_drawn
from pipelines.terminal.options import CsvOption, DatasetOption, JsonOption
from pipelines.terminal.output import console, say, writable, write_json, write_text
from pipelines.terminal.progress import cancelling, follow
from pipelines.terminal.training import training_lines

SpecArgument = Annotated[
    Path, typer.Argument(metavar="SPEC.yaml", help="A pipeline that learns, and 'finetune: {split, outside, baseline}'")
]
NameOption = Annotated[str | None, typer.Option(help="What to call it; by default the file's name")]
ReuseOption = Annotated[bool, typer.Option("--reuse", help="Show the one that is there already, if there is one")]
DetachOption = Annotated[
    bool, typer.Option("--detach", help="Do not wait: 'finetunings' and 'jobs' tell how it stands")
]
_SHARES = "0.25,0.5,0.75,1"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (finetune, learning_curve, finetunings, export_model):
        app.command()(command)


def finetune(
    spec: SpecArgument,
    dataset: DatasetOption,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be learnt from and what it costs, and do nothing")
    ] = False,
    name: NameOption = None,
    detach: DetachOption = False,
    reuse: ReuseOption = False,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="DIR", help="Write the chosen model to this folder")
    ] = None,
    csv: CsvOption = None,
    json: JsonOption = None,
) -> None:
    """Train on the train split, and report before and after on test: on seen and unseen documents, and outside."""
    writable(csv, json)
    if detach and export is not None:
        raise ConfigurationError(
            "--export needs the trained model, for which --detach does not wait; give one of them."
        )
    _refuse_filled(export)
    asked, opened = api.FinetuneSpec.read(spec), api.open_dataset(dataset)
    if dry_run:
        _plan(api.finetune_estimate(asked, opened), json)
        return
    submitted: list[Job] = []
    with cancelling(submitted):
        submitted.append(api.finetune(asked, opened, name=_named(name, spec), again=not reuse))
        if detach:
            _say_detached(submitted[0])
            return
        (found,) = follow(submitted, training_lines)
    _show(found, csv, json)
    if export is not None:
        _export(found, export, None, quiet="-" in (csv, json))


def learning_curve(
    spec: SpecArgument,
    dataset: DatasetOption,
    shares: Annotated[str, typer.Option(help="Shares of the train questions that are learnt from")] = _SHARES,
    seeds: Annotated[int, typer.Option(help="Draws of each share; their mean is told")] = 1,
    name: NameOption = None,
    detach: DetachOption = False,
    reuse: ReuseOption = False,
    csv: CsvOption = None,
    json: JsonOption = None,
) -> None:
    """Show the gain against the number of training pairs: is it worth labelling more?"""
    writable(csv, json)
    asked, opened = api.FinetuneSpec.read(spec), api.open_dataset(dataset)
    called = name or f"{_named(name, spec)}, learning curve"
    submitted: list[Job] = []
    with cancelling(submitted):
        submitted.append(
            api.learning_curve(asked, opened, shares=_numbers(shares), seeds=seeds, name=called, again=not reuse)
        )
        if detach:
            _say_detached(submitted[0])
            return
        (found,) = follow(submitted, training_lines)
    _show(found, csv, json)


def finetunings(
    reference: Annotated[
        str | None, typer.Argument(metavar="[FINETUNING]", help="A finetuning's id or name: show this one")
    ] = None,
    csv: CsvOption = None,
    json: JsonOption = None,
) -> None:
    """List the finetunings and learning curves, newest first; or show one."""
    writable(csv, json)
    if reference is not None:
        _show(reference, csv, json)
        return
    if csv or json:
        raise ConfigurationError("--csv and --json show one finetuning; name it: rag-workbench finetunings NAME.")
    views = api.finetunings()
    if not views:
        say("There are no finetunings yet; start with: rag-workbench finetune SPEC.yaml --dataset D")
        return
    console().print(finetunings_grid(views))


def export_model(
    reference: Annotated[
        str, typer.Argument(metavar="RUN_OR_FINETUNING", help="Whose model; of a finetuning the chosen one")
    ],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder to write")],
    label: Annotated[str | None, typer.Option(help="Another of a finetuning's models, as its report calls it")] = None,
) -> None:
    """Write a trained model as a folder that loads without this project, with a card that says what it is worth."""
    _refuse_filled(to)
    _export(reference, to, label, quiet=False)


def _export(reference: str, to: Path, label: str | None, *, quiet: bool) -> None:
    for folder in api.export_model(reference, to, label):
        if not quiet:
            say(f"The model is in {folder}.")


def _plan(estimate: api.FinetuneEstimate, json: str | None) -> None:
    if json is not None:
        write_json(json, estimate.to_dict())
    if json != "-":
        for line in described_estimate(estimate):
            say(line)
        console().print(trainings_estimate_grid(estimate))


def _show(reference: str, csv: str | None, json: str | None) -> None:
    view = api.finetuning(reference)
    one, report = view.finetuning, view.report
    curve = report is not None and report["kind"] == "learning curve"
    if csv is not None and report is not None:
        write_text(csv, curve_csv(report) if curve else gains_csv(report))
    if json is not None:
        write_json(json, api.finetuning_json(view))
    if "-" in (csv, json):
        return
    say(f"Finetuning {one.id} '{one.name}' on {one.dataset_name} ({one.split}): {view.state}")
    if report is None:
        say(view.job.error or "It has no report yet; 'rag-workbench jobs' tells how far it is.")
    elif curve:
        _print_curve(report)
    else:
        _print_gains(report)


def _print_gains(report: api.Report) -> None:
    lines = described_gains(report)
    for line in lines.before:
        say(line)
    console().print(trainings_grid(report))
    for candidate in report["candidates"]:
        say(f"\n{candidate['label']}, against {candidate['baseline']}:")
        if candidate["error"] is None:
            console().print(gains_grid(candidate))
        for line in lines.of(candidate):
            say(line)
        if candidate["rose"] or candidate["fell"]:
            say("The questions whose first relevant chunk changed its rank most:")
            console().print(moved_grid(candidate))
    if len(report["candidates"]) > 1:
        say(f"\n{report['sentence']}")


def _print_curve(report: api.Report) -> None:
    for line in described_curve(report):
        say(line)
    console().print(curve_grid(report))
    for line in not_drawn(report):
        say(line)
    say(report["sentence"])


def _say_detached(job: Job) -> None:
    say(f"Job {job.id} goes on by itself; see: rag-workbench finetunings {job.id}")


def _named(name: str | None, spec: Path) -> str:
    if name is not None and not name.strip():
        raise ConfigurationError("--name is empty; give a name, or leave --name out: it is then that of the file.")
    return name or spec.stem


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise ConfigurationError(
            f"--shares takes numbers separated by commas, such as {_SHARES}, but got '{shorten(text)}'."
        ) from error


def _refuse_filled(folder: Path | None) -> None:
    if folder is not None and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(f"{folder} is there already and not empty; name a new folder for the model.")
