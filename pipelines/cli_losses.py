"""The command that shows where a run lost evidence."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines import api
from pipelines.terminal.losses import described_losses, described_questions, waterfall_grid
from pipelines.terminal.options import JsonOption
from pipelines.terminal.output import console, number, say, writable, write_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(losses)


def losses(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's id or name")],
    at: Annotated[str, typer.Option(help="The cut to explain, such as recall@5 or recall@2000tok")] = "recall@5",
    stage: Annotated[
        str | None, typer.Option(help="List the questions behind this stage: parse, chunk, filter, retrieve, ...")
    ] = None,
    json: JsonOption = None,
) -> None:
    """Show where a run lost evidence, stage by stage, the questions behind each loss, and which knob to turn."""
    writable(json)
    found = api.losses(run, at)
    if json is not None:
        write_json(json, found.to_dict(stage))
    if json == "-":
        return
    say(f"Run '{found.run_name}': {found.cut} is {number(found.recall)} on {found.n} questions with evidence.")
    if stage is None:
        console().print(waterfall_grid(found))
        for line in described_losses(found):
            say(line)
        return
    for line in described_questions(found, stage):
        say(line)
