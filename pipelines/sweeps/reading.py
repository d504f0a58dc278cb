"""What stands behind a knob in a sweep file, read by the knob's own declaration: a value, a list of them, a range."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from pipelines.errors import ConfigurationError, did_you_mean, shorten
from pipelines.knobs import Knob
from pipelines.sweeps.domains import Domain, Interval, Options

_RANGE = ("from", "to", "step", "count", "log")
_MOST_STEPS = 10_000


def read_domain(knob: Knob, value: Any, owner: str) -> Domain:
    """Return what `value` lets the knob be; whether each value is within its bounds is for the component to say.

    Raises:
        ConfigurationError: for an empty list, or a mapping that is no range; `owner` names file, stage, component.
    """
    kinds = _kinds(knob.schema)
    if isinstance(value, list) and _is_choices(value, knob.schema):
        return _options(value, f"{owner}.{knob.name}")
    if isinstance(value, Mapping) and "object" not in kinds:
        return _Range(knob, value, f"{owner}.{knob.name}").domain()
    return Options((value,))


def _kinds(schema: Mapping[str, Any]) -> frozenset[str]:
    """Return the JSON types that a knob takes; an optional knob has `null` among them."""
    parts = [part for key in ("anyOf", "oneOf") for part in schema.get(key, ())]
    own = schema.get("type", "")
    kinds = {own} if isinstance(own, str) else set(own)
    return frozenset(kinds.union(*(_kinds(part) for part in parts)) - {""})


def _is_choices(value: list[Any], schema: Mapping[str, Any]) -> bool:
    """Whether a list holds values to choose from: for a knob that takes lists, only a list of lists does."""
    if "array" not in _kinds(schema):
        return True
    return bool(value) and all(item is None or isinstance(item, list) for item in value)


def _options(values: list[Any], owner: str) -> Options:
    if not values:
        raise ConfigurationError(f"{owner} holds an empty list; name one or more values to try.")
    for i, value in enumerate(values):
        if any(value == other and type(value) is type(other) for other in values[:i]):
            raise ConfigurationError(f"{owner} names {shorten(repr(value))} twice; name each value once.")
    return Options(tuple(values), _ascending(values))


def _ascending(values: list[Any]) -> bool:
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
    return numbers and len(values) > 1 and all(a < b for a, b in pairwise(values))


class _Range:
    """A mapping `{from, to[, step | count][, log]}` of a numeric knob."""

    def __init__(self, knob: Knob, value: Mapping[Any, Any], owner: str) -> None:
        self.knob, self.owner = knob, owner
        self._refuse_other_than_ranges(value)
        self.integer = "number" not in _kinds(knob.schema)
        self.log = self._flag(value)
        self.low, self.high = self._number(value, "from"), self._number(value, "to")
        self.step = self._number(value, "step") if "step" in value else self._declared_step()
        self.count = value.get("count")
        self._refuse_contradictions(value)

    def domain(self) -> Domain:
        """Return the interval, or the values that step or count pick from it."""
        if self.count is not None:
            return self._numbers(self._counted())
        if self.step is not None:
            return self._numbers(self._stepped(self.step))
        return Interval(self.low, self.high, self.integer, self.log)

    def _refuse_other_than_ranges(self, value: Mapping[Any, Any]) -> None:
        allowed = f"a value, a list of values, or a range such as {{from: 1, to: 9}} with {', '.join(_RANGE[2:])}"
        if self.knob.choices or not {"integer", "number"} & _kinds(self.knob.schema):
            raise ConfigurationError(
                f"{self.owner} must be {self.knob.bounds()}, or a list of such values, "
                f"but got {shorten(repr(dict(value)))}."
            )
        for key in value:
            if key not in _RANGE:
                guess = did_you_mean(str(key), _RANGE)
                raise ConfigurationError(f"{self.owner} takes {allowed}, but holds '{shorten(key)}'.{guess}")
        for key in ("from", "to"):
            if key not in value:
                raise ConfigurationError(f"{self.owner} takes {allowed}, but '{key}' is missing.")

    def _flag(self, value: Mapping[Any, Any]) -> bool:
        log = value.get("log", False)
        if not isinstance(log, bool):
            raise ConfigurationError(f"{self.owner}: log must be true | false, but got {shorten(repr(log))}.")
        return log

    def _number(self, value: Mapping[Any, Any], key: str) -> float:
        number = value[key]
        whole = "a whole number" if self.integer else "a number"
        if isinstance(number, bool) or not isinstance(number, (int, float)) or number - number != 0:
            raise ConfigurationError(f"{self.owner}: {key} must be {whole}, but got {shorten(repr(number))}.")
        if self.integer and number != int(number):
            raise ConfigurationError(f"{self.owner}: {key} must be {whole}, but got {number}.")
        return int(number) if self.integer else float(number)

    def _declared_step(self) -> float | None:
        parts = [self.knob.schema, *self.knob.schema.get("anyOf", ())]
        step = next((part["multipleOf"] for part in parts if "multipleOf" in part), None)
        return None if step is None else float(step)

    def _refuse_contradictions(self, value: Mapping[Any, Any]) -> None:
        if self.low >= self.high:
            raise ConfigurationError(
                f"{self.owner}: a range goes from a smaller to a greater number, but got {self.low} to {self.high}; "
                "write a single value without a range."
            )
        if "step" in value and "count" in value:
            raise ConfigurationError(f"{self.owner} holds both step and count; name one of them.")
        if "step" in value and self.log:
            raise ConfigurationError(f"{self.owner} holds both step and log; use count with log.")
        if self.log and self.low <= 0:
            raise ConfigurationError(f"{self.owner}: with log, from must be more than 0, but got {self.low}.")
        if self.step is not None and not 0 < self.step <= self.high - self.low:
            raise ConfigurationError(
                f"{self.owner}: step must be more than 0, at most {self.high - self.low:g} (to minus from), "
                f"but got {self.step:g}."
            )
        if self.step is not None and (self.high - self.low) / self.step >= _MOST_STEPS:
            raise ConfigurationError(
                f"{self.owner} comes to more than {_MOST_STEPS} values; take a greater step, or leave it out."
            )
        if self.count is not None and (type(self.count) is not int or not 2 <= self.count <= _MOST_STEPS):
            raise ConfigurationError(
                f"{self.owner}: count must be 2 to {_MOST_STEPS} values, but got {shorten(repr(self.count))}."
            )

    def _stepped(self, step: float) -> list[float]:
        # Decimals, as written: 0.3 + 2 x 0.2 is 0.7, not 0.7000000000000001.
        low, high, by = (Decimal(str(number)) for number in (self.low, self.high, step))
        return [float(low + i * by) for i in range(int((high - low) / by) + 1)]

    def _counted(self) -> list[float]:
        last = int(self.count or 0) - 1
        if self.log:
            return [self.low, *(self.low * (self.high / self.low) ** (i / last) for i in range(1, last)), self.high]
        low, high = Decimal(str(self.low)), Decimal(str(self.high))
        return [float(low + (high - low) * i / last) for i in range(last + 1)]

    def _numbers(self, values: list[float]) -> Options:
        """Return ascending numbers as options, whole where the knob takes whole ones, to 12 digits elsewhere."""
        if not self.integer:
            return Options(tuple(float(f"{value:.12g}") for value in values), ordered=True)
        unit = int(self._declared_step() or 1)
        return Options(tuple(sorted({round(value / unit) * unit for value in values})), ordered=True)
