"""Judging in a terminal: a question, a passage, a key."""

from __future__ import annotations

from collections.abc import Callable

from pipelines.errors import shorten
from pipelines.golden.quotes import Found, find_quote
from pipelines.judging import Judgment, Queue, QueueItem
from pipelines.terminal.output import say

Record = Callable[[str, Judgment], Judgment]

_KEYS = "y relevant, p partly, n irrelevant, 0 to 3 a grade, s skip, u undo, q quit"
_SHARES = {"y": 1.0, "p": 0.5, "n": 0.0}
_EVIDENCE_CHARS = 300
_QUIT = "q"


def judge_here(queue: Queue, judge: str, record: Record) -> None:
    """Ask for each passage of a queue until it ends or its user quits; each answer is kept at once."""
    say(_standing(queue))
    place, asked = 0, None
    n_judged = 0
    while place < len(queue.items):
        item = queue.items[place]
        if item.question_id != asked:
            _show_question(item)
            asked = item.question_id
        _show_passage(item, place + 1, queue)
        key = _key()
        if key == _QUIT:
            break
        if key == "u":
            place, asked = _undone(queue, place, judge, record), None
            continue
        grade = None if key == "s" else _grade(key, item)
        quote = _quote(item) if grade else None
        record(queue.documents_version, item.judgment(grade, judge, quote))
        n_judged += grade is not None
        place += 1
    left = len(queue.items) - place
    say(f"{n_judged:,} judgements are kept, {left:,} passages left; the same command goes on, --publish writes them.")


def _standing(queue: Queue) -> str:
    """Say what there is to judge, and what there is not."""
    parts = [
        f"{len(queue.items):,} of {queue.n_passages:,} passages of {len(queue.runs)} runs are to judge, "
        f"for {queue.n_questions:,} questions; {queue.n_known:,} are judged by the dataset's evidence, "
        f"{queue.n_judged:,} by people."
    ]
    if queue.n_unsettled:
        parts.append(f"People disagree on {queue.n_unsettled:,} of them.")
    if queue.n_elsewhere:
        parts.append(f"{queue.n_elsewhere:,} chunks are not in the text as the dataset itself is parsed: not asked.")
    return " ".join(parts)


def _show_question(item: QueueItem) -> None:
    say("\n" + "=" * 100)
    say(f"{item.question}   ({item.question_id})")
    if item.answer:
        say(f"  answer: {shorten(item.answer, _EVIDENCE_CHARS)}")
    for quote in item.evidence:
        say(f"  known: {shorten(quote, _EVIDENCE_CHARS)}")


def _show_passage(item: QueueItem, number: int, queue: Queue) -> None:
    ranks = ", ".join(f"{queue.runs[run]} at {rank}" for run, rank in item.ranks.items())
    say("-" * 100)
    say(f"[{number:,} of {len(queue.items):,}]  {item.document_id}, {item.start} to {item.end}; found by {ranks}")
    for one in item.judgments:
        say(f"  {one.judge} said {one.grade:g}{f': {one.note}' if one.note else ''}")
    say(f"\n{item.text.strip()}\n")


def _key() -> str:
    """Ask until a key is one of those that there are; the end of the input is quitting."""
    while True:
        try:
            answer = input(f"{_KEYS}: ").strip().lower()
        except EOFError:
            return _QUIT
        if answer in ("y", "n", "p", "s", "u", _QUIT) or _number(answer) is not None:
            return answer
        say(f"'{shorten(answer, 40)}' is none of these; type one and press Enter.")


def _number(text: str) -> float | None:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if 0 <= value <= 3 else None


def _grade(key: str, item: QueueItem) -> float:
    """Return the grade that a key means: y is as good as the evidence that is known, p half of that."""
    return _SHARES[key] * item.usual_grade if key in _SHARES else _number(key) or 0.0


def _quote(item: QueueItem) -> tuple[int, int] | None:
    """Ask for the words that matter; None stands for the whole passage."""
    while True:
        try:
            quote = input("The words that matter (copy them here; Enter: the whole passage): ")
        except EOFError:
            return None
        if not quote.strip():
            return None
        found = find_quote(quote.strip(), item.text)
        if isinstance(found, Found):
            return item.start + found.start, item.start + found.end
        say(f"These words are not in the passage ({found.why}); copy them from it.")


def _undone(queue: Queue, place: int, judge: str, record: Record) -> int:
    """Take the last answer back, and return its place."""
    if not place:
        say("There is nothing to take back.")
        return 0
    before = queue.items[place - 1]
    record(queue.documents_version, before.judgment(None, judge))
    return place - 1
