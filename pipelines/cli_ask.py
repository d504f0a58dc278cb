"""The command that asks a pipeline one question."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines import api
from pipelines.errors import ConfigurationError, counted, shorten
from pipelines.pipeline import Pipeline
from pipelines.terminal.options import DatasetOption, JsonOption, PipelineArgument
from pipelines.terminal.output import complain, number, say, writable, write_json

_SHOWN_CHARS = 600


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(ask)


def ask(
    pipeline: PipelineArgument,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What to look for")],
    dataset: DatasetOption,
    k: Annotated[int, typer.Option("--k", min=1, max=1000, help="How many passages to show")] = 5,
    known: Annotated[
        str | None, typer.Option(help="Values that the filter 'known' goes by, such as '{year: 2024}'")
    ] = None,
    json: JsonOption = None,
) -> None:
    """Show what a pipeline finds for a question of your own."""
    writable(json)
    opened, values = api.open_dataset(dataset), _values(known)
    found = api.ask(Pipeline.read(pipeline), opened, question, k=k, known=values, watch=_Stages())
    if json is not None:
        write_json(json, found.to_dict())
    if json != "-":
        _show(found)


class _Stages:
    """Tells standard error which stage is at work, each once: the first question of a pipeline may take a while."""

    def __init__(self) -> None:
        self.told: set[str] = set()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Tell of a stage that begins."""
        if total and stage not in self.told:
            self.told.add(stage)
            complain(f"{stage}: {total:,} to do ...")


def _values(known: str | None) -> dict[str, str | int | float | bool]:
    values = {} if known is None else api.read_values(known.encode(), "--known")
    if isinstance(values, dict) and all(isinstance(v, str | int | float | bool) for v in values.values()):
        return {str(name): value for name, value in values.items()}
    raise ConfigurationError(f"--known is {shorten(known)}; write values by field, such as '{{year: 2024}}'.")


def _show(found: api.Asking) -> None:
    for note in found.notes:
        say(f"note: {note}")
    if found.n_allowed < found.n_chunks:
        say(f"The filter let {found.n_allowed:,} of {counted(found.n_chunks, 'chunk')} pass.")
    if not found.passages:
        say("Nothing was found.")
    for one in found.passages:
        places = [f"{name} {one.metadata[name]}" for name in ("page", "section") if name in one.metadata]
        where = ", ".join([one.document_id, *places, f"characters {one.start} to {one.end}"])
        say(f"\n{one.rank}. {where} (score {number(one.score)}, {counted(one.tokens, 'token')})")
        say(f"   {shorten(one.text, _SHOWN_CHARS)}")
