"""How the golden set is split, which documents the splits share, and which questions leak: what every gain rests on."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pipelines import api
from workbench import grids
from workbench.text import counted, plain, shortened

_SPLIT = (
    grids.Field("split", "Split", width=60),
    grids.Field("questions", "Questions", "%d", 80, help="With evidence"),
    grids.Field("documents", "Documents", "%d", 85, help="In which that evidence lies"),
    grids.Field("use", "What for", width=200),
)
_USES = {"train": "is learnt from", "dev": "decides where training stops", "test": "shows what it is worth"}
_LEAK = (
    grids.Field("question", "Train question", width=230),
    grids.Field("twin", "Asks nearly the same", width=230),
    grids.Field("why", "Why it is not trained on", width=300),
)


def show(splits: api.Splits, leaks: Sequence[api.Leak], key: str) -> None:
    """Draw both, with what is shared in words."""
    rows = [
        {"split": one, "questions": splits.questions.get(one, 0), "documents": splits.documents.get(one, 0), "use": use}
        for one, use in _USES.items()
    ]
    grids.show(_SPLIT, rows, f"{key}.splits", 3)
    st.caption(plain(splits.sentence))
    shared = [f"{pair} {n:,}" for pair, n in splits.shared.items() if n]
    if shared:
        st.caption(plain(f"Documents with evidence of both: {', '.join(shared)}."))
    _leaks(leaks, key)


def _leaks(leaks: Sequence[api.Leak], key: str) -> None:
    if not leaks:
        st.caption("No train question asks nearly what a dev or test question asks.")
        return
    verb = "asks" if len(leaks) == 1 else "ask"
    st.warning(f"{counted(len(leaks), 'train question')} {verb} nearly what dev or test asks: not trained on.")
    grids.show(_LEAK, [_leak(one) for one in leaks], f"{key}.leaks", 6)


def _leak(one: api.Leak) -> dict[str, str]:
    return {
        "question": shortened(f"{one.question_id} · {one.text}", 300),
        "twin": shortened(f"{one.twin} ({one.twin_split}) · {one.twin_text}", 300),
        "why": one.why,
    }
