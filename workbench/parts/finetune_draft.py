"""What a new finetuning begins with: the defaults, a link, an earlier one, a run or a file; and the link to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.catalog import all_components
from pipelines.errors import ConfigurationError, WorkbenchError
from pipelines.pipeline import Pipeline
from pipelines.stages.embed import TrainedEmbedder
from pipelines.stages.rerank import TrainedReranker
from workbench import faults, handover
from workbench.text import plain

Settings = dict[str, dict[str, Any]]
LEARNING = ("embed", "rerank")
_HELD, _NOW, _LONGEST_LINK = "finetune.draft", "finetune.draft.now", 6_000
_SOURCES = ("spec", "from", "run")


@dataclass(frozen=True)
class Draft:
    """Where the forms begin. `stages` are those of one pipeline; `whole` is one that says more than the forms show."""

    stages: Settings = field(default_factory=lambda: Pipeline.parse({"embed": "finetuned"}).settings())
    outside: str = ""
    whole: Mapping[str, Any] | None = None
    name: str = ""
    round: int = 0

    @property
    def key(self) -> str:
        """Return what the keys of the forms' widgets begin with: other ones for another beginning."""
        return f"finetune.form.{self.round}"

    @property
    def learns(self) -> tuple[str, ...]:
        """Return the stages that learn."""
        return tuple(stage for stage in LEARNING if self.stages[stage]["use"] in trainable(stage)) or ("embed",)


def trainable(stage: str) -> list[str]:
    """Return the components of a stage that learn from the train split."""
    kind = {"embed": TrainedEmbedder, "rerank": TrainedReranker}[stage]
    return [name for name, component in all_components()[stage].items() if issubclass(component, kind)]


def begun() -> Draft:
    """Return where the forms begin; on first sight of a link, what that says."""
    mark = handover.key("begun")
    if mark not in st.session_state:
        st.session_state[mark] = True
        with faults.told():
            _take_link()
    return _held()


def settled() -> Draft:
    """Return what the forms said last, which they begin with when they are drawn again."""
    held = _held()
    now: Draft = replace(st.session_state.get(_NOW, held), round=held.round)
    st.session_state[_HELD] = now
    return now


def _held() -> Draft:
    draft: Draft = st.session_state.setdefault(_HELD, Draft())
    return draft


def _take_link() -> None:
    spec, earlier, run = (handover.asked(name) for name in _SOURCES)
    handover.keep(**dict.fromkeys(_SOURCES))
    if spec is not None:
        _load(_from_link(spec))
    elif earlier is not None:
        found = api.finetuning(earlier).finetuning
        _on(found.dataset_path)
        _load(found.settings, found.name)
    elif run is not None:
        _of_run(run)
    else:
        _begin(st.session_state.get(_NOW, _held()))


def _on(dataset_path: str) -> None:
    """Choose the dataset of this folder, if it is there."""
    places = [place.name for place in api.datasets() if str(place.path.resolve()) == dataset_path]
    if places:
        handover.hand_over("dataset", places[0])


def _from_link(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise ConfigurationError("The link's finetuning cannot be read; it was cut, most likely.") from None


def _of_run(run_id: str) -> None:
    found = api.run(run_id)
    _on(found.dataset_path)
    take_pipeline(found.settings)


def take_pipeline(settings: Mapping[str, Any]) -> None:
    """Begin again from a pipeline, whose embedding model becomes the base of what is trained, on the dataset at hand.

    Raises:
        ConfigurationError: when it is none any more.
    """
    stages = Pipeline.parse(settings, "the pipeline of this run").settings()
    if not any(stages[stage]["use"] in trainable(stage) for stage in LEARNING):
        model = stages["embed"].get("model")
        stages["embed"] = {"use": trainable("embed")[0], **({"model": model} if model else {})}
    for stage in LEARNING:
        stages[stage].pop("learn_from", None)
    _begin(Draft(Pipeline.parse(stages, "the pipeline of this run").settings()))


def load_file(name: str, content: bytes) -> None:
    """Begin again from a file.

    Raises:
        ConfigurationError: when it cannot be read as a finetuning.
    """
    _take(api.read_finetune(name, content))


def start_over() -> None:
    """Begin again from the defaults."""
    _begin(Draft())


def _begin(draft: Draft) -> None:
    st.session_state[_HELD] = replace(draft, round=_held().round + 1)


def _load(values: Any, name: str = "") -> None:
    try:
        _take(api.FinetuneSpec.parse(values, "The finetuning of this link"), name)
    except WorkbenchError as error:
        start_over()
        st.warning(plain(f"{error} The defaults are shown."))


def _take(spec: api.FinetuneSpec, name: str = "") -> None:
    """Fill the forms where they can show all of it, else hold it whole."""
    if len(spec.candidates) == 1 and spec.split == "test" and not spec.baseline:
        _begin(Draft(spec.candidates[0].pipeline.settings(), spec.outside, None, name))
    else:
        _begin(Draft(whole=spec.settings(), name=name))


def hold(stages: Settings, outside: str, name: str) -> dict[str, Any]:
    """Hold on to what the forms say, for a return to this page, and put it into the link; return it as one spec."""
    values = {**_changed(stages), "finetune": {"split": "test", "outside": outside}}
    st.session_state[_NOW] = Draft(stages, outside, None, name)
    _link(values)
    return values


def hold_whole(draft: Draft) -> dict[str, Any]:
    """Put a finetuning that is done as it is into the link; return it."""
    values = dict(draft.whole or {})
    st.session_state[_NOW] = draft
    _link(values)
    return values


def _changed(stages: Settings) -> dict[str, Any]:
    """Return the stages that are not as the defaults have them."""
    usual = Pipeline.parse({}).settings()
    return {name: settings for name, settings in stages.items() if settings != usual[name]}


def _link(values: Mapping[str, Any]) -> None:
    written = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    handover.keep(spec=written if len(written) <= _LONGEST_LINK else None)
