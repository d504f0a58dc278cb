"""What is to be judged next: the passages that could change most, a question at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipelines.golden.dataset import Dataset
from pipelines.judging.judgments import Judgment, Place, grades
from pipelines.judging.pool import Passage, Span, covered, overlap, pooled
from pipelines.kept import KeptRun
from pipelines.records import Documents, Evidence, MetadataValue, Question
from pipelines.runs.table import Table

DEPTH = 10
_AROUND_CHARS = 200


@dataclass(frozen=True)
class QueueItem:
    """A passage to judge, with all that a person needs to see.

    `document_id[start:end]` is `text`; `before` and `after` stand around it. `ranks` is the best rank by run id,
    `weight` how much a judgement could change. `evidence` is what is known to answer the question, `judgments` what
    others said, `skipped` whether this person passed it over before.
    """

    question_id: str
    question: str
    answer: str | None
    evidence: tuple[str, ...]
    usual_grade: float
    document_id: str
    metadata: Mapping[str, MetadataValue]
    start: int
    end: int
    text: str
    before: str
    after: str
    ranks: Mapping[str, int]
    weight: float
    judgments: tuple[Judgment, ...] = ()
    skipped: bool = False

    @property
    def place(self) -> Place:
        """What is judged."""
        return self.question_id, self.document_id, self.start, self.end

    def judgment(self, grade: float | None, judge: str, quote: Span | None = None, note: str = "") -> Judgment:
        """Return a judgement of this passage; `quote` is the span of the part that matters (None: all of it)."""
        start, end = (None, None) if quote is None else quote
        return Judgment(
            self.question_id, self.question, self.document_id, self.start, self.end, grade, judge, start, end, note
        )


@dataclass(frozen=True)
class Queue:
    """What is left to judge, in order, and what became of the rest of the pool.

    Of `n_chunks` retrieved, the same ones taken together are `n_passages`: `n_known` are judged by the dataset's own
    evidence, `n_judged` by people, and the others are `items`. `n_elsewhere` chunks could not be found in the dataset's
    own parsing. `n_unsettled` passages are among the items though judged, since people disagree on them.
    """

    dataset_name: str
    dataset_version: str
    documents_version: str
    runs: Mapping[str, str]
    depth: int
    items: tuple[QueueItem, ...]
    n_chunks: int
    n_passages: int
    n_known: int
    n_judged: int
    n_unsettled: int
    n_elsewhere: int

    @property
    def n_questions(self) -> int:
        """How many questions have something left to judge."""
        return len({item.question_id for item in self.items})

    def table(self) -> Table:
        """Return one row a passage, best first, as a person would look through it."""
        columns = ("question_id", "question", "document_id", "start", "end", "weight", "best_rank", "runs", "text")
        rows = [
            {
                **{name: getattr(item, name) for name in columns[:6]},
                "best_rank": min(item.ranks.values()),
                "runs": "; ".join(f"{self.runs[run]} at {rank}" for run, rank in item.ranks.items()),
                "text": item.text,
            }
            for item in self.items
        ]
        return Table(columns, tuple(rows))


def queue_of(
    runs: Sequence[KeptRun],
    dataset: Dataset,
    documents: Documents,
    questions: Sequence[Question],
    latest: Mapping[tuple[str, Place], Judgment],
    judge: str,
    depth: int = DEPTH,
    again: bool = False,
) -> Queue:
    """Return what `judge` is to judge of what `runs` retrieved.

    `questions` are the dataset's, their evidence located in `documents`. What the dataset's evidence or anybody's
    judgement covers by half is not asked again: with `again` only what this person judged is left out, so that a
    second opinion comes about. Where people disagree, whoever has not judged is asked.

    Raises:
        ComparisonError: as `pooled` does.
    """
    pool = pooled(runs, documents, depth)
    by_id = {question.id: question for question in questions}
    maker = _Maker(documents, len(runs), _Said.of(latest, by_id), judge, again)
    found = [maker.made(by_id[name], passages) for name, passages in pool.passages.items() if name in by_id]
    # No metric is measured where nothing answers: there a judgement changes something only if it finds an answer.
    found.sort(key=lambda items: (not any(item.evidence for item in items), -sum(item.weight for item in items)))
    return Queue(
        dataset_name=dataset.name,
        dataset_version=dataset.version,
        documents_version=dataset.documents_version,
        runs={kept.run.id: kept.run.name for kept in runs},
        depth=depth,
        items=tuple(item for skipped in (False, True) for items in found for item in items if item.skipped is skipped),
        n_chunks=pool.n_chunks,
        n_passages=sum(map(len, pool.passages.values())),
        n_known=maker.n_known,
        n_judged=maker.n_judged,
        n_unsettled=maker.n_unsettled,
        n_elsewhere=pool.n_elsewhere,
    )


@dataclass(frozen=True)
class _Said:
    """What people said, by question: judgements with a grade, and who skipped what."""

    judged: Mapping[str, Sequence[Judgment]]
    skipped: frozenset[tuple[str, Place]]

    @classmethod
    def of(cls, latest: Mapping[tuple[str, Place], Judgment], questions: Mapping[str, Question]) -> _Said:
        """Gather them; what was said of another wording of a question does not count."""
        judged: dict[str, list[Judgment]] = {}
        for one in (one for some in grades(latest).values() for one in some):
            if one.question_id in questions and questions[one.question_id].text == one.question:
                judged.setdefault(one.question_id, []).append(one)
        return cls(judged, frozenset(key for key, one in latest.items() if one.grade is None))


@dataclass
class _Maker:
    """Makes queue items of passages, counting those that need no judging."""

    documents: Documents
    n_runs: int
    said: _Said
    judge: str
    again: bool
    n_known: int = 0
    n_judged: int = 0
    n_unsettled: int = 0

    def made(self, question: Question, passages: Sequence[Passage]) -> list[QueueItem]:
        """Return what of a question is left to judge, what could change most first."""
        said = self.said.judged.get(question.id, ())
        items = [self._item(question, one, said) for one in passages if self._open(question, one, said)]
        return sorted(items, key=lambda item: (-item.weight, min(item.ranks.values()), item.document_id, item.start))

    def _open(self, question: Question, passage: Passage, said: Sequence[Judgment]) -> bool:
        span = passage.start, passage.end
        if self._known(question, passage):
            self.n_known += 1
            return False
        here = [one for one in said if one.document_id == passage.document_id]
        own = [one for one in here if one.judge == self.judge]
        if _half(span, own):
            self.n_judged += 1
            return False
        if disagree([one for one in here if _same_passage((one.start, one.end), span)]):
            self.n_unsettled += 1
            return True
        if not self.again and _half(span, here):
            self.n_judged += 1
            return False
        return True

    def _known(self, question: Question, passage: Passage) -> bool:
        """Return whether the dataset's own evidence judges a passage: touches it, or covers half with grade 0."""
        span = passage.start, passage.end
        here = [item for item in question.evidence if item.document_id == passage.document_id]
        spans = [_span_of(item, span) for item in here]
        touched = any(item.grade > 0 and overlap(at, span) for item, at in zip(here, spans, strict=True))
        return touched or 2 * covered(span, spans) >= span[1] - span[0]

    def _item(self, question: Question, passage: Passage, said: Sequence[Judgment]) -> QueueItem:
        position = self.documents.position[passage.document_id]
        document = self.documents[position]
        start, end = passage.start, passage.end
        relevant = [item for item in question.evidence if item.grade > 0]
        key = self.judge, (question.id, passage.document_id, start, end)
        about = (one for one in said if one.document_id == passage.document_id)
        return QueueItem(
            question_id=question.id,
            question=question.text,
            answer=question.answer,
            evidence=tuple(item.quote or f"the whole of {item.document_id}" for item in relevant),
            usual_grade=min(max((item.grade for item in relevant), default=1.0), 3.0),
            document_id=passage.document_id,
            metadata=document.metadata,
            start=start,
            end=end,
            text=document.text[start:end],
            before=document.text[max(0, start - _AROUND_CHARS) : start],
            after=document.text[end : end + _AROUND_CHARS],
            ranks=passage.ranks,
            weight=passage.weight(self.n_runs),
            judgments=tuple(one for one in about if overlap((one.start, one.end), (start, end))),
            skipped=key in self.said.skipped,
        )


def _span_of(item: Evidence, whole: Span) -> Span:
    """Return where a piece of evidence lies; a whole document covers everything, a lost quote nothing."""
    if item.start is None or item.end is None:
        return whole if item.quote is None else (0, 0)
    return item.start, item.end


def _same_passage(a: Span, b: Span) -> bool:
    """Return whether two spans share at least half of the longer one."""
    return 2 * overlap(a, b) >= max(a[1] - a[0], b[1] - b[0])


def _half(span: Span, said: Iterable[Judgment]) -> bool:
    return 2 * covered(span, [(one.start, one.end) for one in said]) >= span[1] - span[0]


def disagree(said: Sequence[Judgment]) -> bool:
    """Return whether as many people call a passage relevant as irrelevant, so that no majority settles it."""
    votes = [one.grade > 0 for one in said if one.grade is not None]
    return bool(votes) and 2 * sum(votes) == len(votes)
