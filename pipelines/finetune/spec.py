"""A finetuning as its file declares it: a pipeline, or several, that learn, and what they are held against."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from pipelines.catalog import STAGE_NAMES
from pipelines.errors import ConfigurationError, did_you_mean, shorten
from pipelines.finetune.candidates import Candidate, candidates, trains
from pipelines.finetune.held_out import check_reported, refuse_training_on_held_out
from pipelines.pipeline import Pipeline, read_settings
from pipelines.sweeps.space import Space

MOST_CANDIDATES = 100
_KEYS = ("split", "outside", "baseline")


@dataclass(frozen=True)
class FinetuneSpec:
    """Which pipelines learn from the train split; `split` is the one that is reported.

    `outside` is a second dataset, by name or folder, on which is shown what was forgotten, "" for none. `baseline`
    holds stages that stand in place of the spec's own before the training; those it does not name lose what is learnt:
    a finetuned embedder becomes its base model, a trained reranker none.
    """

    space: Space
    split: str = "test"
    outside: str = ""
    baseline: Mapping[str, Any] | None = None

    @classmethod
    def parse(cls, values: object, where: str = "finetuning") -> FinetuneSpec:
        """Read a finetuning from plain values: those of a pipeline, lists of alternatives, and `finetune`.

        Raises:
            ConfigurationError: for what cannot be built, trains nothing, or would train on dev or test.
        """
        if isinstance(values, Mapping):
            refuse_training_on_held_out(values, {}, where)
        stages = _plain(values, where)
        given = _options(stages.pop("finetune", None), where)
        refuse_training_on_held_out(stages, given, where)
        _refuse_unknown(given, where)
        spec = cls(
            Space.parse(stages, where),
            check_reported(given.get("split", "test"), where),
            _outside(given.get("outside"), where),
            _baseline(given.get("baseline"), where),
        )
        spec._refuse_idle(where)
        return spec

    @classmethod
    def read(cls, path: Path) -> FinetuneSpec:
        """Read a YAML or JSON file.

        Raises:
            ConfigurationError: when the file cannot be read as a finetuning.
        """
        return cls.parse(read_settings(path), str(path))

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """Return the pipelines that are compared, each with what it is held against."""
        pipelines = [Pipeline.parse(one.settings, "finetuning") for one in self.space.configurations()]
        return candidates(pipelines, self.baseline or {})

    def settings(self) -> dict[str, Any]:
        """Return the plain JSON values that `parse` reads."""
        baseline = None if self.baseline is None else dict(self.baseline)
        own = {"split": self.split, "outside": self.outside, "baseline": baseline}
        return {**self.space.settings(), "finetune": own}

    def to_yaml(self) -> str:
        """Return the file that `read` reads."""
        return yaml.safe_dump(self.settings(), sort_keys=False, allow_unicode=True)

    def _refuse_idle(self, where: str) -> None:
        size = self.space.size_listed()
        if size is None:
            raise ConfigurationError(f"{where}: {self.space.endless()}")
        if size > MOST_CANDIDATES:
            raise ConfigurationError(
                f"{where} names {size:,} pipelines, and one finetuning compares {MOST_CANDIDATES} at most; leave "
                "values out, or put them into a sweep."
            )
        self.space.refuse_unbuildable()
        if not any(trains(one.pipeline) for one in self.candidates):
            raise ConfigurationError(
                f"{where} trains nothing, for no component in it learns; write "
                "'embed: {use: finetuned, method: adapter}', or a trained reranker."
            )


def _plain(values: object, where: str) -> dict[str, Any]:
    """Return a copy of `values` as JSON would hold them, every key a stage or `finetune`."""
    if not isinstance(values, Mapping) or not values:
        found = "is empty" if not values else f"holds {shorten(repr(values))}"
        raise ConfigurationError(
            f"{where} {found}; a finetuning is a pipeline that learns, such as 'embed: {{use: finetuned}}', with "
            "'finetune: {split: test}'."
        )
    for name in values:
        if name not in (*STAGE_NAMES, "finetune"):
            raise ConfigurationError(
                f"{where}: there is no stage '{shorten(name)}'; a finetuning has the stages {', '.join(STAGE_NAMES)}, "
                f"and finetune.{did_you_mean(str(name), (*STAGE_NAMES, 'finetune'))}"
            )
    try:
        return dict(json.loads(json.dumps(dict(values), allow_nan=False)))
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(
            f"{where} holds a value that JSON cannot hold ({shorten(error)}); write numbers, texts, lists and mappings."
        ) from error


def _options(values: object, where: str) -> Mapping[str, Any]:
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise ConfigurationError(
            f"{where}: finetune takes a mapping such as {{split: test, outside: PATH}}, but holds "
            f"{shorten(repr(values))}."
        )
    return values


def _refuse_unknown(given: Mapping[str, Any], where: str) -> None:
    for key in given:
        if key not in _KEYS:
            raise ConfigurationError(
                f"{where}: finetune has no key '{shorten(key)}'; its keys are: {', '.join(_KEYS)}."
                f"{did_you_mean(key, _KEYS)}"
            )


def _outside(value: object, where: str) -> str:
    if value is None or isinstance(value, str):
        return (value or "").strip()
    raise ConfigurationError(
        f"{where}: finetune.outside must be a dataset's name or folder, but got {shorten(repr(value))}."
    )


def _baseline(value: object, where: str) -> Mapping[str, Any] | None:
    if value is None:
        return None
    Pipeline.parse(value, f"{where}: finetune.baseline")
    return dict(value) if isinstance(value, Mapping) else None
