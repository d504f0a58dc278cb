"""The commands of metadata: what an extraction finds, and what a filter gains and loses."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines import api
from pipelines.pipeline import Pipeline
from pipelines.terminal.metadata import described_filter, extraction_grid, filter_fields_grid, filter_grid
from pipelines.terminal.options import DatasetOption, JsonOption, PipelineArgument
from pipelines.terminal.output import console, say, writable, write_json


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("extract")(extract)
    app.command("filter")(filter_)


def extract(pipeline: PipelineArgument, dataset: DatasetOption, json: JsonOption = None) -> None:
    """Show what the pipeline's extract stage finds: of how many chunks, and how much of it is known to be right."""
    writable(json)
    found = api.extraction_report(Pipeline.read(pipeline), api.open_dataset(dataset))
    if json is not None:
        write_json(json, found.to_dict())
    if json == "-":
        return
    say(
        f"Extract '{found.component}': {len(found.fields)} fields of {found.n_chunks:,} chunks of "
        f"{found.n_documents:,} documents in {found.seconds:.2f} s"
    )
    if found.fields:
        console().print(extraction_grid(found))


def filter_(
    pipeline: PipelineArgument,
    dataset: DatasetOption,
    split: Annotated[str | None, typer.Option(help="Only the questions of this split: train, dev or test")] = None,
    metric: Annotated[str, typer.Option(help="The metric to compare with and without the filter")] = "recall@5",
    seed: Annotated[int, typer.Option(min=0, help="Random seed of the interval")] = 0,
    json: JsonOption = None,
) -> None:
    """Show what the pipeline's filter gains and loses beside none, and what it reads out of the questions."""
    writable(json)
    opened = api.open_dataset(dataset)
    found = api.filter_report(Pipeline.read(pipeline), opened, split=split, metric=metric, seed=seed)
    if json is not None:
        write_json(json, found.to_dict())
    if json == "-":
        return
    console().print(filter_grid(found))
    if found.fields:
        console().print(filter_fields_grid(found))
    for line in described_filter(found):
        say(line)
