"""The commands of slices, judging, splits and other formats of golden sets."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from pipelines import api
from pipelines.errors import ConfigurationError
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline
from pipelines.runs.jobs import Job
from pipelines.stages.load import read_text
from pipelines.terminal.golden import described_holes, described_slices, holes_grid, slices_grid, splits_grid
from pipelines.terminal.judging import judge_here
from pipelines.terminal.options import CsvOption, JsonOption
from pipelines.terminal.output import console, say, writable, write_json, write_text
from pipelines.terminal.progress import cancelling, follow


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (slices, holes, judge, export_dataset, split):
        app.command()(command)


def slices(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's id or name")],
    baseline: Annotated[str | None, typer.Option(help="Compare with this run, slice by slice")] = None,
    metric: Annotated[str, typer.Option(help="Metrics, separated by commas, or: all")] = "recall@5",
    by: Annotated[
        str | None,
        typer.Option(help="Only this way: tag, length, evidence, answerable, split, filter, or a metadata field"),
    ] = None,
    csv: CsvOption = None,
    json: JsonOption = None,
) -> None:
    """Show metrics by kinds of questions, and where a run that is better overall is worse."""
    writable(csv, json)
    names = None if metric == "all" else [name.strip() for name in metric.split(",") if name.strip()]
    report = api.slices(run, baseline, names, by)
    if csv is not None:
        write_text(csv, report.table().to_csv())
    if json is not None:
        write_json(json, report.to_dict())
    if "-" in (csv, json):
        return
    against = f" against '{report.baseline_name}'" if report.baseline_name else ""
    say(f"Run '{report.run_name}'{against} on {report.dataset_name} ({report.split}), {report.n_questions} questions:")
    console().print(slices_grid(report))
    for line in described_slices(report):
        say(line)


def holes(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's id or name")],
    csv: CsvOption = None,
    json: JsonOption = None,
) -> None:
    """Show how much of what a run retrieved nobody judged, and what that could make of its metrics."""
    writable(csv, json)
    found = api.label_holes(run)
    if csv is not None:
        write_text(csv, found.table().to_csv())
    if json is not None:
        write_json(json, found.to_dict())
    if "-" in (csv, json):
        return
    console().print(holes_grid(found))
    for line in described_holes(found):
        say(line)


def judge(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Runs whose chunks are pooled, by id or name")],
    dataset: Annotated[
        str | None, typer.Option("--dataset", "-d", help="The dataset to judge for; by default that of the runs")
    ] = None,
    judge: Annotated[str | None, typer.Option(help="Your name; by default that of your account")] = None,
    depth: Annotated[int, typer.Option(min=1, max=1000, help="Ranks of each run that are pooled")] = 10,
    again: Annotated[bool, typer.Option("--again", help="Ask for what others judged too: a second opinion")] = False,
    export: Annotated[str | None, typer.Option(help="Write what is to be judged to this CSV file")] = None,
    filled: Annotated[Path | None, typer.Option("--import", help="Read judgements from this filled CSV file")] = None,
    publish: Annotated[
        str | None, typer.Option(help="Write what was judged to a new dataset: a folder, or a name")
    ] = None,
    in_place: Annotated[
        bool, typer.Option("--publish-in-place", help="Write it to the dataset itself; the old questions are kept")
    ] = False,
    rescore: Annotated[bool, typer.Option("--rescore", help="Then evaluate the runs on the new version")] = False,
) -> None:
    """Judge what runs retrieved and nobody has judged yet: here, or in a spreadsheet; then publish it."""
    if publish is not None and in_place:
        raise ConfigurationError("--publish and --publish-in-place exclude one another; give one of them.")
    if rescore and publish is None and not in_place:
        raise ConfigurationError("--rescore evaluates on a new version; give --publish or --publish-in-place too.")
    writable(export)
    who = judge or getpass.getuser()
    opened = api.open_dataset(dataset) if dataset else api.dataset_of(api.run(runs[0]))
    _refuse_other(runs[0], opened)
    if filled is not None:
        _import(opened, filled, who)
    elif export is not None:
        queue = api.judging_queue(runs, who, depth, again)
        write_text(export, api.judging_csv(queue, who))
        say(f"{len(queue.items):,} passages of {queue.n_questions:,} questions to judge.") if export != "-" else None
    elif publish is None and not in_place:
        judge_here(api.judging_queue(runs, who, depth, again), who, api.record_judgment)
    if publish is not None or in_place:
        _publish(opened, publish, runs if rescore else [])


def _refuse_other(reference: str, dataset: Dataset) -> None:
    run = api.run(reference)
    if run.dataset_version != dataset.version:
        raise ConfigurationError(
            f"Run '{run.name}' was evaluated on version {run.dataset_version[:8]} of '{run.dataset_name}', and "
            f"'{dataset.name}' is version {dataset.version[:8]}; evaluate the run on it first: only scores are new."
        )


def _import(dataset: Dataset, path: Path, judge: str) -> None:
    found = api.import_judging(dataset, read_text(path), path.name, judge)
    say(f"{len(found.judgments):,} judgements are kept; {found.n_empty:,} rows have no grade yet.")
    for problem in found.problems:
        say(f"problem: {path.name}, line {problem.line}: {problem.message}")
    if found.problems:
        raise typer.Exit(2)


def _publish(dataset: Dataset, dest: str | None, rescored: list[str]) -> None:
    done = api.publish_judgments(dataset, dest)
    say(done.summary())
    for (question_id, document_id, start, end), why in done.left_out:
        say(f"left out: {question_id}, {document_id} from {start} to {end}: {why}")
    jobs: list[Job] = []
    if not rescored:
        say("Evaluate runs on it with --rescore, or: rag-workbench run PIPELINE.yaml --dataset " + str(done.path))
        return
    with cancelling(jobs):
        jobs += [api.rescore(reference, api.open_dataset(done.path)) for reference in rescored]
        for run_id in follow(jobs):
            computed = [name for name, report in api.run(run_id).stages.items() if report.found == "miss"]
            say(f"Run {run_id}: computed {', '.join(computed) or 'nothing'}, all else was looked up.")


def export_dataset(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="A dataset's name, or its folder")],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder to write, which must be new or empty")],
    format_name: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help=" | ".join(api.export_formats()))
    ] = "beir",
    pipeline: Annotated[
        Path | None, typer.Option(metavar="PIPELINE.yaml", help="Export the chunks of this pipeline, not documents")
    ] = None,
) -> None:
    """Write a dataset in another format: documents, questions, judgements with their grades and splits."""
    chosen = None if pipeline is None else Pipeline.read(pipeline)
    report = api.export_dataset(api.open_dataset(dataset), to, format_name, chosen)
    say(report.summary())
    for notice in report.notices:
        say(f"note: {notice}")


def split(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="A dataset's name, or its folder")],
    dest: Annotated[str, typer.Argument(metavar="DEST", help="The new dataset: a folder, or a name")],
    by: Annotated[
        str,
        typer.Option(help="question, or document: then no split has seen a document of another", metavar="WAY"),
    ],
    shares: Annotated[str, typer.Option(help="Shares of train, dev and test in percent")] = "60/20/20",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draw")] = 0,
    replace: Annotated[bool, typer.Option("--replace", help="Deal questions anew that have a split already")] = False,
) -> None:
    """Deal a dataset's questions to train, dev and test at random, into a new dataset; repeats stay together."""
    report = api.split_dataset(api.open_dataset(dataset), dest, by, shares, seed, replace=replace)
    console().print(splits_grid(report))
    for line in report.summary():
        say(line)
