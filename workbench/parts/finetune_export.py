"""Take the trained model away: a folder in this workbench's home, or a zip of it."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st

from pipelines import api
from pipelines.settings import home
from workbench import faults
from workbench.text import plain, sized

_MADE = "finetune.exported"
_MOST_ZIPPED_BYTES = 500 * 2**20


def popover(view: api.FinetuneView) -> None:
    """Offer the model of the chosen pipeline, or of another one."""
    with st.popover("Export the model", icon=":material/output:"), faults.told():
        labels = _labels(view)
        label = st.selectbox("Trained in", labels, key="finetune.export.label") if len(labels) > 1 else None
        place = home() / "exports" / f"finetuning-{view.finetuning.id}"
        st.caption(plain(f"Written to {place}, in the format of sentence-transformers, with a model card."))
        if st.button("Write the folder", type="primary", key="finetune.export"):
            with st.spinner("Writing …"):
                st.session_state[_MADE] = (view.finetuning.id, label, _written(view, place, label))
        made = st.session_state.get(_MADE)
        if made is not None and made[:2] == (view.finetuning.id, label):
            _offer(made[2], view.finetuning.id)


def _labels(view: api.FinetuneView) -> list[str]:
    found = [row["label"] for row in (view.report or {}).get("candidates", ())]
    return list(dict.fromkeys(str(label) for label in found))


def _written(view: api.FinetuneView, place: Path, label: str | None) -> list[Path]:
    """Write the folder in place of what was exported of this finetuning before, once all of it is written."""
    aside = place.with_name(f".{place.name}")
    shutil.rmtree(aside, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    written = api.export_model(view.finetuning.id, aside, label)
    shutil.rmtree(place, ignore_errors=True)
    aside.rename(place)
    return [place / folder.relative_to(aside) for folder in written]


def _offer(folders: list[Path], name: str) -> None:
    for folder in folders:
        n_bytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        st.success(plain(f"{folder} ({sized(n_bytes)})"))
        if n_bytes > _MOST_ZIPPED_BYTES:
            st.caption("Too large to be handed over by the browser: take the folder.")
            continue
        st.download_button(
            f"Download {folder.name}.zip" if len(folders) > 1 else "Download as zip", lambda one=folder: _zipped(one),
            f"{name}-{folder.name}.zip" if len(folders) > 1 else f"{name}.zip", "application/zip",
            icon=":material/download:", on_click="ignore", key=f"finetune.zip.{folder.name}",
        )  # fmt: skip


def _zipped(folder: Path) -> bytes:
    with TemporaryDirectory() as aside:
        return Path(shutil.make_archive(str(Path(aside) / "model"), "zip", folder)).read_bytes()
