"""Conditions on metadata in Chroma's operator syntax, evaluated on columns: once a distinct value, not once a row."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from pipelines.errors import ConfigurationError, did_you_mean, shorten
from pipelines.records import BoolArray, Column, MetadataValue

Compare = Callable[[Any, Any], bool]

_ORDER: dict[str, Compare] = {"$gt": operator.gt, "$gte": operator.ge, "$lt": operator.lt, "$lte": operator.le}
_EQUAL = ("$eq", "$ne")
_MEMBER = ("$in", "$nin")
_NEGATIVE = ("$ne", "$nin", "$not_contains")
_JOIN = {"$and": np.logical_and, "$or": np.logical_or}
_CONTAINS = ("$contains", "$not_contains")
OPERATORS = (*_EQUAL, *_ORDER, *_MEMBER, *_CONTAINS)
_FAMILY = {"truth": "true/false", "number": "number", "date": "text", "text": "text"}
_FAMILIES: dict[type, str] = {bool: "true/false", int: "number", float: "number", str: "text"}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")


def validate(where: object) -> None:
    """Check the form of a condition, without knowing the data.

    Raises:
        ValueError: with what was found and what is allowed.
    """
    if not isinstance(where, Mapping) or not where:
        raise ValueError(f"must be a mapping such as {{year: {{$gte: 2023}}}}, but holds {shorten(repr(where))}")
    for key, value in where.items():
        if key in _JOIN:
            if not isinstance(value, list) or not value:
                raise ValueError(f"{key} takes a list of conditions, but holds {shorten(repr(value))}")
            for part in value:
                validate(part)
        elif str(key).startswith("$"):
            raise ValueError(f"starts with {shorten(key)}: only $and and $or may stand outside a field")
        else:
            _validate_field(str(key), value)


def _validate_field(field: str, condition: object) -> None:
    if not isinstance(condition, Mapping):
        _validate_value(field, condition)
        return
    if not condition:
        raise ValueError(f"field '{shorten(field)}' has an empty condition; give a value or an operator such as $eq")
    for name, value in condition.items():
        if name not in OPERATORS:
            guess = did_you_mean(str(name), OPERATORS)
            raise ValueError(f"has an unknown operator '{shorten(name)}'; there are {', '.join(OPERATORS)}.{guess}")
        if name in _MEMBER:
            if not isinstance(value, list) or not value:
                raise ValueError(f"{name} of field '{shorten(field)}' takes a list, but holds {shorten(repr(value))}")
            for one in value:
                _validate_value(field, one)
        else:
            _validate_value(field, value)
            if name in _CONTAINS and not (isinstance(value, str) and value):
                raise ValueError(
                    f"{name} of field '{shorten(field)}' takes a text to look for, but holds {shorten(repr(value))}"
                )
            if name in _ORDER and _kind(value) not in ("number", "date"):
                raise ValueError(
                    f"{name} of field '{shorten(field)}' takes a number or a date such as 2024-03-31, "
                    f"but holds {shorten(repr(value))}"
                )


def _validate_value(field: str, value: object) -> None:
    if not isinstance(value, str | int | float | bool):
        raise ValueError(
            f"field '{shorten(field)}' is compared with {shorten(repr(value))}; a text, number or true/false is "
            "allowed, and a list of them with $in"
        )


def evaluate(where: Mapping[str, Any], columns: Mapping[str, Column], n_rows: int) -> BoolArray:
    """Return which rows meet the condition, bool [n_rows]. Several fields in one mapping must all be met.

    Raises:
        ConfigurationError: for a field that no row has.
    """
    parts = [_part(key, value, columns, n_rows) for key, value in where.items()]
    return reduce(np.logical_and, parts, np.ones(n_rows, dtype=np.bool_))


def _part(key: str, value: Any, columns: Mapping[str, Column], n_rows: int) -> BoolArray:
    if key in _JOIN:
        masks = [evaluate(part, columns, n_rows) for part in value]
        joined: BoolArray = _JOIN[key].reduce(masks)
        return joined
    if key not in columns:
        fields = ", ".join(sorted(columns)) or "none at all"
        raise ConfigurationError(
            f"The filter names the metadata field '{shorten(key)}', which no document has; fields are: "
            f"{shorten(fields, 300)}.{did_you_mean(key, columns)}"
        )
    conditions = value if isinstance(value, Mapping) else {"$eq": value}
    for wanted in conditions.values():
        _same_type(key, columns[key], wanted)
    return reduce(np.logical_and, [_compare(columns[key], name, v) for name, v in conditions.items()])


def _same_type(field: str, column: Column, wanted: Any) -> None:
    """Refuse a comparison that no row could ever meet, such as the text '2023' with years held as numbers."""
    held = {_FAMILIES[kind] for kind in set(map(type, column.values))}
    for one in wanted if isinstance(wanted, list) else [wanted]:
        if held and _FAMILY[_kind(one)] not in held:
            some = ", ".join(repr(value) for value in column.values[:3])
            raise ConfigurationError(
                f"The filter compares the metadata field '{shorten(field)}' with {shorten(repr(one))}, a "
                f"{_FAMILY[_kind(one)]}, but the documents hold a {' or a '.join(sorted(held))} there "
                f"(such as {shorten(some)}); write the value in that type."
            )


def _compare(column: Column, name: str, wanted: Any) -> BoolArray:
    """Evaluate on the distinct values, then look each row's value up; the last place stands for a missing value."""
    table = np.zeros(len(column.values) + 1, dtype=np.bool_)
    table[:-1] = list(map(_test(name, wanted), column.values))
    table[-1] = name in _NEGATIVE
    rows: BoolArray = table[column.codes]
    return rows


def _test(name: str, wanted: Any) -> Callable[[MetadataValue], bool]:
    """Return what a value must meet; all that does not depend on the value is done beforehand."""
    if name in _ORDER:
        kind, compare = _kind(wanted), _ORDER[name]
        return lambda value: _kind(value) == kind and compare(value, wanted)
    if name in _CONTAINS:
        return lambda value: (isinstance(value, str) and wanted in value) == (name == "$contains")
    # true is no number here, though Python takes it for 1; what does not equal itself equals nothing.
    sought = {(isinstance(one, bool), one) for one in (wanted if name in _MEMBER else [wanted]) if one == one}
    among = name not in _NEGATIVE
    return lambda value: ((isinstance(value, bool), value) in sought) == among


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int | float):
        return "number"
    return "date" if isinstance(value, str) and _DATE.fullmatch(value) else "text"
