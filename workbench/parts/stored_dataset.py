"""The dataset of something that was done on it, as it is now: gone, changed, or the very same."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import streamlit as st

from pipelines.errors import NotFoundError, WorkbenchError
from pipelines.golden.dataset import Dataset
from workbench import reading
from workbench.text import plain, shortened


class Stored(Protocol):
    """What is known of the dataset that a sweep or a finetuning was done on."""

    @property
    def dataset_name(self) -> str: ...

    @property
    def dataset_path(self) -> str: ...

    @property
    def dataset_version(self) -> str: ...


def dataset_of(one: Stored) -> Dataset:
    """Return the dataset as it is now.

    Raises:
        NotFoundError: when it is gone.
    """
    path = Path(one.dataset_path)
    if not path.is_dir():
        raise NotFoundError(f"The dataset '{shortened(one.dataset_name, 60)}' is gone: {path} is no folder any more.")
    return reading.dataset(path)


def changed(one: Stored, what: str) -> None:
    """Say it where the dataset is gone, or is another one than it was; `what` is "sweep" or "finetuning"."""
    try:
        now = dataset_of(one)
    except WorkbenchError as error:
        st.warning(plain(f"{error} What the {what} found is still here."))
        return
    if now.version != one.dataset_version:
        st.warning(
            plain(
                f"The dataset '{shortened(one.dataset_name, 60)}' was changed after this {what} (version "
                f"{one.dataset_version[:8]} then, {now.version[:8]} now): its figures are of the dataset as it was."
            )
        )
