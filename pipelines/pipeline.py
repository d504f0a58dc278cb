"""A pipeline's configuration: one component and its knobs for every stage."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from pipelines.catalog import STAGE_NAMES, build_component, stage
from pipelines.component import Component, digest
from pipelines.errors import ConfigurationError, shorten
from pipelines.models.chat_knobs import CARRIAGE, ChatKnobs
from pipelines.stages.chunk import Chunker
from pipelines.stages.embed import Embedder
from pipelines.stages.extract import Extractor
from pipelines.stages.filter import Filter
from pipelines.stages.generate import Generator
from pipelines.stages.index import Index
from pipelines.stages.load import Loader
from pipelines.stages.rerank import Reranker
from pipelines.stages.retrieve import Retriever
from pipelines.stages.score import Scorer
from pipelines.stages.transform import Transformer


class _PlainLoader(yaml.SafeLoader):
    """Safe YAML that leaves dates as text, as the metadata hold them, and refuses a key that stands twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"the key '{key}' stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True)
class Pipeline:
    """Components by stage, complete: every stage of the catalogue has one."""

    components: Mapping[str, Component]

    @classmethod
    def parse(cls, settings: object, where: str = "pipeline") -> Pipeline:
        """Build a pipeline from plain values; a stage left out takes its default, `chunk: sentence` means `use`.

        Raises:
            ConfigurationError: for an unknown stage, component or knob, or a value out of bounds; `where` is the file.
        """
        if settings is None:
            settings = {}
        if not isinstance(settings, Mapping):
            raise ConfigurationError(
                f"{where}: a pipeline is a mapping of stages such as 'chunk: {{use: sentence}}', "
                f"but this holds {shorten(repr(settings))}."
            )
        for name in settings:
            stage(str(name), where)
        return cls({name: build_component(name, _settings(name, settings, where), where) for name in STAGE_NAMES})

    @classmethod
    def read(cls, path: Path) -> Pipeline:
        """Read a YAML or JSON file.

        Raises:
            ConfigurationError: when the file cannot be read as a pipeline.
        """
        return cls.parse(read_settings(path), str(path))

    def settings(self) -> dict[str, dict[str, Any]]:
        """Return the complete configuration as plain values, every knob included."""
        return {name: self.components[name].settings() for name in STAGE_NAMES}

    def differences(self) -> dict[str, dict[str, Any]]:
        """Return only what differs from the default pipeline: short enough for a name or a file."""
        default = Pipeline.parse({}).settings()
        own = self.settings()
        return {
            name: {k: v for k, v in own[name].items() if k == "use" or default[name].get(k, None) != v}
            for name in STAGE_NAMES
            if own[name] != default[name]
        }

    def to_yaml(self) -> str:
        """Return the file that `read` reads: every stage with all its knobs."""
        return yaml.safe_dump(self.settings(), sort_keys=False, allow_unicode=True)

    def fingerprint(self) -> str:
        """Return a digest of the configuration as written (an `auto` stays an `auto`)."""
        return digest(self.settings())

    def label(self) -> str:
        """Return a short name made of what was chosen, such as "recursive 256 · minilm · hybrid alpha=0.4"."""
        used = ["chunk", *(("embed", "index") if self.retrieve.needs_vectors or self.rerank.needs_vectors else ())]
        used += ["extract", "transform", "filter", "retrieve", "rerank", "generate"]
        silent = {"none", "exact"}
        parts = {name: _in_words(self.components[name]) for name in used}
        return " · ".join(words for words in parts.values() if words not in silent)

    @property
    def load(self) -> Loader:
        """The load stage's component."""
        return cast("Loader", self.components["load"])

    @property
    def chunk(self) -> Chunker:
        """The chunk stage's component."""
        return cast("Chunker", self.components["chunk"])

    @property
    def extract(self) -> Extractor:
        """The extract stage's component."""
        return cast("Extractor", self.components["extract"])

    @property
    def embed(self) -> Embedder:
        """The embed stage's component."""
        return cast("Embedder", self.components["embed"])

    @property
    def index(self) -> Index:
        """The index stage's component."""
        return cast("Index", self.components["index"])

    @property
    def transform(self) -> Transformer:
        """The transform stage's component."""
        return cast("Transformer", self.components["transform"])

    @property
    def filter(self) -> Filter:
        """The filter stage's component."""
        return cast("Filter", self.components["filter"])

    @property
    def retrieve(self) -> Retriever:
        """The retrieve stage's component."""
        return cast("Retriever", self.components["retrieve"])

    @property
    def rerank(self) -> Reranker:
        """The rerank stage's component."""
        return cast("Reranker", self.components["rerank"])

    @property
    def generate(self) -> Generator:
        """The generate stage's component."""
        return cast("Generator", self.components["generate"])

    @property
    def score(self) -> Scorer:
        """The score stage's component."""
        return cast("Scorer", self.components["score"])


def _in_words(component: Component) -> str:
    """Name a component with its size, where it has one, and every knob that is not at its default.

    Of a language model the name is enough: where it is, and what it charges, is in the settings.
    """
    quiet = {"size", *(("endpoint", *CARRIAGE) if isinstance(component, ChatKnobs) else ())}
    fields = type(component).model_fields
    default = {k: _plain(one.get_default(call_default_factory=True)) for k, one in fields.items()}
    knobs = {k: v for k, v in component.model_dump(mode="json").items() if v != default[k]}
    size = getattr(component, "size", None)
    words = [component.name] if size is None else [component.name, str(size)]
    return " ".join(words + [f"{k}={_short(v)}" for k, v in knobs.items() if k not in quiet])


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _short(value: object) -> str:
    if isinstance(value, str):
        return shorten(Path(value).name or value, 40)
    if isinstance(value, list) and value and all(isinstance(one, Mapping) and "use" in one for one in value):
        return " + ".join(str(one["use"]) for one in value)
    return shorten(json.dumps(value, ensure_ascii=False), 40)


def _settings(name: str, pipeline: Mapping[Any, Any], where: str) -> Mapping[str, Any]:
    value = pipeline.get(name)
    if value is None:
        return {}
    if isinstance(value, str):
        return {"use": value}
    if not isinstance(value, Mapping):
        raise ConfigurationError(
            f"{where}: stage '{name}' takes a component's name or a mapping such as {{use: {stage(name).default}}}, "
            f"but holds {shorten(repr(value))}."
        )
    return value


def read_settings(path: Path) -> object:
    """Read a YAML or JSON file into plain values.

    Raises:
        ConfigurationError: when it is missing, is no text, or is not well-formed.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigurationError(f"There is no file {path}; name a pipeline's YAML or JSON file.") from error
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error}); name a pipeline's YAML or JSON file.") from error
    return parse_settings(content, str(path), json_text=path.suffix == ".json")


def parse_settings(content: bytes, where: str, *, json_text: bool = False) -> object:
    """Turn the bytes of YAML or JSON into plain values; dates stay text, as metadata hold them.

    Raises:
        ConfigurationError: when they are no text or not well-formed; `where` names their origin.
    """
    try:
        text = content.decode("utf-8-sig")
        return json.loads(text) if json_text else yaml.load(text, Loader=_PlainLoader)  # noqa: S506
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{where} cannot be read as text ({error}); name a YAML or JSON file.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{where} is not well-formed: {_said(error)}.") from error


def _said(error: Exception) -> str:
    """Return what a parser found, and where: "line 2, column 5: expected ',' or ']'"."""
    mark = getattr(error, "problem_mark", None)
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
    return place + shorten(getattr(error, "problem", None) or error, 200)
