"""Metadata of another kind than the bundled set's: filings, with other fields and other names."""

from __future__ import annotations

from typing import Any

from pipelines.records import Column
from pipelines.stages.filter import Asked, Filtered
from pipelines.stages.filter.inferred import InferredFilter, InferredSieve

ROWS: list[dict[str, Any]] = [
    {"ticker": "NVTK", "company": "Novatek Systems Inc.", "filing_type": "10-K", "fiscal_year": 2022,
     "period": "FY2022", "country": "United States", "author": "Jane Ferris", "date": "2023-02-14",
     "status": "current"},
    {"ticker": "NVTK", "company": "Novatek Systems Inc.", "filing_type": "10-K", "fiscal_year": 2023,
     "period": "FY2023", "country": "United States", "author": "Jane Ferris", "date": "2024-02-15",
     "status": "current"},
    {"ticker": "NVTK", "company": "Novatek Systems Inc.", "filing_type": "10-Q", "fiscal_year": 2023,
     "period": "Q1 2023", "country": "United States", "author": "Omar Diallo", "date": "2023-05-09",
     "status": "old"},
    {"ticker": "NVTK", "company": "Novatek Systems Inc.", "filing_type": "10-Q", "fiscal_year": 2023,
     "period": "Q2 2023", "country": "United States", "author": "Omar Diallo", "date": "2023-08-09",
     "status": "old"},
    {"ticker": "OST", "company": "Ostrava Steel AG", "filing_type": "annual_report", "fiscal_year": 2023,
     "period": "FY2023", "country": "Germany", "author": "Lena Brandt", "date": "2024-03-20",
     "status": "current"},
    {"ticker": "OST", "company": "Ostrava Steel AG", "filing_type": "press-release", "fiscal_year": 2023,
     "period": "H1 2023", "country": "Germany", "author": "Lena Brandt", "date": "2023-07-31",
     "status": "Other"},
    {"ticker": "ALL", "company": "Allied Grain plc", "filing_type": "note", "fiscal_year": 2022,
     "period": "FY2022", "country": "France", "author": "Paul Ames", "date": "2023-03-30",
     "status": "Other"},
    {"ticker": "BDG", "company": "Bridgewell Development Group", "filing_type": "policy", "fiscal_year": 2021,
     "period": "FY2021", "country": "France", "author": "Paul Ames", "date": "2022-03-30",
     "status": "current"},
]  # fmt: skip
TEXT = "The current rate applies to all other holders, says note 3 of the policy."


def filtered(*left_out: str) -> Filtered:
    """Six chunks a row; every text holds the common words."""
    names = [name for name in ROWS[0] if name not in left_out]
    rows = [row for row in ROWS for _ in range(6)]
    return Filtered({name: Column.of(row[name] for row in rows) for name in names}, len(rows), [TEXT] * len(rows))


def sieve(*left_out: str, **knobs: Any) -> InferredSieve:
    """The filter, opened over them without some fields."""
    return InferredFilter(**knobs).open(filtered(*left_out))


def read(question: str, *left_out: str, **knobs: Any) -> dict[str, set[Any]]:
    """Return the values that are read of each field."""
    found: dict[str, set[Any]] = {}
    for guess in sieve(*left_out, **knobs).reader.guesses(question):
        for name, values in guess.values.items():
            found[name] = found[name] & set(values) if name in found else set(values)
    return found


def left(question: str, *left_out: str, **knobs: Any) -> list[int]:
    """Return which of the rows remain."""
    found = sieve(*left_out, **knobs).candidates([Asked(question, {})])
    allowed = [True] * (6 * len(ROWS)) if found.mask[0] < 0 else found.allowed[found.mask[0]].tolist()
    return [i for i in range(len(ROWS)) if allowed[6 * i]]
