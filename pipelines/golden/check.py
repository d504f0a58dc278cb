"""Is a dataset sound, and what would mislead an evaluation?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from pipelines.errors import DatasetError
from pipelines.golden import check_documents, check_evidence, check_questions
from pipelines.golden.contents import Contents, read_contents
from pipelines.golden.dataset import Dataset
from pipelines.golden.findings import LEVELS, Figures, Finding, Report
from pipelines.golden.opening import versions

CHECKS: tuple[Callable[[Contents], Iterator[Finding]], ...] = (
    check_questions.none_at_all,
    check_questions.near_duplicates,
    check_questions.splits,
    check_questions.shared_documents,
    check_questions.filters,
    check_evidence.lost,
    check_evidence.ambiguous,
    check_evidence.overlapping,
    check_evidence.repeated,
    check_evidence.unanswerable,
    check_evidence.untouched,
    check_documents.unread,
    check_documents.notes,
    check_documents.empty,
    check_documents.duplicates,
    check_documents.varying_types,
    check_documents.undeclared,
    check_documents.both_places,
)


def check(dataset: Dataset | str | Path) -> Report:
    """Read a dataset folder from the start and report all that is wrong or misleading; errors do not stop it.

    Raises:
        DatasetError: when the path is no dataset folder at all.
    """
    folder = dataset.path if isinstance(dataset, Dataset) else Path(dataset)
    contents = read_contents(folder)
    findings = [*_errors(contents), *(finding for run in CHECKS for finding in run(contents))]
    findings.sort(key=lambda finding: LEVELS.index(finding.level))
    return Report(contents.manifest.name, str(folder), _version(folder), tuple(findings), _figures(contents))


def _version(folder: Path) -> str | None:
    try:
        return versions(folder)[0]
    except (DatasetError, OSError):
        return None


def _errors(contents: Contents) -> Iterator[Finding]:
    """Gather errors of one kind: the first is told in full, the others are listed."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for error in contents.errors:
        kinds[getattr(error, "code", "unreadable")].append(str(error))
    for code, messages in kinds.items():
        more = f" More of this kind: {len(messages) - 1:,}." if len(messages) > 1 else ""
        yield Finding.of("error", code, messages[0] + more, messages)


def _figures(contents: Contents) -> Figures:
    questions, texts = contents.questions, contents.documents.texts
    asked = [question for question in questions if question.answerable]
    relevant = [item for question in asked for item in question.evidence if item.grade > 0]
    lengths = [item.end - item.start for item in relevant if item.start is not None and item.end is not None]
    return Figures(
        n_documents=len(texts),
        n_chars=sum(map(len, texts)),
        n_words=sum(len(text.split()) for text in texts),
        n_questions=len(questions),
        n_evidence=sum(len(question.evidence) for question in questions) + len(contents.lost),
        by_split=_counted(question.split or "none" for question in questions),
        by_tag=_counted(tag for question in questions for tag in question.tags),
        by_kind=_counted(check_evidence.kind(question) for question in questions if question.id not in contents.broken),
        evidence_per_question=len(relevant) / len(asked) if asked else None,
        evidence_chars=_quantiles(lengths),
    )


def _counted(names: Iterator[str]) -> dict[str, int]:
    return dict(Counter(names).most_common())


def _quantiles(lengths: list[int]) -> dict[str, int]:
    if not lengths:
        return {}
    values = np.quantile(lengths, (0, 0.25, 0.5, 0.75, 1), method="lower").tolist()
    return dict(zip(("min", "p25", "median", "p75", "max"), (int(value) for value in values), strict=True))
