"""The rooms of the repository, and that the bundled dataset is what it says it is."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections import Counter, defaultdict
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[1]
MERIDIAN = REPOSITORY / "datasets" / "meridian"
KINDS = ("lookup", "paraphrase", "multi-evidence", "filter-dependent", "unanswerable")


def sources(folder: str) -> list[Path]:
    return sorted((REPOSITORY / folder).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Every module that a file imports, by its full name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


# Rooms --------------------------------------------------------------------------------------------------------------


def test_datasets_hold_no_code() -> None:
    """The folder shares its name with a library that sentence-transformers imports: one .py file would shadow it."""
    assert [p for p in (REPOSITORY / "datasets").rglob("*") if p.suffix in (".py", ".pyi", ".pyc", ".so")] == []


def test_no_module_of_the_ui_hides_an_installed_one() -> None:
    """Streamlit puts the folder of the opened script first on sys.path."""
    installed = {name.lower() for name in packages_distributions()} | set(sys.stdlib_module_names)
    assert {"datasets", "plotly", "json", "streamlit"} - {"datasets"} <= installed
    installed |= {"datasets"}
    files = sources("workbench")
    assert len(files) > 5
    ours = {path.stem for path in files} | {path.parent.name for path in files if path.parent.name != "workbench"}
    assert ours & (installed - {"workbench", "pipelines"}) - {"__init__"} == set()


def test_views_are_independent_of_one_another() -> None:
    views = [path for path in sources("workbench/views") if path.stem != "__init__"]
    assert len(views) >= 5
    for path in views:
        others = {name for name in imported(path) if name.startswith("workbench.views.")}
        assert others == set(), f"{path.name} imports {others}"


def test_the_library_knows_nothing_of_the_ui() -> None:
    for path in sources("pipelines"):
        assert not any(name.split(".")[0] in ("streamlit", "workbench") for name in imported(path)), path


def test_the_ui_computes_nothing() -> None:
    for path in sources("workbench"):
        wrong = {name.split(".")[0] for name in imported(path)} & {"numpy", "torch", "chromadb", "optuna", "sqlalchemy"}
        assert not wrong, f"{path.name} imports {wrong}"


HEAVY = {"torch", "sentence_transformers", "chromadb", "llama_index", "bm25s", "transformers", "peft", "sklearn"}
WITH_TORCH = {f"pipelines.training.{name}" for name in ("losses", "objective", "pair_objective", "trainer")}
"""Modules of classes that derive from torch's: they are imported within functions alone."""


def at_the_top(path: Path) -> set[str]:
    """The modules that a module imports when it is imported: not those below `if TYPE_CHECKING`."""
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        names |= {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
        names |= {node.module or ""} if isinstance(node, ast.ImportFrom) else set()
    return names


def test_heavy_libraries_are_imported_where_they_are_used() -> None:
    """Or every command would wait for them."""
    for path in sources("pipelines"):
        own = ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)
        names = at_the_top(path)
        if own not in WITH_TORCH:
            assert not HEAVY & {name.split(".")[0] for name in names}, path
            assert not WITH_TORCH & names, path


# The bundled dataset ------------------------------------------------------------------------------------------------


@cache
def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (MERIDIAN / name).read_text(encoding="utf-8").splitlines()]


@cache
def texts() -> dict[str, str]:
    return {row["id"]: row["text"] for row in rows("documents.jsonl")}


def questions(kind: str | None = None) -> list[dict[str, Any]]:
    return [row for row in rows("questions.jsonl") if kind is None or kind in row["tags"]]


def words(text: str) -> set[str]:
    return set(re.findall(r"[^\W_]+", text.lower()))


def test_there_is_enough_of_it() -> None:
    assert len(texts()) == len(rows("documents.jsonl")) >= 40
    assert sum(len(text.split()) for text in texts().values()) >= 25_000
    assert len({row["id"] for row in questions()}) == len(questions()) >= 160
    assert {row["split"] for row in questions()} == {"train", "dev", "test"}


def test_there_are_five_kinds_of_questions() -> None:
    count = Counter(tag for row in questions() for tag in row["tags"])
    assert set(KINDS) <= set(count)
    for kind in KINDS:
        assert count[kind] >= 15, kind
        for split in ("train", "dev", "test"):
            assert any(row["split"] == split for row in questions(kind)), f"no {kind} question in {split}"


def test_every_quote_is_in_its_document_at_its_place() -> None:
    n_quotes = 0
    for row in questions():
        for item in row.get("evidence", []):
            assert texts()[item["document_id"]][item["start"] : item["end"]] == item["quote"], row["id"]
            assert len(item["quote"]) >= 15, row["id"]
            n_quotes += 1
    assert n_quotes > len(questions("lookup"))


def test_kinds_are_what_they_are_called() -> None:
    for row in questions():
        evidence = row.get("evidence", [])
        assert ("unanswerable" in row["tags"]) == (not evidence), row["id"]
        if "multi-evidence" in row["tags"]:
            assert len(evidence) >= 2, row["id"]
        if "filter-dependent" in row["tags"]:
            assert row["filter"], row["id"]


def test_a_questions_filter_leaves_its_evidence() -> None:
    metadata = {row["id"]: row["metadata"] for row in rows("documents.jsonl")}
    fields = {name for values in metadata.values() for name in values}
    for row in questions():
        assert set(row.get("filter", {})) <= fields, row["id"]
        for item in row.get("evidence", []):
            for field, value in row.get("filter", {}).items():
                assert metadata[item["document_id"]].get(field) == value, (row["id"], field)


def test_splits_share_no_document() -> None:
    used = defaultdict(set)
    for row in questions():
        for item in row.get("evidence", []):
            used[item["document_id"]].add(row["split"])
    assert {document: splits for document, splits in used.items() if len(splits) > 1} == {}
    assert len(used) >= 40


def test_every_document_is_there_once() -> None:
    assert len(set(texts().values())) == len(texts())
    sentences = Counter(s.strip() for text in texts().values() for s in re.split(r"(?<=[.?!])\s+", text) if len(s) > 80)
    often = [sentence for sentence, n in sentences.items() if n > 4]
    assert often == [], "templates run in a loop"


def test_metadata_are_declared() -> None:
    import yaml

    declared = yaml.safe_load((MERIDIAN / "dataset.yaml").read_text(encoding="utf-8"))["fields"]
    assert {"company", "year", "quarter", "document_type", "region", "edition"} <= set(declared)
    assert {name for row in rows("documents.jsonl") for name in row["metadata"]} <= set(declared)


@cache
def rare_words() -> frozenset[str]:
    """Words of at most two documents that belong to no company's name."""
    count = Counter(word for text in texts().values() for word in words(text))
    companies = {w for row in rows("documents.jsonl") for w in words(str(row["metadata"].get("company", "")))}
    return frozenset(word for word, n in count.items() if n <= 2 and word not in companies)


def test_paraphrases_share_no_rare_word_with_their_evidence() -> None:
    assert len(rare_words()) > 1000
    shared = {
        row["id"]: sorted(words(row["text"]) & rare_words() & words(" ".join(e["quote"] for e in row["evidence"])))
        for row in questions("paraphrase")
    }
    assert {question: found for question, found in shared.items() if found} == {}


def test_lookups_do_share_rare_words() -> None:
    """Or the test above would say nothing."""
    shared = [
        words(row["text"]) & rare_words() & words(" ".join(e["quote"] for e in row["evidence"]))
        for row in questions("lookup")
    ]
    assert sum(map(bool, shared)) > len(shared) / 5
