"""The study file: read by Optuna as it was, served by its dashboard, quick to write, whole at any moment."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import StorageError
from pipelines.sweeps.spec import SweepSpec
from pipelines.sweeps.strategies import Told, strategy
from pipelines.sweeps.study import StudyTrial, export_study

STAGES: dict[str, Any] = {
    "chunk": {"use": ["recursive", "sentence"], "size": [128, 256]},
    "filter": ["none", {"use": "where", "where": {"status": "current"}}],
    "retrieve": ["bm25", {"use": "hybrid", "alpha": {"from": 0.0, "to": 1.0}}],
    "score": {"use": "standard", "cutoffs": [[5, 10], [1, 5, 10]]},
}


def spec_of(strategy_name: str = "nsga2", objectives: tuple[str, ...] = ("ndcg@10", "-context_tokens")) -> SweepSpec:
    search = {"strategy": strategy_name, "trials": 8, "batch": 8, "objectives": list(objectives)}
    return SweepSpec.parse({**STAGES, "search": search})


def trials_of(spec: SweepSpec) -> list[StudyTrial]:
    """Eight trials: one dropped, one failed, one without a value, one waiting, four finished."""
    found = []
    for one in strategy(spec).propose([]):
        values: tuple[float | None, ...] = (0.1 * one.number, 100.0)[: len(spec.objectives)]
        told = Told(one.number, one.choice.drawn, values)
        if one.number in (4, 5):
            told = Told(one.number, one.choice.drawn, (), "dropped" if one.number == 4 else "failed")
        if one.number == 6:
            told = Told(one.number, one.choice.drawn, (None, 100.0)[: len(spec.objectives)])
        attributes = {"run": f"run{one.number}", "label": "recursive 128 · bm25", "split": "dev"}
        found.append(StudyTrial(told, attributes, 1.7e9 + one.number, 1.7e9 + one.number + 2.5, one.number == 7))
    return found


def loaded(path: Path) -> Any:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return optuna.load_study(study_name="mine", storage=JournalStorage(JournalFileBackend(str(path))))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "studies" / "mine.journal"


def test_optuna_reads_what_was_told(file: Path) -> None:
    spec = spec_of()
    trials = trials_of(spec)
    export_study(file, spec, trials[::-1], "mine")
    study = loaded(file)
    assert [direction.name for direction in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert study.metric_names == ["ndcg@10", "context_tokens@10"]
    states = [trial.state.name for trial in study.trials]
    assert states == ["COMPLETE"] * 4 + ["PRUNED", "FAIL", "FAIL", "WAITING"]
    assert [trial.values for trial in study.trials[:4]] == [[0.1 * n, 100.0] for n in range(4)]
    assert [trial.number for trial in study.trials] == list(range(8))
    assert study.trials[2].user_attrs == {"run": "run2", "label": "recursive 128 · bm25", "split": "dev"}
    assert study.trials[2].duration.total_seconds() == 2.5
    assert json.loads(study.user_attrs["search"])["strategy"] == "nsga2"


def test_params_are_values_of_the_knobs_that_exist(file: Path) -> None:
    spec = spec_of()
    trials = trials_of(spec)
    export_study(file, spec, trials, "mine")
    for trial, known in zip(loaded(file).trials, trials, strict=True):
        choice = spec.space.decide(lambda name, _, drawn=known.told.drawn: drawn[name])
        assert trial.params == {name: choice.params[name] for name in trial.params}
        assert set(trial.params) == {"chunk", "chunk.size", "filter", "retrieve", "score.cutoffs"} | (
            {"retrieve.alpha"} if choice.params["retrieve"] == "hybrid" else set()
        )
        assert trial.params["chunk.size"] in (128, 256)
        assert trial.params["score.cutoffs"] in ("[5, 10]", "[1, 5, 10]")


def test_one_objective(file: Path) -> None:
    spec = spec_of("random", ("-context_tokens@5",))
    trials = trials_of(spec)
    export_study(
        file,
        spec,
        [StudyTrial(Told(one.told.number, one.told.drawn, (9.0 - one.told.number,))) for one in trials],
        "mine",
    )
    study = loaded(file)
    assert study.direction.name == "MINIMIZE"
    assert (study.best_trial.number, study.best_value) == (7, 2.0)


def test_a_grid(file: Path) -> None:
    spec = SweepSpec.parse({"chunk": STAGES["chunk"], "score": STAGES["score"]})
    trials = [StudyTrial(Told(one.number, one.choice.drawn, (0.5,))) for one in strategy(spec).propose([])]
    export_study(file, spec, trials, "mine")
    assert [list(trial.params.values()) for trial in loaded(file).trials] == [
        list(choice.params.values()) for choice in spec.space.configurations()
    ]


def test_an_empty_sweep(file: Path) -> None:
    export_study(file, spec_of(), [], "mine")
    assert loaded(file).trials == []


def test_equal_trials_give_equal_bytes_and_nothing_lies_beside_them(file: Path) -> None:
    spec = spec_of()
    trials = trials_of(spec)
    export_study(file, spec, trials, "mine")
    before = file.read_bytes()
    export_study(file, spec, trials, "mine")
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["mine.journal"]


def test_a_reader_follows_a_study_that_grows(file: Path) -> None:
    spec = spec_of()
    trials = trials_of(spec)[:4]
    export_study(file, spec, trials[:2], "mine")
    study = loaded(file)
    assert len(study.trials) == 2
    export_study(file, spec, trials, "mine")
    assert [trial.values for trial in study.trials] == [[0.1 * n, 100.0] for n in range(4)]


def test_who_has_it_open_reads_one_study_whole(file: Path) -> None:
    spec = spec_of()
    export_study(file, spec, trials_of(spec), "mine")
    before = file.read_bytes()
    with file.open("rb") as opened:
        export_study(file, spec, [], "mine")
        assert opened.read() == before, "the file was replaced, not written over"
    assert file.read_bytes() != before


def test_no_room_leaves_the_former_study(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = spec_of()
    export_study(file, spec, trials_of(spec), "mine")
    before = file.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipelines.sweeps.study.os.fsync", full)
    with pytest.raises(StorageError, match="is full"):
        export_study(file, spec, [], "mine")
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["mine.journal"]


def test_optuna_is_silent(file: Path, capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder) -> None:
    export_study(file, spec_of(), trials_of(spec_of()), "mine")
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list


def test_the_dashboard_serves_it(file: Path) -> None:
    dashboard = pytest.importorskip("optuna_dashboard")
    from optuna_dashboard._storage_url import get_storage

    spec = spec_of()
    export_study(file, spec, trials_of(spec), "mine")
    # What `optuna-dashboard FILE` does with its argument.
    app = dashboard.wsgi(get_storage(str(file)))

    def get(path: str) -> Any:
        said: list[str] = []
        asked = {
            "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "", "SERVER_NAME": "localhost",
            "SERVER_PORT": "80", "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO(),
        }  # fmt: skip
        body = b"".join(app(asked, lambda status, headers, error=None: said.append(status)))
        assert said == ["200 OK"]
        return json.loads(body)

    (study,) = get("/api/studies")["study_summaries"]
    assert (study["study_name"], study["directions"]) == ("mine", ["maximize", "minimize"])
    shown = get(f"/api/studies/{study['study_id']}")
    assert [trial["state"] for trial in shown["trials"]] == ["Complete"] * 4 + ["Pruned", "Fail", "Fail", "Waiting"]
    assert {"key": "run", "value": "run2"} in shown["trials"][2]["user_attrs"]
    assert shown["objective_names"] == ["ndcg@10", "context_tokens@10"]
