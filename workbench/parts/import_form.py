"""Bring in a golden set of another format: uploaded files to `api.import_golden`, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.errors import DatasetError
from pipelines.golden.naming import slug
from pipelines.golden.upload import short_name
from pipelines.settings import dataset_folders
from workbench import faults
from workbench.parts import upload
from workbench.text import plain, shortened

_SOURCES = {"llama-rag": "source_files"}
_WITHIN = {("beir", ".tsv"): "qrels"}


def form() -> None:
    """Ask for a format, its files and a name; write the dataset."""
    formats = api.import_formats()
    with st.form("import", border=False):
        left, right = st.columns([1, 1.6])
        chosen = left.selectbox(
            "Format", list(formats), key="import.format", format_func=lambda one: shortened(f"{one}: {formats[one]}")
        )
        name = right.text_input(
            "Name of the imported dataset", max_chars=10_000, key="import.name", placeholder="such as paulg"
        )
        left, right = st.columns(2)
        files = left.file_uploader("Its files, all of them", accept_multiple_files=True, key="import.files")
        sources = right.file_uploader(
            "Its source documents, where it has them apart", accept_multiple_files=True, key="import.sources",
            help="llama-rag: source_files; ragas and csv: documents. Contexts are then found in them.",
        )  # fmt: skip
        st.caption(plain("; ".join(f"{one}: {about}" for one, about in formats.items()) + "."))
        if st.form_submit_button("Bring it in", type="primary", key="import.go"):
            with faults.told():
                _import(str(chosen), name, files or [], sources or [])


def _import(chosen: str, name: str, files: Sequence[Any], sources: Sequence[Any]) -> None:
    if not name.strip():
        raise DatasetError("The dataset has no name; give it one.")
    if not files:
        raise DatasetError(f"There are no files of the format {chosen}; add them.")
    upload.refuse_taken(name)
    with st.spinner("Importing …"), TemporaryDirectory() as folder:
        source = _written(chosen, files, sources, Path(folder))
        upload.note(api.import_golden(chosen, source, dataset_folders()[0] / slug(name), name.strip()))
    st.rerun()


def _written(chosen: str, files: Sequence[Any], sources: Sequence[Any], folder: Path) -> Path:
    """Write the uploads into a folder of their own, by the last part of their names; return what is to be imported."""
    inner = folder / _SOURCES.get(chosen, "documents")
    for place, some in ((folder, files), (inner, sources)):
        for file in some:
            name = short_name(file.name)
            path = place / _WITHIN.get((chosen, Path(name).suffix), "") / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.getvalue())
    return folder / short_name(files[0].name) if len(files) == 1 and not sources else folder
