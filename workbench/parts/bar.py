"""A bar that work in this process moves while it goes on; gone when it is done."""

from __future__ import annotations

import streamlit as st


class Bar:
    """Stands where it is made, with words at first; `of_stage` and `of_files` are told how far the work is."""

    def __init__(self, words: str) -> None:
        self._place, self._words = st.empty(), words

    def __enter__(self) -> Bar:
        self._place.caption(self._words)
        return self

    def __exit__(self, *_: object) -> None:
        self._place.empty()

    def of_stage(self, stage: str, done: int, total: int) -> None:
        """Move the bar of a stage's work."""
        if total:
            self._place.progress(min(1.0, done / total), text=f"{stage}: {done:,} of {total:,}")

    def of_files(self, done: int, total: int) -> None:
        """Move the bar of files being read."""
        self.of_stage("reading the files", done, total)
