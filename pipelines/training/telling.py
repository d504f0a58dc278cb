"""What the user is told of training pairs: how few there are and why, what was drawn, which strikes are idle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from pipelines.errors import counted, shorten
from pipelines.records.pairs import LeftOut
from pipelines.training.knobs import PairKnobs
from pipelines.training.methods import FEWEST_PAIRS
from pipelines.training.strikes import Strike

_TOLD = 3


def share_told(n_drawn: int, n_questions: int, seed: int) -> str:
    """Say how many questions are learnt from."""
    n = counted(n_questions, "train question")
    return f"Learnt from {n_drawn:,} of {n}, a share drawn by seed {seed}."


def left_out_told(left_out: Sequence[LeftOut]) -> Iterator[str]:
    """Say which questions would leak, each with its twin, and how many are left out for other reasons."""
    leaks = [one for one in left_out if one.twin]
    if leaks:
        some = ", ".join(f"'{shorten(one.question_id, 40)}' as '{shorten(one.twin, 40)}'" for one in leaks[:_TOLD])
        more = f", and {len(leaks) - _TOLD:,} more" if len(leaks) > _TOLD else ""
        n = counted(len(leaks), "train question")
        yield f"Left out for fear of a leak: {n} that ask nearly what a dev or test question asks ({some}{more})."
    for why, n_left in Counter(one.why for one in left_out if not one.twin).items():
        yield f"Left out: {counted(n_left, 'train question')}, because {why}."


def idle_told(idle: Sequence[Strike], n_strikes: int) -> str:
    """Say how many strikes hold for nothing."""
    first = f"'{shorten(idle[0].document_id, 40)}' from {idle[0].start} to {idle[0].end}"
    hold = "holds" if len(idle) == 1 else "hold"
    return f"{len(idle):,} of {counted(n_strikes, 'strike')} {hold} for nothing here; the first: {first}."


def one_document_told(document: str) -> str:
    """Say that all evidence is in one document."""
    return (
        f"All evidence of the train questions is in one document, '{shorten(document, 60)}': what is learnt may hold "
        "for it alone, and only questions on other documents can show whether it does."
    )


def too_few_told(n: int, n_questions: int, left_out: Sequence[LeftOut], knobs: PairKnobs) -> str:
    """Say how few pairs there are, why, and what to do."""
    reasons = Counter("it asks nearly the same as a dev or test question" if one.twin else one.why for one in left_out)
    told = "; ".join(f"{count:,} because {why}" for why, count in reasons.most_common(_TOLD))
    asked = f"{counted(n_questions, 'train question')} with evidence" + (
        f", of which {knobs.share:g} are drawn" if knobs.share < 1.0 else ""
    )
    out = f", left out are {told}" if told else ""
    return (
        f"Only {counted(n, 'training pair')} can be made of {asked}{out}; training needs {FEWEST_PAIRS} at least: mark "
        "evidence of more questions of the split 'train', or put more questions into it with: rag-workbench split."
    )
