"""The commands of slices, judging and other formats of golden sets."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines import api
from pipelines.terminal.golden import described_slices, slices_grid
from pipelines.terminal.output import console, say, writable, write_json, write_text

DatasetOption = Annotated[str, typer.Option("--dataset", "-d", help="A dataset's name, or its folder")]
JsonOption = Annotated[str | None, typer.Option("--json", help="Write the result to this file; - is standard output")]
CsvOption = Annotated[str | None, typer.Option("--csv", help="Write the table to this file; - is standard output")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (slices,):
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
