"""What a check says: findings, figures, and the report that holds both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from pipelines.errors import shorten

Level: TypeAlias = Literal["error", "warning", "info"]
LEVELS: tuple[Level, ...] = ("error", "warning", "info")
SHOWN = 20


@dataclass(frozen=True)
class Finding:
    """One thing to know about a dataset: `count` cases, of which `where` names the first 20.

    An *error* keeps the dataset from being used, a *warning* would mislead an evaluation, an *info* is good to know.
    """

    level: Level
    code: str
    message: str
    where: tuple[str, ...] = ()
    count: int = 1

    @classmethod
    def of(cls, level: Level, code: str, message: str, cases: Iterable[str]) -> Finding:
        """Build a finding of many cases; `{n}` in the message becomes their number."""
        names = list(cases)
        shown = tuple(shorten(name, 400) for name in names[:SHOWN])
        return cls(level, code, message.replace("{n}", f"{len(names):,}"), shown, len(names))


@dataclass(frozen=True)
class Figures:
    """How much there is. `evidence_chars` maps min, p25, median, p75 and max to lengths of spans in characters."""

    n_documents: int = 0
    n_chars: int = 0
    n_words: int = 0
    n_questions: int = 0
    n_evidence: int = 0
    by_split: Mapping[str, int] = field(default_factory=dict)
    by_tag: Mapping[str, int] = field(default_factory=dict)
    by_kind: Mapping[str, int] = field(default_factory=dict)
    evidence_per_question: float | None = None
    evidence_chars: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """The health of a dataset. `version` is None when it cannot be opened."""

    name: str
    path: str
    version: str | None
    findings: tuple[Finding, ...]
    figures: Figures

    def of_level(self, level: Level) -> tuple[Finding, ...]:
        """Return the findings of one level."""
        return tuple(finding for finding in self.findings if finding.level == level)

    @property
    def ok(self) -> bool:
        """Whether the dataset can be used: there is no error."""
        return not self.of_level("error")

    @property
    def exit_code(self) -> int:
        """0 when it can be used, else 2."""
        return 0 if self.ok else 2

    def summary(self) -> str:
        """Say in a few sentences how much there is, and how sound it is."""
        n = self.figures
        size = (
            f"{n.n_documents:,} documents ({n.n_words:,} words), {n.n_questions:,} questions, {n.n_evidence:,} evidence"
        )
        levels = ", ".join(f"{len(self.of_level(level))} {level}" for level in LEVELS if self.of_level(level))
        verdict = "It can be used" if self.ok else "It cannot be used before the errors are mended"
        return f"{shorten(self.name)}: {size}. {verdict}; findings: {levels or 'none'}."
