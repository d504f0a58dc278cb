"""The command that sets base models side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines import api
from pipelines.errors import ConfigurationError, shorten
from pipelines.pipeline import read_settings
from pipelines.runs.jobs import Job
from pipelines.terminal.models import cost_grid, described_models, models_lines, quality_grid
from pipelines.terminal.options import CsvOption, DatasetOption, JsonOption
from pipelines.terminal.output import console, say, writable, write_json, write_text
from pipelines.terminal.progress import cancelling, follow


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(models)


def models(
    dataset: DatasetOption,
    references: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL]...",
            help="A folder, a name of the hub, minilm, static, static:FOLDER, 'endpoint:URL MODEL', or the settings "
            "of an embed component in a file or as they are; the others are held against the first",
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="The questions: those of train, dev or test, or all")] = "test",
    pipeline: Annotated[
        Path | None, typer.Option("--pipeline", metavar="PIPELINE.yaml", help="The stages beside the model")
    ] = None,
    metrics: Annotated[str, typer.Option(help="Metrics of quality, separated by commas")] = ",".join(api.QUALITY),
    csv: CsvOption = None,
    json: JsonOption = None,
) -> None:
    """Compare base models before training one: size, speed here, quality on this dataset. By default minilm, static."""
    writable(csv, json)
    stages = None if pipeline is None else read_settings(pipeline)
    if stages is not None and not isinstance(stages, dict):
        raise ConfigurationError(f"{pipeline} holds no pipeline; write stages such as 'chunk: {{use: sentence}}'.")
    wanted = [name.strip() for name in metrics.split(",") if name.strip()]
    asked = references or list(api.DEFAULT_MODELS)
    opened, submitted = api.open_dataset(dataset), list[Job]()
    with cancelling(submitted):
        submitted.append(
            api.compare_models(asked, opened, pipeline=stages, split=None if split == "all" else split, metrics=wanted)
        )
        (job_id,) = follow(submitted, models_lines)
    _show(api.model_comparison(job_id), csv, json)


def _show(view: api.ModelsView, csv: str | None, json: str | None) -> None:
    if csv is not None:
        write_text(csv, view.to_csv())
    if json is not None:
        write_json(json, view.to_dict())
    if "-" not in (csv, json):
        asked = view.job.payload
        say(f"Base models on {shorten(asked['dataset_name'])} ({asked['split'] or 'all'}):")
        console().print(quality_grid(view))
        console().print(cost_grid(view))
        for line in described_models(view):
            say(line)
    if all(row["error"] is not None for row in view.rows):
        raise typer.Exit(2)
