"""Evidence cut into fragments wherever a piece of it or a chunk's context begins or ends: no ranking is looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.records import BoolArray, Chunks, Gold, IntArray, LongArray
from pipelines.stages.score.intervals import Spans, expand, high_part, low_part, pack
from pipelines.stages.score.relevant import Relevant


@dataclass(frozen=True, eq=False)
class Fragments:
    """Every evidence character once: of a fragment, each piece of evidence and each context span holds all or nothing.

    `question`, `start` and `end` are int64 [n_fragments], in order of question and document. A row of `member` joins
    `member_fragment` with the piece of evidence `member_item` that holds it, a row of `held` with a chunk whose context
    span does. Items are rows of the gold: `item_evidence` is their number within their question, `item_whole` says
    whether one chunk's context span holds all of it, `item_located` whether the parsed text does.
    """

    n_questions: int
    question: LongArray
    start: LongArray
    end: LongArray
    member_fragment: LongArray
    member_item: LongArray
    held_fragment: LongArray
    held_chunk: LongArray
    item_evidence: LongArray
    item_whole: BoolArray
    item_located: BoolArray

    @classmethod
    def of(cls, gold: Gold, chunks: Chunks) -> Fragments:
        """Cut the evidence of `gold` by its own spans and by the context spans of `chunks`."""
        relevant = Relevant.of(gold)
        items, touching = _by_region(relevant), _Touching.of(relevant, chunks)
        grid = _Grid.of(relevant.regions, items, touching.spans)
        member_item, member_fragment = grid.within(items)
        held, held_fragment = grid.within(touching.spans)
        located = np.ones(len(gold.question), dtype=np.bool_) if gold.located is None else gold.located
        return cls(
            n_questions=gold.n_questions,
            question=relevant.question[relevant.regions.owner[grid.region]],
            start=grid.start,
            end=grid.end,
            member_fragment=member_fragment,
            member_item=member_item,
            held_fragment=held_fragment,
            held_chunk=touching.chunk[held],
            item_evidence=_numbered(gold.question)[relevant.row],
            item_whole=_whole(items, touching, chunks),
            item_located=located[relevant.row],
        )

    def __len__(self) -> int:
        return len(self.question)


@dataclass(frozen=True)
class _Touching:
    """Which chunks' context spans share characters with which regions: `spans` are these, their owners regions."""

    spans: Spans
    chunk: LongArray

    @classmethod
    def of(cls, relevant: Relevant, chunks: Chunks) -> _Touching:
        """Find them by two binary searches a region, over the context spans in order of their starts."""
        regions, document = relevant.regions, relevant.document[relevant.regions.owner]
        begins = pack(chunks.document, chunks.context_start)
        order = np.argsort(begins, kind="stable")
        reach = np.maximum.accumulate(pack(chunks.document, chunks.context_end)[order])
        first = np.searchsorted(reach, pack(document, regions.start), side="right")
        behind = np.searchsorted(begins[order], pack(document, regions.end))
        region, offset = expand(np.maximum(behind - first, 0))
        chunk = order[first[region] + offset]
        start = np.maximum(chunks.context_start[chunk], regions.start[region])
        end = np.minimum(chunks.context_end[chunk], regions.end[region])
        hit = np.flatnonzero(start < end)
        return cls(Spans(region[hit], start[hit], end[hit]), chunk[hit])


@dataclass(frozen=True)
class _Grid:
    """All places at which something begins or ends, region by region; between two of them lies a fragment."""

    points: LongArray
    fragment: LongArray
    region: LongArray
    start: LongArray
    end: LongArray

    @classmethod
    def of(cls, regions: Spans, *others: Spans) -> _Grid:
        whole = Spans(np.arange(len(regions.owner)), regions.start, regions.end)
        ends = [pack(spans.owner, side) for spans in (whole, *others) for side in (spans.start, spans.end)]
        points = np.unique(np.concatenate(ends))
        inside = high_part(points[:-1]) == high_part(points[1:])
        begins = np.flatnonzero(inside)
        fragment = np.append(np.cumsum(inside) - inside, 0)
        return cls(points, fragment, high_part(points[begins]), low_part(points[begins]), low_part(points[begins + 1]))

    def within(self, spans: Spans) -> tuple[LongArray, LongArray]:
        """Return every pair of a row of `spans` and a fragment within it."""
        first = np.searchsorted(self.points, pack(spans.owner, spans.start))
        row, offset = expand(np.searchsorted(self.points, pack(spans.owner, spans.end)) - first)
        return row, self.fragment[first[row] + offset]


def _by_region(relevant: Relevant) -> Spans:
    """Return the pieces of evidence as spans whose owners are the regions that they lie in."""
    regions, evidence = relevant.regions, relevant.evidence
    begins = pack(regions.owner, regions.start)
    region = np.searchsorted(begins, pack(evidence.owner, evidence.start), side="right") - 1
    return Spans(region, evidence.start, evidence.end)


def _whole(items: Spans, touching: _Touching, chunks: Chunks) -> BoolArray:
    """Return whether one context span holds all of each item, bool [n_items]."""
    order = np.argsort(items.owner, kind="stable")
    first = np.searchsorted(items.owner[order], touching.spans.owner)
    behind = np.searchsorted(items.owner[order], touching.spans.owner, side="right")
    row, offset = expand(behind - first)
    item, chunk = order[first[row] + offset], touching.chunk[row]
    holds = (chunks.context_start[chunk] <= items.start[item]) & (items.end[item] <= chunks.context_end[chunk])
    whole = np.zeros(len(items.owner), dtype=np.bool_)
    whole[item[holds]] = True
    return whole


def _numbered(question: IntArray) -> LongArray:
    """Number the rows of each question from 0; `question` is sorted."""
    numbers: LongArray = np.arange(len(question)) - np.searchsorted(question, question)
    return numbers
