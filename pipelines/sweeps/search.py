"""How a sweep searches its space: strategy, number of trials, objectives, seed, batch, racing, reported split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pipelines.errors import ConfigurationError, did_you_mean, shorten
from pipelines.knobs import knobs

DEFAULT_TRIALS = 100
_BATCH = {"tpe": 8, "nsga2": 16}


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class Race(_Declared):
    """Early dropping of configurations that are worse for sure, after each part of the questions."""

    alpha: float = Field(0.05, gt=0.0, le=0.5, description="Chance that the best configuration is dropped, over all")
    rounds: int = Field(5, ge=2, le=100, description="Parts that the questions are taken in")


class Search(_Declared):
    """How the space is searched. Its fields are the keys of `search:` in a sweep file."""

    strategy: Literal["grid", "random", "tpe", "nsga2"] = Field(
        "grid", description="Every configuration, a random sample, or proposals that learn from earlier trials"
    )
    trials: Annotated[int, Field(strict=True, ge=1, le=100_000)] | None = Field(
        None, description="Configurations to evaluate; for grid, the greatest number that is accepted"
    )
    objectives: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        ("ndcg@10",), min_length=1, max_length=8, description="Metrics to improve; a leading - where less is better"
    )
    seed: int = Field(0, strict=True, ge=0, le=2**31 - 1, description="What the samplers' draws depend on")
    batch: Annotated[int, Field(strict=True, ge=1, le=100_000)] | None = Field(
        None, description="Configurations proposed at a time; grid and random: all, tpe: 8, nsga2: its population, 16"
    )
    race: Race | None = Field(None, description="Whether to drop configurations early, and at which error rate")
    report_on: Literal["train", "dev", "test"] = Field("test", description="Split on which the winner is reported")

    @field_validator("race", mode="before")
    @classmethod
    def _switch(cls, race: object) -> object:
        """Take `race: true` for racing with its defaults, `race: false` for none."""
        return {} if race is True else None if race is False else race

    @model_validator(mode="after")
    def _two_parents(self) -> Self:
        if self.strategy == "nsga2" and self.batch is not None and self.batch < 2:
            raise ValueError("search.batch must be 2 or more with nsga2, whose population it is, but got 1.")
        return self

    @classmethod
    def parse(cls, values: object, where: str) -> Search:
        """Read what stands under `search:`.

        Raises:
            ConfigurationError: for an unknown key or a value out of bounds; `where` is the file.
        """
        if values is None:
            values = {}
        if not isinstance(values, Mapping):
            raise ConfigurationError(
                f"{where}: search takes a mapping such as {{strategy: tpe, trials: 100}}, "
                f"but holds {shorten(repr(values))}."
            )
        _refuse_unknown(values, cls, f"{where}: search")
        if isinstance(values.get("race"), Mapping):
            _refuse_unknown(values["race"], Race, f"{where}: search.race")
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise ConfigurationError(f"{where}: {_explained(error)}") from error

    @property
    def n_trials(self) -> int:
        """Return how many configurations a sampler evaluates."""
        return self.trials or DEFAULT_TRIALS

    @property
    def n_batch(self) -> int | None:
        """Return how many configurations are proposed at a time; None for all at once."""
        return self.batch or _BATCH.get(self.strategy)

    def settings(self) -> dict[str, Any]:
        """Return the plain values that `parse` reads, every key included."""
        return {**self.model_dump(mode="json"), "race": self.race.model_dump(mode="json") if self.race else False}


def _refuse_unknown(values: Mapping[Any, Any], model: type[BaseModel], owner: str) -> None:
    for key in values:
        if key not in model.model_fields:
            allowed = ", ".join(model.model_fields)
            guess = did_you_mean(str(key), model.model_fields)
            raise ConfigurationError(f"{owner} has no key '{shorten(key)}'; its keys are: {allowed}.{guess}")


def _explained(error: ValidationError) -> str:
    """Say in one sentence what the first invalid value was and what is allowed."""
    first = error.errors(include_url=False)[0]
    path = [str(part) for part in first["loc"]]
    if not path:
        return first["msg"].removeprefix("Value error, ")
    if path[0] == "race" and len(path) == 1:
        return f"search.race must be true | false | {{alpha: 0.05, rounds: 5}}, but got {_found(first)}."
    model, name = (Race, path[1]) if path[0] == "race" else (Search, path[0])
    knob = next(knob for knob in knobs(model) if knob.name == name)
    allowed = {"trials": "1 to 100000", "batch": "1 to 100000", "objectives": "a list of 1 to 8 metrics' names"}
    owner = "search.race" if model is Race else "search"
    return f"{owner}.{name} must be {allowed.get(name, knob.bounds())}, but got {_found(first)}."


def _found(error: Any) -> str:
    return shorten(repr(error["input"]))
