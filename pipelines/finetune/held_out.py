"""Whatever would train on dev or test is refused: a gain on what was learnt would be memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.errors import ConfigurationError, did_you_mean, shorten
from pipelines.records import SPLITS

_TRAINED_ON = ("train", "train_on", "train_split", "train_splits", "trained_on", "training_split", "learn_on")
"""Keys by which one would name a split to train on; there are none, for it is always the same."""

_LEARNING = ("embed", "rerank")


def refuse_training_on_held_out(stages: Mapping[str, Any], given: Mapping[str, Any], where: str) -> None:
    """Refuse a spec that names a split to train on, or another dataset to learn from.

    Raises:
        ConfigurationError: for any split other than train, which need not be named, and for a dataset.
    """
    for key in _TRAINED_ON:
        if key in stages:
            _refuse(f"{where}: {key}", stages[key])
    entries = [("finetune", given)] + [(stage, one) for stage in _LEARNING for one in _mappings(stages.get(stage))]
    for owner, entry in entries:
        for key in entry:
            if key in _TRAINED_ON or (key == "split" and owner in _LEARNING):
                _refuse(f"{where}: {owner}.{key}", entry[key])
            if key == "learn_from" and entry[key] and owner in _LEARNING:
                _refuse_another_dataset(f"{where}: {owner}.{key}", entry[key])


def _refuse(owner: str, value: object) -> None:
    if value == "train":
        raise ConfigurationError(f"{owner} is not needed: training is on the train split, always; leave it out.")
    raise ConfigurationError(
        f"{owner} is {shorten(repr(value))}, but training is on the train split, always: dev decides where it stops "
        "and test shows what it is worth, so a model that has seen them would report its memory; leave it out."
    )


def _refuse_another_dataset(owner: str, value: object) -> None:
    raise ConfigurationError(
        f"{owner} is {shorten(repr(value))}, but a finetuning learns from the dataset that it is asked for, whose "
        "splits and leaks it reports; leave it out and name that dataset, or put the pipeline into a run."
    )


def _mappings(value: object) -> Iterator[Mapping[str, Any]]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, Mapping):
            yield one


def check_reported(split: object, where: str) -> str:
    """Return the split that is reported.

    Raises:
        ConfigurationError: for train, or what is no split.
    """
    if split == "train":
        raise ConfigurationError(
            f"{where}: finetune.split is 'train', on which is trained: a gain there is memory; report on test."
        )
    if not isinstance(split, str) or split not in SPLITS:
        raise ConfigurationError(
            f"{where}: finetune.split must be test or dev, but got {shorten(repr(split))}."
            f"{did_you_mean(str(split), SPLITS)}"
        )
    return split
