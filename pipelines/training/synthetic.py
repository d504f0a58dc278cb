"""Questions that a language model wrote: on which passages, and which of them are sound enough to train on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipelines.errors import EndpointError, counted, shorten
from pipelines.near_duplicates import alike_between, alike_pairs, plain
from pipelines.records import PADDING, Chunks, Documents, Gold, Question, Rankings
from pipelines.records.pairs import Written
from pipelines.training.drawing import drawn_number
from pipelines.training.evidence import HeldOut
from pipelines.training.material import Searched
from pipelines.training.overlaps import Overlaps
from pipelines.training.writing import question_in

FIRST_RANKS = 10
"""A search must find a written question's passage again among so many chunks."""

_LEAST_CHARS = 40


def passages_to_ask_on(
    documents: Documents, chunks: Chunks, texts: Sequence[str], gold: Gold, held_out: HeldOut, most: int
) -> list[int]:
    """Return up to `most` chunks that questions are written on, drawn by what they are: the same ones each time.

    They are of documents that hold evidence of train questions (`gold`), hold none of a dev or test question, have 40
    characters of words or more, and no text of theirs comes twice. `texts` are the chunks' own. The first of more are
    those of fewer.
    """
    taught = set(chunks.document[Overlaps.of(gold, chunks).chunk].tolist())
    rows = [row for row, document in enumerate(chunks.document.tolist()) if document in taught]
    spans = zip(chunks.start.tolist(), chunks.end.tolist(), strict=True)
    places = [(documents.ids[d], *span) for d, span in zip(chunks.document.tolist(), spans, strict=True)]
    chosen: dict[str, int] = {}
    for row in sorted(rows, key=lambda row: drawn_number("passage", *places[row])):
        if len(chosen) == most:
            break
        words = plain(texts[row])
        if len(words) >= _LEAST_CHARS and not held_out.holds(row, texts[row]):
            chosen.setdefault(words, row)
    return list(chosen.values())


@dataclass(frozen=True)
class Sifted:
    """The written questions that are left, and how many were dropped, by the reason."""

    kept: tuple[Written, ...]
    asked: int
    dropped: Mapping[str, int] = field(default_factory=dict)

    def told(self) -> str:
        """Say how many questions were asked for, kept and dropped, and why."""
        why = "; ".join(f"{n:,} {reason}" for reason, n in self.dropped.items() if n)
        asked = counted(self.asked, "question")
        kept = f"Of {asked} that a language model was asked to write, {len(self.kept):,} are kept"
        return f"{kept} ({why})." if why else f"{kept}."


def sound_questions(answers: Sequence[Written], train: Sequence[Question], held_out: Sequence[Question]) -> Sifted:
    """Return the answers that are questions, and ask nothing that a golden question or another answer asks already.

    Raises:
        EndpointError: when not a single answer is a question.
    """
    read = [Written(question_in(one.text), one.chunk) for one in answers]
    asking = [one for one in read if one.text]
    if answers and not asking:
        raise EndpointError(
            f"None of the {len(answers)} answers of the language model is one question on one line, such as "
            f"'{shorten(answers[0].text, 60)}'; choose a model that follows its instructions, or set synthetic to 0."
        )
    leaks, known = _asked_already(asking, held_out), _asked_already(asking, train)
    again = {j for _, j in alike_pairs(_as_questions(asking))}
    kept = [one for i, one in enumerate(asking) if i not in leaks | known | again]
    dropped = {
        "are no question": len(read) - len(asking),
        "ask what a dev or test question asks": len(leaks),
        "ask what another one asks": len((known | again) - leaks),
    }
    return Sifted(tuple(kept), len(answers), dropped)


def round_trip(sifted: Sifted, found: Searched, texts: Sequence[str]) -> tuple[Sifted, Searched]:
    """Return the questions whose passage, or its very text, a search finds among its first ten chunks.

    `found` is what is found for `sifted.kept`; what is found for those that are left is returned with them.
    """
    rankings = found.rankings
    rows = [row for row, one in enumerate(sifted.kept) if _found(row, texts[one.chunk], rankings, texts)]
    dropped = {**sifted.dropped, "do not lead back to their passage": len(sifted.kept) - len(rows)}
    return replace(sifted, kept=tuple(sifted.kept[row] for row in rows), dropped=dropped), found.of_rows(rows)


def _found(row: int, text: str, rankings: Mapping[str, Rankings], texts: Sequence[str]) -> bool:
    first = [c for own in rankings.values() for c in own.chunk[row, :FIRST_RANKS].tolist() if c != PADDING]
    return any(texts[chunk] == text for chunk in first)


def _asked_already(asking: Sequence[Written], known: Sequence[Question]) -> set[int]:
    """Return the positions of questions that a golden one asks too, whatever its filter."""
    return {i for i, _ in alike_between(_as_questions(asking), [replace(one, filter={}) for one in known])}


def _as_questions(written: Sequence[Written]) -> list[Question]:
    return [Question(str(i), one.text) for i, one in enumerate(written)]
