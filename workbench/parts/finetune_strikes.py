"""What a person strikes out of the training data, kept by dataset: it is left out of whatever is trained from here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.golden.dataset import Dataset
from pipelines.records import Documents
from pipelines.records.pairs import Passage
from pipelines.training.strikes import Strike, Struck
from workbench import faults, grids, reading
from workbench.parts import finetune_draft
from workbench.parts.finetune_draft import LEARNING, Settings
from workbench.text import counted, plain, shortened

_AS = {"positive": "as an answer", "negative": "as a hard negative"}
_FIELDS = (
    grids.Field("as", "Struck out", width=130),
    grids.Field("question", "Question", width=210),
    grids.Field("passage", "Passage", width=290),
    grids.Field("document", "Document", width=130),
    grids.Field("place", "Characters", width=110),
)


def applied(stages: Settings, dataset: Dataset) -> Settings:
    """Return the stages with the dataset's strikes in what learns, unless a file from elsewhere is named there."""
    file = api.strikes_file(dataset)
    own = str(file) if api.read_strikes(dataset) else ""
    return {name: _with(settings, own, file.parent.resolve()) if _learns(name, settings) else settings
            for name, settings in stages.items()}  # fmt: skip


def _learns(stage: str, settings: Mapping[str, Any]) -> bool:
    return stage in LEARNING and settings["use"] in finetune_draft.trainable(stage)


def _with(settings: dict[str, Any], own: str, folder: Path) -> dict[str, Any]:
    named = str(settings.get("strikes") or "")
    return settings if named and Path(named).parent != folder else {**settings, "strikes": own}


def titled(title: str, question_id: str, passage: Passage, of: Struck, dataset: Dataset, key: str) -> None:
    """Draw a passage's title, and offer to strike it out, as a question's answer or as its negative."""
    about = "Leave it out of what is trained; it can be taken back under Struck out"
    one = Strike(question_id, passage.document_id, passage.start, passage.end, of)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(f"**{title}**", width="content")
        st.button("Strike out", key=key, icon=":material/strikethrough_s:", type="tertiary", help=about,
                  on_click=_strike, args=(dataset, one))  # fmt: skip


def _strike(dataset: Dataset, one: Strike) -> None:
    with faults.told():
        api.save_strikes(dataset, [*api.read_strikes(dataset), one])


def _take_back(dataset: Dataset, some: Sequence[Strike]) -> None:
    with faults.told():
        api.save_strikes(dataset, [one for one in api.read_strikes(dataset) if one not in some])


def undo(dataset: Dataset) -> None:
    """Offer to take the last strike back."""
    held = api.read_strikes(dataset)
    st.button("Undo", icon=":material/undo:", disabled=not held, key="finetune.undo", on_click=_take_back,
              args=(dataset, held[-1:]), help="Take the last strike back")  # fmt: skip


def show(dataset: Dataset) -> None:
    """Draw what was struck out, the latest first, with a way back for each."""
    held = list(reversed(api.read_strikes(dataset)))
    if not held:
        st.info("Nothing was struck out of this dataset's pairs. What looks wrong to you is struck out in the pairs.")
        return
    documents = reading.contents(dataset.path)[0]
    questions = {question.id: question.text for question in dataset.questions}
    st.caption(f"{counted(len(held), 'passage')} struck out. Tick those to be taken back.")
    rows = [_shown(one, questions, documents) for one in held]
    ticked = grids.show(_FIELDS, rows, "finetune.struck", 12, select="multi-row")
    chosen = [held[i] for i in ticked]
    with st.container(horizontal=True):
        st.button("Take back", icon=":material/undo:", disabled=not chosen, on_click=_take_back,
                  args=(dataset, chosen), key="finetune.back")  # fmt: skip
        st.button("Take all back", type="tertiary", on_click=_take_back, args=(dataset, held), key="finetune.back.all")
    st.caption(plain(f"Kept in {api.strikes_file(dataset)}"))


def _shown(one: Strike, questions: Mapping[str, str], documents: Documents) -> dict[str, Any]:
    place = documents.position.get(one.document_id)
    text = "" if place is None else documents[place].text[one.start : one.end]
    asked = questions.get(one.question_id, one.question_id or "pairs made otherwise")
    return {
        "as": _AS[one.of],
        "question": shortened(asked, 300),
        "passage": shortened(text, 300),
        "document": shortened(one.document_id, 80),
        "place": f"{one.start:,}–{one.end:,}",
    }
