"""The registry of metrics: what each family is called, counts and means. Tables, docs and forms read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipelines.errors import ConfigurationError, did_you_mean, shorten
from pipelines.records import Metric


@dataclass(frozen=True)
class Family:
    """A metric without its cut-off; `docs/metrics/<name>.md` is its page.

    `cut` says what `@k` counts: `chunks` (which can have a token budget instead), `documents`, or `none` for a family
    without a cut-off. `gold` says what a question must have to be scored: `characters` of evidence, any `evidence`,
    or `none`. `unit` is None for a share in [0, 1].
    """

    name: str
    about: str
    cut: Literal["chunks", "documents", "none"]
    gold: Literal["characters", "evidence", "none"]
    higher_is_better: bool = True
    unit: str | None = None

    def metrics(self, cutoffs: Sequence[int], budgets_tokens: Sequence[int]) -> tuple[Metric, ...]:
        """Declare the family's metrics at these cut-offs, then at these budgets."""
        cuts = [f"@{k}" for k in cutoffs]
        budgets = [f"@{tokens}tok" for tokens in budgets_tokens]
        suffixes = {"chunks": [*cuts, *budgets], "documents": cuts, "none": [""]}[self.cut]
        return tuple(Metric(self.name + suffix, self.name, self.higher_is_better, self.unit) for suffix in suffixes)


FAMILIES: tuple[Family, ...] = (
    Family("recall", "Share of the evidence that is handed on", "chunks", "characters"),
    Family("precision", "Share of what is handed on that is evidence", "chunks", "characters"),
    Family("iou", "Evidence handed on, over all that is handed on or missed", "chunks", "characters"),
    Family("hit", "Whether every piece of evidence is handed on, for the most part", "chunks", "characters"),
    Family("mrr", "How early the first piece of evidence comes", "chunks", "characters"),
    Family("map", "How clean the list is down to each piece of evidence", "chunks", "characters"),
    Family("ndcg", "Evidence gained, earlier and higher grades counting more", "chunks", "characters"),
    Family("precision_omega", "Ceiling of the chunking, with perfect retrieval", "none", "characters"),
    Family("doc_recall", "Share of the relevant documents found", "documents", "evidence"),
    Family("doc_ndcg", "Relevant documents, earlier and higher grades counting more", "documents", "evidence"),
    Family("doc_map", "How clean the list is down to each relevant document", "documents", "evidence"),
    Family("doc_mrr", "How early the first relevant document comes", "documents", "evidence"),
    Family("doc_hit", "Whether any relevant document is found", "documents", "evidence"),
    Family("gold_survival", "Share of the evidence that the filter leaves", "none", "characters"),
    Family("candidates_removed", "Share of the chunks that the filter removes", "none", "none"),
    Family("filter_precision", "Share of the values read out of the question that are labelled", "none", "none"),
    Family("filter_recall", "Share of the question's labelled values that were read out of it", "none", "none"),
    Family("context_tokens", "Length of what is handed on", "chunks", "none", higher_is_better=False, unit="tokens"),
)

_BY_NAME = {family.name: family for family in FAMILIES}


def metric_family(name: str) -> Family:
    """Return the family of a metric, named with or without its cut-off.

    Raises:
        ConfigurationError: for a name that no family bears.
    """
    bare = name.partition("@")[0]
    if bare not in _BY_NAME:
        known = ", ".join(_BY_NAME)
        guess = did_you_mean(bare, _BY_NAME)
        raise ConfigurationError(f"There is no metric '{shorten(name)}'; there are {known}.{guess}")
    return _BY_NAME[bare]
