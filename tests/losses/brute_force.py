"""Losses by their definition, character by character: slow, plain, and written without the code that it checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.records import Candidates, Chunks, Gold, Rankings

Char = tuple[int, int]


@dataclass(frozen=True)
class Case:
    """One configuration over some questions."""

    gold: Gold
    chunks: Chunks
    candidates: Candidates
    before: Rankings
    after: Rankings
    cutoffs: Sequence[int]
    budgets: Sequence[int]


def lost(case: Case, question: int) -> tuple[int, list[Counter[str]]]:
    """Return |R|, and for every cut how many characters each stage lost."""
    items = [_item(case.gold, row) for row in range(len(case.gold.question)) if case.gold.question[row] == question]
    relevant = {char for item, _ in items for char in item}
    cuts = [("cut", k) for k in case.cutoffs] + [("budget", budget) for budget in case.budgets]
    return len(relevant), [_at(case, question, items, relevant, *cut) for cut in cuts]


def _item(gold: Gold, row: int) -> tuple[set[Char], bool]:
    chars = {(int(gold.document[row]), c) for c in range(int(gold.start[row]), int(gold.end[row]))}
    return chars, gold.located is None or bool(gold.located[row])


def _context(chunks: Chunks, c: int) -> set[Char]:
    return {(int(chunks.document[c]), i) for i in range(int(chunks.context_start[c]), int(chunks.context_end[c]))}


def _ranked(rankings: Rankings, question: int) -> list[int]:
    return [int(c) for c in rankings.chunk[question] if c >= 0]


def _first(case: Case, ranked: list[int], last: str, size: int) -> list[int]:
    if last == "cut":
        return ranked[:size]
    kept, tokens, handed_on = [], 0, set[tuple[int, int, int]]()
    for c in ranked:
        chunks = case.chunks
        span = int(chunks.document[c]), int(chunks.context_start[c]), int(chunks.context_end[c])
        tokens += 0 if span in handed_on else int(chunks.tokens[c])  # a shared context is handed on once
        handed_on.add(span)
        if tokens > size:
            break
        kept.append(c)
    return kept


def _at(
    case: Case, question: int, items: list[tuple[set[Char], bool]], relevant: set[Char], last: str, size: int
) -> Counter[str]:
    before, after = _ranked(case.before, question), _ranked(case.after, question)
    then, now = _first(case, before, last, size), _first(case, after, last, size)
    contexts = {c: _context(case.chunks, c) for c in range(len(case.chunks))}
    handed = set().union(*(contexts[c] for c in now)) if now else set()
    mask = int(case.candidates.mask[question])
    found: Counter[str] = Counter()
    for char in relevant - handed:
        holders = {c for c in contexts if char in contexts[c]}
        own = [(chars, located) for chars, located in items if char in chars]
        apart = any(chars & handed and not any(chars <= contexts[c] for c in contexts) for chars, _ in own)
        open_ = {c for c in holders if mask < 0 or case.candidates.allowed[mask, c]}
        if not all(located for _, located in own):
            found["parse"] += 1
        elif not holders or apart:
            found["chunk"] += 1
        elif not open_:
            found["filter"] += 1
        elif not holders & set(before):
            found["retrieve"] += 1
        elif not holders & set(after) or holders & set(then):
            found["rerank"] += 1
        else:
            found[last] += 1
    return found
