"""The nouns that cross a seam: documents, questions, chunks, rankings. Columnar, immutable."""

from pipelines.records.corpus import PAGE, SECTION, TABLE, Chunks, Column, Document, Documents, Marks
from pipelines.records.gold import Evidence, Gold, Question
from pipelines.records.scores import Metric, Scores
from pipelines.records.search import Candidates, Queries, Rankings, Searchable
from pipelines.records.spending import Paid, Spent
from pipelines.records.values import (
    PADDING,
    SPLITS,
    BoolArray,
    ByteArray,
    DoubleArray,
    FloatArray,
    IntArray,
    LongArray,
    MetadataValue,
    Split,
)

__all__ = [
    "PADDING",
    "PAGE",
    "SECTION",
    "SPLITS",
    "TABLE",
    "BoolArray",
    "ByteArray",
    "Candidates",
    "Chunks",
    "Column",
    "Document",
    "Documents",
    "DoubleArray",
    "Evidence",
    "FloatArray",
    "Gold",
    "IntArray",
    "LongArray",
    "Marks",
    "MetadataValue",
    "Metric",
    "Paid",
    "Queries",
    "Question",
    "Rankings",
    "Scores",
    "Searchable",
    "Spent",
    "Split",
]
