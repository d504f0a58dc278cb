"""What every interchangeable part is: a frozen record whose fields are its knobs, found by name in a registry."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from pipelines.errors import ConfigurationError, did_you_mean, shorten
from pipelines.knobs import applies, knobs

C = TypeVar("C", bound="Component")
_REGISTRY: dict[str, dict[str, type[Component]]] = {}


class Component(BaseModel):
    """One way to do one stage.

    A stage's base class is declared with `stage="chunk"`; a component with `name=` and `version=`. The version is part
    of every cache key: raise it when the same knobs and inputs would give other bytes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    stage: ClassVar[str] = ""
    name: ClassVar[str] = ""
    version: ClassVar[int] = 1
    identity: ClassVar[bool] = False
    """Whether the component passes its input through: such a stage is left out of the work."""

    @classmethod
    def __pydantic_init_subclass__(
        cls, name: str | None = None, version: int = 1, stage: str | None = None, identity: bool = False, **_: Any
    ) -> None:
        """Enter the class in its stage's registry when it is given a name."""
        if stage is not None:
            cls.stage = stage
        if name is None:
            return
        known = _REGISTRY.setdefault(cls.stage, {})
        if name in known and known[name].__qualname__ != cls.__qualname__:
            raise TypeError(
                f"two {cls.stage} components are called {name!r}: {known[name].__module__}, {cls.__module__}"
            )
        cls.name, cls.version, cls.identity = name, version, identity
        known[name] = cls

    @model_validator(mode="before")
    @classmethod
    def _without_idle_knobs(cls, given: Any) -> Any:
        """Leave knobs that do not apply at their defaults, so that settings which come to the same are equal."""
        if not isinstance(given, Mapping):
            return given
        return {name: value for name, value in given.items() if applies(cls, str(name), given)}

    def __init_subclass__(cls, **_: Any) -> None:
        """Swallow the class arguments, which `__pydantic_init_subclass__` reads."""
        super().__init_subclass__()

    def resolved(self) -> Component:
        """Return the component with every `auto` replaced by what it means on this machine: the key is made of that."""
        return self

    def extra_identity(self) -> Mapping[str, str]:
        """Return what besides the knobs decides the output, such as the hash of a model's weights."""
        return {}

    def settings(self) -> dict[str, Any]:
        """Return name and knobs as plain JSON values, as a pipeline file holds them."""
        return {"use": self.name, **self.model_dump(mode="json")}

    def fingerprint(self) -> str:
        """Return a digest of all that decides the output, given equal inputs."""
        actual = self.resolved()
        return digest({"version": self.version, **actual.settings(), **actual.extra_identity()})


def digest(value: object) -> str:
    """Return the hexadecimal SHA-256, cut to 32 digits, of `value` as canonical JSON."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return sha256(text.encode()).hexdigest()[:32]


@cache
def discover(stage: str) -> None:
    """Import every module of `pipelines/stages/<stage>/`, so that its components are registered."""
    package = importlib.import_module(f"pipelines.stages.{stage}")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")


def components(stage: str) -> dict[str, type[Component]]:
    """Return the registered components of `stage` by name, in alphabetical order."""
    discover(stage)
    return dict(sorted(_REGISTRY.get(stage, {}).items()))


def build(stage: str, settings: Mapping[str, Any], default: str, where: str) -> Component:
    """Build a component from `{"use": name, knob: value, ...}`; without `use`, `default` is meant.

    Raises:
        ConfigurationError: for an unknown component or knob, or a value out of bounds; `where` says in which file.
    """
    known = components(stage)
    name = settings.get("use", default)
    if not isinstance(name, str) or name not in known:
        guess = did_you_mean(str(name), known)
        raise ConfigurationError(
            f"{where}: there is no {stage} component '{shorten(name)}'; there are {', '.join(known)}.{guess}"
        )
    knobs = {key: value for key, value in settings.items() if key != "use"}
    _refuse_unknown_knobs(known[name], knobs, where)
    try:
        return known[name].model_validate(knobs)
    except ValidationError as error:
        raise ConfigurationError(f"{where}: {explain(error, known[name])}") from error


def _refuse_unknown_knobs(component: type[Component], knobs: Iterable[object], where: str) -> None:
    for knob in knobs:
        if knob not in component.model_fields:
            allowed = ", ".join(component.model_fields) or "none"
            guess = did_you_mean(str(knob), component.model_fields)
            raise ConfigurationError(
                f"{where}: {component.stage} component '{component.name}' has no knob '{shorten(knob)}'; "
                f"its knobs are: {allowed}.{guess}"
            )


def explain(error: ValidationError, component: type[Component]) -> str:
    """Say in one sentence what the first invalid value was and what is allowed."""
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    owner = f"{component.stage}.{component.name}"
    if first["type"] == "value_error":
        sentence = f"{owner}{'.' if name else ''}{name} {first['msg'].removeprefix('Value error, ')}"
        return sentence if sentence.endswith((".", "?")) else f"{sentence}."
    knob = next((knob for knob in knobs(component) if knob.name == name), None)
    if first["type"] == "missing" or knob is None:
        return f"{owner} needs the knob '{name}': {knob.description if knob else first['msg']}."
    whole = "a whole number, " if first["type"] == "int_from_float" else ""
    return f"{owner}.{name} must be {whole}{knob.bounds()}, but got {shorten(repr(first['input']))}."
