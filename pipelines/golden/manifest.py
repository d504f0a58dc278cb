"""dataset.yaml: what a dataset is called, where it comes from, and which metadata its documents have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import yaml

from pipelines.errors import did_you_mean, shorten
from pipelines.records import MetadataValue
from pipelines.stages.load.files import refuse_link
from pipelines.stages.load.reading import RuleError, clean, named, read_text, show
from pipelines.stages.load.values import refuse_unknown

MANIFEST_FILE = "dataset.yaml"
FIELD_TYPES = ("str", "int", "float", "bool", "date")
_TEXTS = ("name", "description", "licence", "source")


@dataclass(frozen=True)
class Manifest:
    """What dataset.yaml says; `fields` maps a metadata field to its type."""

    name: str
    description: str = ""
    licence: str = ""
    source: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


def read_manifest(folder: Path) -> Manifest:
    """Read dataset.yaml; without it, the dataset is called like its folder.

    Raises:
        DatasetError: when it is not what it should be.
    """
    path = folder / MANIFEST_FILE
    refuse_link(path)
    if not path.is_file():
        return Manifest(clean(folder.resolve().name))
    where = named(path)
    values = _mapping(read_text(path), where)
    refuse_unknown(values, (*_TEXTS, "fields"), where)
    texts = {key: _text(values.get(key), key, where) for key in _TEXTS}
    name = texts.pop("name") or clean(folder.resolve().name)
    return Manifest(name, **texts, fields=_fields(values.get("fields"), where))


def _mapping(text: str, where: str) -> dict[str, object]:
    try:
        values = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        reason = shorten(getattr(error, "problem", None) or error, 60)
        raise RuleError("bad-manifest", f"{where}{line} is not YAML ({reason}); mend it, or take it out.") from error
    if values is None:
        return {}
    if isinstance(values, dict):
        return {str(key): value for key, value in values.items()}
    raise RuleError("bad-manifest", f"{where} must hold names and values, but holds {show(values)}; write 'name: ...'.")


def _text(value: object, key: str, where: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, (int, float, date)) and not isinstance(value, bool):
        return str(value)
    raise RuleError("bad-manifest", f"{where}: '{key}' must be text, but is {show(value)}; put it in quotes.")


def _fields(value: object, where: str) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RuleError(
            "bad-manifest", f"{where}: 'fields' must hold names and types, but is {show(value)}; write 'year: int'."
        )
    for name, kind in value.items():
        if kind not in FIELD_TYPES or not isinstance(name, str):
            allowed, guess = ", ".join(FIELD_TYPES), did_you_mean(str(kind), FIELD_TYPES)
            found = f"{where}: the field '{shorten(name, 40)}' has the type {show(kind)}"
            raise RuleError("bad-manifest", f"{found}; types are {allowed}: choose one.{guess}")
    return {clean(name): str(kind) for name, kind in value.items()}


def type_of(value: MetadataValue) -> str:
    """Return the type of a metadata value, one of `FIELD_TYPES`."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "int" if isinstance(value, int) else "float"
    return "date" if is_date(value) else "str"


def is_date(text: str) -> bool:
    """Whether a text is an ISO date, with or without a time."""
    if not text[:4].isdigit():
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return "-" in text[:5]


def fits(value: MetadataValue, declared: str) -> bool:
    """Whether a value may stand in a field of the `declared` type: a whole number is also a float, a date also text."""
    return type_of(value) in {"float": ("float", "int"), "str": ("str", "date")}.get(declared, (declared,))
