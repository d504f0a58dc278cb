"""Base models as a user names them: a folder, a name of the hub, `minilm`, `static`, an endpoint, or settings."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from pipelines.catalog import build_component
from pipelines.component import Component
from pipelines.errors import ConfigurationError, WorkbenchError, shorten
from pipelines.pipeline import parse_settings, read_settings
from pipelines.stages.embed import TrainedEmbedder

Reference: TypeAlias = str | Mapping[str, Any]
"""A model as it is named: a text, or the settings of an embed component."""

MOST_MODELS = 50
_FILES = (".yaml", ".yml", ".json")
_ENDPOINT, _STATIC = "endpoint:", "static:"
_WHO = re.compile(r"//[^/\s]*@")
_UNSAID = ("model", "endpoint", "key_variable", "timeout_s", "retries", "concurrency", "batch_size")


@dataclass(frozen=True)
class Named:
    """A model, what its row is called, and the settings of its embed component; None where `error` says why not."""

    label: str
    settings: Mapping[str, Any] | None
    error: str | None = None


def named(references: Sequence[Reference]) -> tuple[Named, ...]:
    """Return what is meant by each, once; one that cannot be read is kept, with the reason.

    Raises:
        ConfigurationError: when there are none, or too many.
    """
    if not 1 <= len(references) <= MOST_MODELS:
        raise ConfigurationError(
            f"1 to {MOST_MODELS} models are compared at a time, but got {len(references)}; name each as a folder, a "
            "name of the hub, minilm, static, static:FOLDER or 'endpoint:URL MODEL'."
        )
    found = {json.dumps([one.settings, one.error], sort_keys=True): one for one in map(_named, references)}
    return tuple(found.values())


def _named(reference: Reference) -> Named:
    called = _called(reference)
    try:
        embedder = build_component("embed", settings_of(reference), f"model '{called}'")
    except WorkbenchError as error:
        return Named(called, None, str(error))
    if isinstance(embedder, TrainedEmbedder):
        why = f"The component '{embedder.name}' is trained first; hold it against its base by a finetuning."
        return Named(called, None, why)
    return Named(label_of(embedder), embedder.settings())


def _called(reference: Reference) -> str:
    if isinstance(reference, str):
        return shorten(_WHO.sub("//", reference), 60)
    return shorten(" ".join(str(reference[key]) for key in ("use", "model") if key in reference) or "?", 60)


def settings_of(reference: Reference) -> Mapping[str, Any]:
    """Return the settings of the embed component that is named.

    Raises:
        ConfigurationError: for a text that names none.
    """
    if not isinstance(reference, str):
        return _component(reference, "the settings")
    text = reference.strip()
    if text in ("minilm", "static"):
        return {"use": text}
    if text.startswith(_STATIC):
        return {"use": "static", "model": text.removeprefix(_STATIC).strip()}
    if text.startswith(_ENDPOINT):
        return _endpoint(text.removeprefix(_ENDPOINT).split())
    if text.startswith("{"):
        return _component(parse_settings(text.encode(), "the settings"), "the settings")
    if text.endswith(_FILES):
        return _component(read_settings(Path(text).expanduser()), text)
    return {"use": "sentence-transformer", "model": text}


def _endpoint(words: Sequence[str]) -> Mapping[str, Any]:
    if len(words) != 2:
        raise ConfigurationError(
            "An endpoint is named by its address and its model, such as 'endpoint:http://127.0.0.1:8080/v1 bge-m3', "
            f"but got {len(words)} words; a key and a price are given as settings: {{use: endpoint, ...}}."
        )
    return {"use": "endpoint", "endpoint": words[0], "model": words[1]}


def _component(values: object, where: str) -> Mapping[str, Any]:
    """Return the settings of an embed component, or those that a pipeline has for it."""
    inside = values.get("embed", values) if isinstance(values, Mapping) else values
    found = {"use": inside} if isinstance(inside, str) else inside
    if not isinstance(found, Mapping) or "use" not in found:
        raise ConfigurationError(
            f"{shorten(where)} holds no embed component; write {{use: sentence-transformer, model: FOLDER}}."
        )
    return found


def label_of(embedder: Component) -> str:
    """Return what a row is called: the model, where it is, and the knobs that are not at their defaults."""
    model = str(getattr(embedder, "model", ""))
    host = urlsplit(str(getattr(embedder, "endpoint", ""))).netloc
    name = Path(model).name if Path(model).is_absolute() else model
    words = [embedder.name] if embedder.name in ("minilm", "static") else []
    fields = type(embedder).model_fields
    if embedder.name == "static" and model != fields["model"].default:
        words = [f"static:{name}"]
    words = words or [f"{name} at {host}" if host else name or embedder.name]
    given = embedder.model_dump(mode="json")
    default = {key: one.get_default(call_default_factory=True) for key, one in fields.items()}
    words += [f"{key}={value}" for key, value in given.items() if key not in _UNSAID and value != default[key]]
    return shorten(" ".join(words), 80)


def weights_of(one: Named) -> Mapping[str, str]:
    """Return the digest of a local folder's weights, so that a model trained anew under its name is another one."""
    model = str((one.settings or {}).get("model", ""))
    if one.settings is None or "endpoint" in one.settings or not Path(model).is_dir():
        return {}
    try:
        return build_component("embed", one.settings, one.label).extra_identity()
    except WorkbenchError:
        return {}
