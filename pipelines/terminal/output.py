"""Where the command line writes: standard output, standard error, files the user names."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from pipelines.errors import ConfigurationError, storage_errors

_WIDE = 200


def console() -> Console:
    """Return standard output; where it is no terminal, lines are wide enough for tables."""
    return Console(width=None if sys.stdout.isatty() else _WIDE, markup=False, highlight=False, emoji=False)


def say(text: str) -> None:
    """Print a line as it is: users' text is never taken for markup."""
    console().print(Text(text), soft_wrap=True)


def complain(text: str) -> None:
    """Print a line to standard error."""
    sys.stderr.write(f"{text}\n")


def grid(columns: list[str], rows: list[list[str]], numbers_from: int = 1) -> Grid:
    """Return a plain table; columns from `numbers_from` on are set to the right."""
    table = Grid(box=None, pad_edge=False, header_style="bold")
    for i, column in enumerate(columns):
        table.add_column(
            Text(column), justify="right" if i >= numbers_from else "left", no_wrap=i == 0 or i >= numbers_from
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def number(value: Any) -> str:
    """Return a cell: three decimals for a share, a dash for what is absent."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 100 else f"{value:,.0f}"
    return str(value)


def writable(*paths: str | None) -> None:
    """Refuse, before any work, files that could not be written after it.

    Raises:
        ConfigurationError: for a folder that is not there, a folder in place of a file, or standard output asked twice.
    """
    if paths.count("-") > 1:
        raise ConfigurationError("Two results cannot both go to standard output; name a file for one of them.")
    for path in (Path(path) for path in paths if path not in (None, "-")):
        if path.is_dir():
            raise ConfigurationError(f"{path} is a folder; name a file to write to.")
        if not path.parent.is_dir():
            raise ConfigurationError(f"{path} cannot be written: there is no folder {path.parent}; make it first.")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise ConfigurationError(f"{path} cannot be written, for want of permission; name another file.")


def write_text(path: str, text: str) -> None:
    """Write a file the user named; `-` is standard output.

    Raises:
        StorageError: when it cannot be written.
    """
    if path == "-":
        sys.stdout.write(text)
        return
    with storage_errors(Path(path), "write the file"), Path(path).open("w", encoding="utf-8", newline="") as file:
        file.write(text)


def write_json(path: str, value: Any) -> None:
    """Write JSON, indented, without NaN."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
