"""How extracted values go together with those that are there."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipelines.records import PADDING, Column, MetadataValue


def merged(known: Mapping[str, Column], extracted: Mapping[str, Column], *, replace: bool) -> dict[str, Column]:
    """Return all columns: where both have a value the known one stays, or with `replace` the extracted one."""
    result = dict(known)
    for name, column in extracted.items():
        first, second = (column, known.get(name)) if replace else (known.get(name), column)
        result[name] = column if first is None or second is None else filled(first, second)
    return result


def filled(first: Column, second: Column) -> Column:
    """Return a column with the values of `first`, and where it has none those of `second`."""
    position: dict[tuple[type, MetadataValue], int] = {(type(v), v): i for i, v in enumerate(first.values)}
    values = list(first.values)
    codes = np.full(len(second.values) + 1, PADDING, dtype=np.int32)  # the last is for PADDING
    for i, value in enumerate(second.values):
        key = (type(value), value)
        if key not in position:
            position[key] = len(values)
            values.append(value)
        codes[i] = position[key]
    return Column(np.where(first.codes == PADDING, codes[second.codes], first.codes).astype(np.int32), tuple(values))


def same(one: Column, other: Column) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return in which rows both have a value and it is the same, bool [n_rows]; numbers compare as numbers."""
    position = {_comparable(value): i for i, value in enumerate(one.values)}
    codes = np.asarray([position.get(_comparable(value), -2) for value in other.values] + [-2], dtype=np.int32)
    return np.asarray((one.codes != PADDING) & (one.codes == codes[other.codes]))


def _comparable(value: MetadataValue) -> tuple[str, str]:
    """Return how a value is compared: texts without regard to case, hyphens and underscores; 2023 and 2023.0 alike."""
    if isinstance(value, bool):
        return "truth", str(value)
    if isinstance(value, int | float):
        return "number", repr(float(value))
    return "text", " ".join(value.casefold().replace("_", " ").replace("-", " ").split())
