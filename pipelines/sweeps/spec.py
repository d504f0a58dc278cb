"""A sweep as its file declares it: a search space and how to search it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from pipelines.catalog import STAGE_NAMES
from pipelines.component import digest
from pipelines.errors import ConfigurationError, did_you_mean, shorten
from pipelines.pipeline import read_settings
from pipelines.sweeps.objectives import Objective, objectives_of
from pipelines.sweeps.search import Search
from pipelines.sweeps.space import Space

LARGEST_GRID = 100_000
"""Configurations; a grid beyond that would not end, and is most likely a slip."""


@dataclass(frozen=True)
class SweepSpec:
    """What is searched, and how."""

    space: Space
    search: Search

    @classmethod
    def parse(cls, values: object, where: str = "sweep") -> SweepSpec:
        """Read a sweep from plain values: those of a pipeline, with lists and ranges, and `search`.

        Raises:
            ConfigurationError: for anything that could not be built or searched; `where` is the file.
        """
        stages = _plain(values, where)
        search = Search.parse(stages.pop("search", None), where)
        spec = cls(Space.parse(stages, where), search)
        spec._refuse_impossible(where)
        objectives_of(search.objectives, spec.space, where)
        return spec

    @classmethod
    def read(cls, path: Path) -> SweepSpec:
        """Read a YAML or JSON file.

        Raises:
            ConfigurationError: when the file cannot be read as a sweep.
        """
        values = read_settings(path)
        if not values:
            raise ConfigurationError(
                f"{path} is empty; a sweep names at least one stage, such as 'chunk: {{use: fixed, size: [128, 256]}}'."
            )
        return cls.parse(values, str(path))

    @cached_property
    def objectives(self) -> tuple[Objective, ...]:
        """Return what the sweep improves, the first one first, cut-offs completed."""
        return objectives_of(self.search.objectives, self.space)

    def settings(self) -> dict[str, Any]:
        """Return the plain JSON values that `parse` reads; lists stand for stepped ranges."""
        return {**self.space.settings(), "search": self.search.settings()}

    def to_yaml(self) -> str:
        """Return the file that `read` reads."""
        return yaml.safe_dump(self.settings(), sort_keys=False, allow_unicode=True)

    def fingerprint(self) -> str:
        """Return a digest of space and search."""
        return digest(self.settings())

    def _refuse_impossible(self, where: str) -> None:
        """Refuse a grid that is infinite, too large or holds what cannot be built, and a space with nothing in it."""
        if self.search.strategy != "grid":
            return
        size = self.space.size_listed()
        if size is None:
            raise ConfigurationError(f"{where}: {self.space.endless()}")
        if size > LARGEST_GRID:
            raise ConfigurationError(
                f"{where}: the grid has {size:,} configurations, more than the {LARGEST_GRID:,} that one sweep takes; "
                "leave values out, or search with random, tpe or nsga2 and a number of trials."
            )
        self.space.refuse_unbuildable()
        size = self.space.size() or 0
        if self.search.trials is not None and size > self.search.trials:
            raise ConfigurationError(
                f"{where}: the grid has {size:,} configurations, but search.trials allows {self.search.trials:,}; "
                f"set trials to {size} or more, leave values out, or search with random, tpe or nsga2."
            )


def _plain(values: object, where: str) -> dict[str, Any]:
    """Return a copy of `values` as JSON would hold them, every key a stage or `search`."""
    if values is None:
        values = {}
    if not isinstance(values, Mapping):
        raise ConfigurationError(
            f"{where}: a sweep is a mapping of stages such as 'chunk: {{use: sentence, size: [128, 256]}}' and of "
            f"'search', but this holds {shorten(repr(values))}."
        )
    for name in values:
        if name not in (*STAGE_NAMES, "search"):
            raise ConfigurationError(
                f"{where}: there is no stage '{shorten(name)}'; a sweep has the stages {', '.join(STAGE_NAMES)}, and "
                f"search.{did_you_mean(str(name), (*STAGE_NAMES, 'search'))}"
            )
    try:
        plain = json.loads(json.dumps(dict(values), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(
            f"{where} holds a value that JSON cannot hold ({shorten(error)}); write numbers, texts, lists and mappings."
        ) from error
    return dict(plain)
