"""What every component declares: enough for a form, a help text, a sweep and a cache key, with no edit elsewhere."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from pipelines.catalog import STAGES, knobs, summary
from pipelines.component import Component, components, explain
from pipelines.component import build as build_from
from pipelines.errors import ConfigurationError
from pipelines.pipeline import Pipeline
from pipelines.stages.embed.endpoint import CARRIAGE, EndpointEmbedder

from .registry import applying, build, extremes, registered, required, values


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_the_default_of_a_stage_is_registered(stage: Any) -> None:
    assert stage.default in components(stage.name)
    assert stage.purpose
    assert stage.title


@pytest.mark.parametrize("component", registered())
def test_it_says_what_it_is(component: type[Component]) -> None:
    own = component.__dict__.get("__doc__")
    assert own, "a component needs a docstring of its own: help and forms show it"
    assert summary(component).endswith(".")
    assert 10 < len(summary(component)) < 400
    assert component.version >= 1


@pytest.mark.parametrize("component", registered())
def test_every_knob_is_described_and_bounded(component: type[Component]) -> None:
    for knob in knobs(component):
        assert knob.description, knob.name
        assert not knob.description.endswith("."), f"{knob.name}: help adds the full stop"
        variants = [one for one in knob.schema.get("anyOf", ()) if one.get("type") != "null"]
        schema = variants[0] if variants else knob.schema.get("items", knob.schema)
        kind = schema.get("type")
        if knob.choices or kind in ("boolean", "object"):
            continue
        if kind in ("integer", "number"):
            lower, upper = {"minimum", "exclusiveMinimum"}, {"maximum", "exclusiveMaximum"}
            assert lower & set(schema), f"{knob.name} has no lower bound"
            assert upper & set(schema), f"{knob.name} has no upper bound"
        else:
            assert {"pattern", "minLength", "maxLength", "enum"} & set(schema), f"{knob.name} takes any text at all"
        assert knob.bounds()


@pytest.mark.parametrize("component", registered())
def test_its_schema_is_json(component: type[Component]) -> None:
    schema = json.loads(json.dumps(component.model_json_schema(), allow_nan=False))
    assert schema["additionalProperties"] is False
    assert set(schema.get("properties", {})) == set(component.model_fields)


@pytest.mark.parametrize("component", registered())
def test_settings_go_through_yaml_and_json_and_back(component: type[Component]) -> None:
    for knob in [None, *knobs(component)]:
        for value in [None] if knob is None else values(knob):
            one = build(component) if knob is None else build(component, **{knob.name: value})
            settings = {component.stage: one.settings()}
            for text in (yaml.safe_dump(settings, allow_unicode=True), json.dumps(settings)):
                pipeline = Pipeline.parse(yaml.safe_load(text))
                assert pipeline.components[component.stage] == one
                again = Pipeline.parse(yaml.safe_load(pipeline.to_yaml()))
                assert again.settings() == pipeline.settings()
                assert again.fingerprint() == pipeline.fingerprint()


@pytest.mark.parametrize("component", registered())
def test_bounds_are_kept(component: type[Component]) -> None:
    for knob in knobs(component):
        for value in extremes(knob):
            assert getattr(build(component, **{knob.name: value}), knob.name) == value
        wrong: list[Any] = ["no such choice"] if knob.choices else []
        if extremes(knob):
            wrong += [extremes(knob)[0] - 1, extremes(knob)[1] + 1, float("nan"), "a text"]
        for value in wrong:
            needed = {**required(component), **applying(component, [knob.name])}
            settings = {"use": component.name, **needed, knob.name: value}
            with pytest.raises(ConfigurationError) as refused:
                build_from(component.stage, settings, component.name, "p.yaml")
            message = str(refused.value)
            assert message.startswith(f"p.yaml: {component.stage}.{component.name}.{knob.name} ")
            assert message.endswith(".")
            assert "\n" not in message


@pytest.mark.parametrize("component", registered())
def test_unknown_knobs_are_refused(component: type[Component]) -> None:
    with pytest.raises(ConfigurationError, match=f"{component.stage} component '{component.name}' has no knob 'knobb'"):
        build_from(component.stage, {"use": component.name, **required(component), "knobb": 1}, component.name, "p")


@pytest.mark.parametrize("component", registered())
def test_it_is_frozen_and_its_fingerprint_is_stable(component: type[Component]) -> None:
    one, other = build(component), build(component)
    assert one.fingerprint() == other.fingerprint()
    for knob in knobs(component):
        with pytest.raises(ValidationError):
            setattr(one, knob.name, getattr(one, knob.name))


def _or_refused(component: Component) -> str | None:
    """The fingerprint, or None where this machine cannot do what is asked (no such device)."""
    try:
        return component.fingerprint()
    except ConfigurationError:
        return None


@pytest.mark.parametrize("component", registered())
def test_its_fingerprint_changes_with_every_knob(component: type[Component]) -> None:
    plain = build(component)
    for knob in knobs(component):
        # How many at once decides how fast, never what; a header decides which text is embedded, not its vector.
        idle = ("batch_size", "header") if component is not EndpointEmbedder else CARRIAGE
        if not values(knob) or knob.name in idle:
            continue
        changed = [build(component, **{knob.name: value}) for value in values(knob)]
        known = [one for one in changed if _or_refused(one) is not None]
        for one in known:
            same = one.resolved().settings() == plain.resolved().settings()
            assert (one.fingerprint() == plain.fingerprint()) == same, (knob.name, one)
        told_apart = {one.fingerprint() for one in (plain, *known)}
        assert len(told_apart) > 1 or "auto" in knob.choices, f"no value of {knob.name} changes the fingerprint"


@pytest.mark.parametrize("component", registered())
def test_its_fingerprint_changes_with_its_version(component: type[Component], monkeypatch: pytest.MonkeyPatch) -> None:
    before = build(component).fingerprint()
    monkeypatch.setattr(component, "version", component.version + 1)
    assert build(component).fingerprint() != before


def test_two_components_of_one_name_are_refused() -> None:
    from pipelines.stages.chunk import Chunker

    with pytest.raises(TypeError, match="two chunk components are called 'fixed'"):

        class Another(Chunker, name="fixed", version=1):
            """Take a name that is taken."""


def test_the_message_names_knob_bound_and_value() -> None:
    with pytest.raises(ConfigurationError) as refused:
        build_from("chunk", {"use": "fixed", "size": 8}, "fixed", "p.yaml")
    assert str(refused.value) == "p.yaml: chunk.fixed.size must be 16 to 8192 tokens, but got 8."


def test_only_the_first_of_many_errors_is_told() -> None:
    fixed = components("chunk")["fixed"]
    with pytest.raises(ValidationError) as refused:
        fixed.model_validate({"size": 8, "overlap": 7})
    assert explain(refused.value, fixed).count("but got") == 1
