"""Values that a row may hold: flat metadata, names, and no entry that nobody reads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date

from pipelines.errors import did_you_mean, shorten
from pipelines.records import MetadataValue
from pipelines.stages.load.reading import RuleError, clean, show


def metadata_of(values: object, where: str, what: str = "metadata") -> dict[str, MetadataValue]:
    """Return flat metadata: text, numbers, true or false; dates become ISO text, empty values are left out.

    Raises:
        RuleError: for nested values, numbers without end, names that are not text.
    """
    if values is None:
        return {}
    if not isinstance(values, dict):
        found = f"{what} must be an object of names and values, but is {show(values)}"
        raise RuleError("bad-metadata", f"{where}: {found}; write it as {{name: value}}.")
    present = {_field_name(name, where, what): value for name, value in values.items() if value is not None}
    return {name: metadata_value(value, where, f"{what} '{shorten(name, 40)}'") for name, value in present.items()}


def _field_name(name: object, where: str, what: str) -> str:
    if isinstance(name, str) and name.strip():
        return clean(name)
    found = f"{what} has a field called {show(name)}"
    raise RuleError("bad-metadata", f"{where}: {found}; names must be text: put it in quotes.")


def metadata_value(value: object, where: str, what: str) -> MetadataValue:
    """Return one flat value.

    Raises:
        RuleError: for a list, an object, an endless number or an integer of more than 64 bits.
    """
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return value
    raise RuleError(
        "bad-metadata",
        f"{where}: {what} is {show(value)}, but must be flat (text, a number, true or false, or a date); "
        "write it as one value, or leave it out.",
    )


def identifier(row: Mapping[str, object], key: str, where: str) -> str:
    """Return the name under `key`; a whole number is taken as text.

    Raises:
        RuleError: when there is none.
    """
    value = row.get(key)
    if isinstance(value, str) and value.strip():
        return clean(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise RuleError("bad-id", f"{where}: '{key}' must be text that is not empty, but is {show(value)}; give it a name.")


def refuse_unknown(row: Mapping[str, object], allowed: tuple[str, ...], where: str) -> None:
    """Let only rows with the `allowed` entries pass: a mistyped one would silently change what is measured.

    Raises:
        RuleError: for any other.
    """
    for key in row:
        if key not in allowed:
            raise RuleError(
                "unknown-entry",
                f"{where}: there is an unknown entry '{shorten(key, 40)}'; allowed are {', '.join(allowed)}: "
                f"rename it, or move it.{did_you_mean(key, allowed)}",
            )
