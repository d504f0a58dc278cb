"""Take a dataset away in another format, as one zip file."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st

from pipelines import api
from workbench import faults, reading
from workbench.text import plain, shortened

_USUAL = "beir"
_MADE = "export.made"


def popover(place: api.DatasetPlace) -> None:
    """Offer the formats; the file is made when it is asked for."""
    with st.popover("Export", icon=":material/output:"), faults.told():
        formats = api.export_formats()
        names = [_USUAL, *(name for name in formats if name != _USUAL)]
        chosen = str(st.selectbox("Format", names, key="export.format"))
        st.caption(plain(formats[chosen]))
        mark = (place.name, chosen, reading.stamp(place.path))
        if st.button("Make the file", key="export.go"):
            with st.spinner("Writing …"):
                st.session_state[_MADE] = (mark, *_zipped(place.path, chosen))
        made = st.session_state.get(_MADE)
        if made is not None and made[0] == mark:
            _offer(place, chosen, made[1], made[2])


def _zipped(place: Path, chosen: str) -> tuple[bytes, tuple[str, ...]]:
    with TemporaryDirectory() as folder:
        report = api.export_dataset(reading.dataset(place), Path(folder) / "export", chosen)
        archive = shutil.make_archive(str(Path(folder) / "archive"), "zip", report.path)
        return Path(archive).read_bytes(), report.notices


def _offer(place: api.DatasetPlace, chosen: str, data: bytes, notices: tuple[str, ...]) -> None:
    for notice in notices:
        st.warning(plain(notice))
    name = f"{shortened(place.name, 60)}-{chosen}.zip"
    st.download_button(
        "Download it", data, name, "application/zip", icon=":material/download:", on_click="ignore", key="export.file"
    )
