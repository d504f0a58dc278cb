"""Where evidence was lost, from a run to the questions behind a bar, as a user asks for it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from pipelines import api
from pipelines.errors import ConfigurationError, NotFoundError
from pipelines.runs.database import Database
from pipelines.runs.schema import loss
from pipelines.settings import database_url

from .conftest import Call

FILTERED = """
chunk: {use: fixed, size: 16}
retrieve: {use: bm25, depth: 3}
filter: {use: where, where: {number: {$gte: 3}}}
"""
BARE = "chunk: {use: fixed, size: 16}\nretrieve: {use: bm25}\n"


@pytest.fixture
def runs(call: Call, towns: Path, tmp_path: Path) -> Path:
    """The runs 'bare' and 'filtered'."""
    for name, text in (("bare", BARE), ("filtered", FILTERED)):
        (tmp_path / f"{name}.yaml").write_text(text)
        assert call("run", tmp_path / f"{name}.yaml", "--dataset", towns, "--json", tmp_path / f"{name}.json").code == 0
    return towns


def test_the_waterfall_adds_up_on_every_cut(runs: Path) -> None:
    for name in ("bare", "filtered"):
        run = api.run(name)
        for cut in api.losses(name).cuts:
            found = api.losses(name, cut)
            bars, measured = found.waterfall(), run.measured(cut)
            assert measured is not None and measured.mean is not None and found.recall is not None
            assert sum(bar.mean or 0.0 for bar in bars) == pytest.approx(1 - measured.mean, abs=1e-12)
            assert found.recall == pytest.approx(measured.mean, abs=1e-12)
            assert found.n == measured.n
            assert all((bar.advice is None) == (not bar.mean) for bar in bars)
            per_question = {q.question_id: q.share for q in found.questions()}
            assert sum(per_question.values()) / found.n == pytest.approx(1 - measured.mean, abs=1e-12)


def test_every_question_of_a_run_adds_up(runs: Path) -> None:
    kept = api.details(api.run("filtered").id)
    assert kept.fates is not None
    shares = kept.fates.shares()
    for i, cut in enumerate(kept.fates.cuts):
        recall = kept.scores.column(cut)
        assert np.array_equal(np.isnan(recall), np.isnan(shares[:, i, 0]))
        assert np.nanmax(np.abs(shares[:, i].sum(axis=1) + recall - 1)) <= 1e-12


def test_what_is_behind_a_bar(call: Call, runs: Path) -> None:
    found = api.losses("filtered")
    bar = next(bar for bar in found.waterfall() if bar.stage == "filter")
    questions = found.questions("filter")
    assert bar.questions == len(questions) > 0
    assert bar.advice is not None and "'where'" in bar.advice
    shown = call("losses", "filtered", "--stage", "filter").out
    for question in questions:
        assert question.text is not None and question.text[:40] in shown
        for part in question.evidence:
            assert (part.stage, part.rank, part.rank_before) == ("filter", None, None)
            assert part.quote and part.document_id and part.chunk_start is not None
    assert [q.share for q in questions] == sorted((q.share for q in questions), reverse=True)


def test_the_command_tells_the_waterfall_and_writes_json(call: Call, runs: Path, tmp_path: Path) -> None:
    shown = call("losses", "filtered", "--at", "3", "--json", tmp_path / "losses.json").out
    assert "recall@3 is" in shown
    assert all(stage in shown for stage in ("parse", "chunk", "filter", "retrieve", "rerank", "cut"))
    written = call("losses", "filtered", "--at", "500tok", "--json", "-").json
    assert written["cut"] == "recall@500tok"
    assert [bar["stage"] for bar in written["waterfall"]][-1] == "budget"
    assert written["waterfall"][-1]["left"] == pytest.approx(written["recall"])


def test_the_runs_json_and_csv_hold_losses(call: Call, runs: Path, tmp_path: Path) -> None:
    import json

    lost = json.loads((tmp_path / "filtered.json").read_text())["losses"]["recall@5"]
    assert list(lost) == ["parse", "chunk", "filter", "retrieve", "rerank", "cut"]
    assert set(lost["filter"]) == {"mean", "low", "high", "n"}
    assert lost["filter"]["low"] <= lost["filter"]["mean"] <= lost["filter"]["high"]
    rows = list(csv.DictReader(call("runs", "--losses", "5", "--csv", "-").out.splitlines()))
    assert float(rows[1]["lost filter recall@5"]) == lost["filter"]["mean"]
    assert float(rows[0]["lost filter recall@5"]) == 0.0


def test_a_comparison_says_where_the_difference_comes_from(call: Call, runs: Path) -> None:
    found = api.compare_runs("bare", ["filtered"], ["recall@5"])
    rows = {row.stage: row for row in found.losses if row.cut == "recall@5"}
    assert sum(row.difference or 0.0 for row in rows.values()) == pytest.approx(-(found.rows[0].difference or 0.0))
    assert rows["filter"].baseline_mean == 0.0
    assert rows["filter"].difference == rows["filter"].mean == api.run("filtered").losses["recall@5"]["filter"].mean  # type: ignore[index]
    assert found.n_comparisons == 1
    shown = call("compare", "bare", "filtered", "--metrics", "recall@5", "--losses", "5", "--csv", "-").out
    assert "lost filter recall@5" in shown
    assert "Where the difference in recall@5 comes from" in call("compare", "bare", "filtered").out


def test_a_run_of_before_says_that_it_was_not_measured(call: Call, runs: Path) -> None:
    with Database(database_url()).writing() as connection:
        connection.execute(loss.delete().where(loss.c.run_id == api.run("bare").id))
    assert api.run("bare").losses is None
    assert api.run("bare").to_dict()["losses"] is None
    with pytest.raises(NotFoundError, match="was not measured in run 'bare'"):
        api.losses("bare")
    assert call("losses", "bare").code == 2
    rows = list(csv.DictReader(call("runs", "--losses", "5", "--csv", "-").out.splitlines()))
    assert rows[0]["lost filter recall@5"] == ""


def test_without_its_dataset_a_run_still_tells_shares(call: Call, runs: Path) -> None:
    import shutil

    shutil.rmtree(runs)
    found = api.losses("filtered")
    assert found.note is not None and "filtered" in found.note
    assert found.questions("filter")[0].text is None
    assert "note: " in call("losses", "filtered", "--stage", "filter").out


@pytest.mark.parametrize("cut", ["7", "recall@7", "ndcg@5", "five", "", "@", "2000tokens"])
def test_a_cut_that_there_is_not(call: Call, runs: Path, cut: str) -> None:
    with pytest.raises(ConfigurationError):
        api.losses("bare", cut)
    assert call("losses", "bare", "--at", cut).code == 2


def test_a_stage_that_there_is_not(call: Call, runs: Path) -> None:
    result = call("losses", "bare", "--stage", "filtre")
    assert (result.code, "Did you mean 'filter'?" in result.err) == (2, True)
