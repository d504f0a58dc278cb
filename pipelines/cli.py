"""The command line: thin over `api`, its errors one sentence on standard error."""

from __future__ import annotations

import logging
import sys
import uuid
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from pipelines import api, cli_ask, cli_finetune, cli_golden, cli_losses, cli_metadata, cli_models, cli_sweeps
from pipelines.errors import ConfigurationError, WorkbenchError, did_you_mean, shorten
from pipelines.pipeline import Pipeline
from pipelines.runs.jobs import Job
from pipelines.runs.record import Run
from pipelines.runs.table import DEFAULT_METRICS, rows_to_csv
from pipelines.settings import REPOSITORY, logs_folder
from pipelines.terminal.describe import described_components, described_import, described_report
from pipelines.terminal.losses import described_loss_rows, loss_cells, loss_rows_grid
from pipelines.terminal.options import CsvOption, DatasetOption, JsonOption
from pipelines.terminal.output import complain, console, say, writable, write_json, write_text
from pipelines.terminal.progress import cancelling, follow
from pipelines.terminal.tables import HEADLINE, SHORT, comparison_grid, questions_grid, run_grid, runs_grid

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Evaluate and tune retrieval on your own documents.",
)

cli_sweeps.register(app)
cli_golden.register(app)
cli_ask.register(app)
cli_finetune.register(app)
cli_losses.register(app)
cli_metadata.register(app)
cli_models.register(app)

MetricsOption = Annotated[str | None, typer.Option("--metrics", help="Metrics to show, separated by commas, or: all")]


@app.command("import")
def import_(
    format_name: Annotated[str, typer.Argument(metavar="FORMAT", help=" | ".join(api.import_formats()))],
    source: Annotated[Path, typer.Argument(metavar="SRC", help="The files to import")],
    dest: Annotated[Path, typer.Argument(metavar="DEST", help="The dataset folder to write")],
    name: Annotated[str | None, typer.Option(help="What to call the dataset")] = None,
) -> None:
    """Import a golden set of another format. Exits with 2 when a part could not be imported; the rest then is."""
    report = api.import_golden(format_name, source, dest, name)
    for line in described_import(report):
        say(line)
    raise typer.Exit(report.exit_code)


@app.command()
def check(dataset: Annotated[str, typer.Argument(metavar="DATASET", help="A dataset's name, or its folder")]) -> None:
    """Say whether a dataset is sound, and what would mislead an evaluation."""
    report = api.check_dataset(dataset)
    for line in described_report(report):
        say(line)
    raise typer.Exit(report.exit_code)


@app.command()
def components(
    stage: Annotated[str | None, typer.Argument(metavar="[STAGE]", help="Only this stage's components")] = None,
) -> None:
    """List the components of every stage with their knobs, bounds, units and defaults."""
    for line in described_components(stage):
        say(line)


@app.command()
def run(
    pipelines: Annotated[list[Path], typer.Argument(metavar="PIPELINE.yaml...", help="One or more pipelines")],
    dataset: DatasetOption,
    split: Annotated[str | None, typer.Option(help="Only the questions of this split: train, dev or test")] = None,
    name: Annotated[str | None, typer.Option(help="What to call the run; by default the file's name")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Random seed of intervals and samples")] = 0,
    reuse: Annotated[bool, typer.Option("--reuse", help="Show the run that is there already, if there is one")] = False,
    json: JsonOption = None,
) -> None:
    """Evaluate pipelines and keep the runs; of several, the first is the baseline of a comparison."""
    if name is not None and len(pipelines) > 1:
        raise ConfigurationError("--name was given for several pipelines; give it with one, or leave it out.")
    writable(json)
    opened = api.open_dataset(dataset)
    parsed = [(name or path.stem, Pipeline.read(path)) for path in pipelines]
    jobs: list[Job] = []
    with cancelling(jobs):
        for called, one in parsed:
            jobs.append(api.submit(one, opened, split=split, name=called, seed=seed, again=not reuse))
        runs = [api.run(run_id) for run_id in follow(jobs)]
    if json is not None:
        write_json(json, runs[0].to_dict() if len(runs) == 1 else [one.to_dict() for one in runs])
    if json != "-":
        _show_runs(runs)


def _show_runs(runs: list[Run]) -> None:
    for one in runs:
        say(f"Run {one.id} '{one.name}': {one.label}, {one.n_questions} questions ({one.split}), {one.seconds:.1f} s")
        for note in one.notes:
            say(f"  note: {note}")
    if len(runs) == 1:
        console().print(run_grid(runs[0]))
        return
    ids = [one.id for one in runs]
    console().print(runs_grid(_only(api.runs(), ids)))
    say(f"\nAgainst '{runs[0].name}', paired by question (p corrected over the table after Holm):")
    console().print(comparison_grid(api.compare_runs(ids[0], ids[1:], list(SHORT))))


def _only(table: api.Table, ids: list[str]) -> api.Table:
    return api.Table(table.columns, tuple(row for row in table.rows if row["run"] in ids))


@app.command()
def runs(
    dataset: Annotated[str | None, typer.Option("--dataset", "-d", help="Only runs on this dataset")] = None,
    metrics: MetricsOption = None,
    intervals: Annotated[bool, typer.Option("--intervals", help="Add the ends of the 95 % intervals")] = False,
    questions: Annotated[
        str | None, typer.Option("--questions", metavar="RUN", help="This run, question by question")
    ] = None,
    losses: Annotated[
        str | None, typer.Option("--losses", metavar="CUT", help="Add what each stage lost at a cut, such as recall@5")
    ] = None,
    csv: CsvOption = None,
) -> None:
    """List the runs, oldest first. The CSV file holds the same rows and columns in full precision, versions too."""
    if questions is not None:
        _show_questions(questions, _chosen(metrics), csv)
        return
    table = api.runs(_chosen(metrics), dataset, intervals, api.cut_name(losses))
    if csv is not None:
        write_text(csv, table.to_csv())
    if csv == "-":
        return
    if not table.rows:
        say(_no_runs(dataset))
        return
    console().print(runs_grid(table))


def _chosen(metrics: str | None) -> list[str]:
    """Return the metrics to show: the usual ones, all, or those named, which must have been measured."""
    known = [metric.name for metric in api.metrics()]
    if metrics is None or metrics == "all":
        return known if metrics else list(DEFAULT_METRICS)
    named = _names(metrics, DEFAULT_METRICS)
    for name in named:
        if known and name not in known:
            raise ConfigurationError(
                f"No run has the metric '{shorten(name)}'; metrics are named like recall@5, ndcg@10 or recall@2000tok, "
                f"and 'all' shows every one.{did_you_mean(name, known)}"
            )
    return named


def _no_runs(dataset: str | None) -> str:
    others = api.store().datasets()
    if dataset is None or not others:
        return "There are no runs yet; start with: rag-workbench run PIPELINE.yaml --dataset D"
    return f"There are no runs on '{shorten(dataset)}'; there are some on {shorten(', '.join(others), 300)}."


def _show_questions(reference: str, metrics: list[str], csv: str | None) -> None:
    table = api.question_scores(api.run(reference).id)
    if csv is not None:
        write_text(csv, table.to_csv())
    if csv != "-":
        console().print(questions_grid(table, metrics))


@app.command()
def compare(
    baseline: Annotated[str, typer.Argument(metavar="BASELINE", help="A run's id or name")],
    others: Annotated[list[str], typer.Argument(metavar="RUN...", help="The runs to compare with it")],
    metrics: MetricsOption = None,
    losses: Annotated[
        str | None, typer.Option("--losses", metavar="CUT", help="Where the difference comes from: at recall@5, ...")
    ] = None,
    csv: CsvOption = None,
    json: JsonOption = None,
) -> None:
    """Compare runs with a baseline, paired by question: difference, interval, corrected p, wins and losses."""
    chosen = None if metrics == "all" else _names(metrics, HEADLINE)
    result = api.compare_runs(baseline, others, chosen)
    if csv is not None:
        of_all = ("dataset_name", "dataset_version", "split", "baseline_id", "baseline_name", "resamples", "seed")
        shown = [*map(asdict, result.rows), *loss_cells(result, losses)]
        rows = [{**row, **{name: getattr(result, name) for name in of_all}} for row in shown]
        write_text(csv, rows_to_csv(list(rows[0]), rows))
    if json is not None:
        write_json(json, result.to_dict())
    if "-" not in (csv, json):
        say(f"Against '{result.baseline_name}' on {result.dataset_name}, {result.n_questions} questions:")
        console().print(comparison_grid(result))
        for line in described_loss_rows(result, losses):
            say(line)
        console().print(loss_rows_grid(result, losses))


def _names(text: str | None, default: tuple[str, ...]) -> list[str]:
    if text is None:
        return list(default)
    return [name.strip() for name in text.split(",") if name.strip()]


@app.command()
def ui(port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1")] = 8501) -> None:
    """Serve the browser UI on 127.0.0.1."""
    import subprocess

    safe = ["--server.address", "127.0.0.1", "--browser.gatherUsageStats", "false"]
    command = [sys.executable, "-m", "streamlit", "run", str(_app()), "--server.port", str(port), *safe]
    try:
        raise typer.Exit(subprocess.run(command, cwd=REPOSITORY, check=False).returncode)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _app() -> Path:
    """Return where the UI's entry lies: beside this package, wherever both are installed."""
    spec = find_spec("workbench")
    if spec is None or spec.origin is None:
        raise WorkbenchError("The package 'workbench', which is the UI, is not installed; run: make setup.")
    return Path(spec.origin).parent / "app.py"


def main() -> None:
    """Run the command line; a traceback never reaches its user."""
    try:
        app()
    except WorkbenchError as error:
        complain(f"Error: {error}")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception:
        sys.exit(_unexpected())


def _unexpected() -> int:
    number = uuid.uuid4().hex[:8]
    try:
        logs_folder().mkdir(parents=True, exist_ok=True)
        logging.basicConfig(filename=logs_folder() / "cli.log", format="%(asctime)s %(levelname)s %(message)s")
        logging.exception("error %s", number)
        where = f"{logs_folder() / 'cli.log'} has the details"
    except OSError:
        where = "its log could not be written"
    complain(f"Error: something went wrong inside the workbench (error {number}); {where}.")
    return 1


if __name__ == "__main__":
    main()
