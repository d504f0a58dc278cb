"""The options and arguments that several commands share: named, read and explained alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DatasetOption = Annotated[str, typer.Option("--dataset", "-d", help="A dataset's name, or its folder")]
JsonOption = Annotated[str | None, typer.Option("--json", help="Write the result to this file; - is standard output")]
CsvOption = Annotated[str | None, typer.Option("--csv", help="Write the table to this file; - is standard output")]
PipelineArgument = Annotated[Path, typer.Argument(metavar="PIPELINE.yaml", help="A pipeline")]
