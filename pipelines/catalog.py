"""The stages in order: the only list of them. Forms, command-line help, sweeps and documents read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.component import Component, build, components
from pipelines.errors import ConfigurationError, did_you_mean, shorten
from pipelines.knobs import Knob, knobs

__all__ = ["STAGES", "STAGE_NAMES", "Knob", "Stage", "all_components", "build_component", "knobs", "stage", "summary"]


@dataclass(frozen=True)
class Stage:
    """One step of the flow: its name in a pipeline file, what it decides, and which component it takes by default."""

    name: str
    title: str
    purpose: str
    default: str


STAGES: tuple[Stage, ...] = (
    Stage("load", "Load", "How files become documents", "auto"),
    Stage("chunk", "Chunk", "How documents are cut into pieces", "recursive"),
    Stage("extract", "Extract", "Which metadata are added to the pieces", "none"),
    Stage("embed", "Embed", "Which model turns texts into vectors", "minilm"),
    Stage("index", "Index", "How vectors are searched", "exact"),
    Stage("transform", "Transform", "How a question becomes queries", "none"),
    Stage("filter", "Filter", "Which pieces may be found at all, by their metadata", "none"),
    Stage("retrieve", "Retrieve", "How the pieces are ranked for a question", "dense"),
    Stage("rerank", "Rerank", "How the first pieces are put in a better order", "none"),
    Stage("generate", "Generate", "How an answer is written from them", "none"),
    Stage("score", "Score", "At which cut-offs the rankings are measured", "standard"),
)
STAGE_NAMES: tuple[str, ...] = tuple(stage.name for stage in STAGES)


def stage(name: str, where: str = "") -> Stage:
    """Return a stage by name.

    Raises:
        ConfigurationError: for a name that is none; `where` says in which file.
    """
    for one in STAGES:
        if one.name == name:
            return one
    there = f"{where}: there" if where else "There"
    raise ConfigurationError(
        f"{there} is no stage '{shorten(name)}'; the stages are {', '.join(STAGE_NAMES)}."
        f"{did_you_mean(name, STAGE_NAMES)}"
    )


def build_component(stage_name: str, settings: Mapping[str, Any], where: str) -> Component:
    """Build the component that `settings` describe, or the stage's default when they name none."""
    return build(stage_name, settings, stage(stage_name).default, where)


def summary(component: type[Component]) -> str:
    """Return the first sentence or two of a component's docstring: what it does and when to choose it."""
    return " ".join((component.__doc__ or "").split("\n\n")[0].split())


def all_components() -> dict[str, dict[str, type[Component]]]:
    """Return every registered component by stage and name."""
    return {name: components(name) for name in STAGE_NAMES}
