"""A training that was interrupted goes on to the same weights; what is half written is not read."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.errors import Cancelled, StorageError
from pipelines.settings import REPOSITORY
from pipelines.training import checkpoints, encoder, running
from pipelines.training.checkpoints import Checkpoints
from pipelines.training.encoder import train_encoder

from .lessons import Bench, lesson_of, pairs_of, training, weights

KNOBS: dict[str, Any] = {"epochs": 3, "patience": 2}


class Killed(BaseException):
    """The process dies: nothing of ours is to catch it."""


@pytest.mark.parametrize("method", ["full", "lora"])
@pytest.mark.parametrize("at", [2, 3, 5])
def test_killed_and_gone_on_gives_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, method: str
) -> None:
    """Step 3 is the last of the first epoch: it is killed before, at and after the end of an epoch."""
    monkeypatch.setattr(running, "CHECKPOINT_EVERY_S", 0.0)
    knobs = {**KNOBS, "method": method, "lora_dropout": 0.2}
    expected, told = run(tmp_path / "whole", **knobs)
    with pytest.raises(Killed):
        run(tmp_path / "cut", stop=raising(Killed(), at + 1), **knobs)
    found, again = run(tmp_path / "cut", **knobs)
    assert all(np.array_equal(found[name], expected[name]) for name in expected)
    assert [one.loss for one in again.points if one.loss] == [one.loss for one in told.points if one.loss][at:]
    assert curve(tmp_path / "cut") == curve(tmp_path / "whole")


def test_cancelled_work_loses_nothing(tmp_path: Path) -> None:
    expected, _ = run(tmp_path / "whole", **KNOBS)
    with pytest.raises(Cancelled):
        run(tmp_path / "cut", stop=raising(Cancelled("Stopped."), 4), **KNOBS)
    found, again = run(tmp_path / "cut", **KNOBS)
    assert min(done for done, _ in again.done) == 5
    assert all(np.array_equal(found[name], expected[name]) for name in expected)


def test_killed_while_dev_was_measured(tmp_path: Path) -> None:
    """The weights of the epoch are kept before they are measured, and measured when the work goes on."""
    expected, told = run(tmp_path / "whole", **KNOBS)
    calls = []

    def stop(done: int) -> None:
        calls.append(done)
        if calls.count(3) == 2:  # the first is the step's own, the second the first batch of the dev metric
            raise Killed

    with pytest.raises(Killed):
        run(tmp_path / "cut", stop=stop, **KNOBS)
    found, again = run(tmp_path / "cut", **KNOBS)
    assert again.dev == told.dev[1:]
    assert all(np.array_equal(found[name], expected[name]) for name in expected)


def test_early_stopping_holds_after_an_interruption(tmp_path: Path) -> None:
    """The third measure says stop; the process dies before the model is written, and no epoch is trained after."""
    values = (0.1, 0.5, 0.4, 0.3, 0.9)
    bench = Bench(tmp_path / "work")
    made = fresh(tmp_path)
    whole = lesson_of(pairs_of(), values=values)

    def fail(*arguments: object) -> None:
        raise Killed

    how = training(epochs=4, patience=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoder, "record_of", fail)
        with pytest.raises(Killed):
            train_encoder(how, whole, made, bench.workshop())
    again = Bench(tmp_path / "work")
    train_encoder(how, lesson_of(pairs_of(), values=(0.9,)), made, again.workshop())
    record = json.loads((made / "training.json").read_text())
    assert again.points == []
    assert (record["epochs_trained"], record["epoch_kept"], record["dev"]["after"]) == (3, 1, 0.5)


def test_a_kill_from_outside_in_the_middle_of_an_epoch(tmp_path: Path) -> None:
    expected, _ = run(tmp_path / "whole", **KNOBS)
    place = tmp_path / "cut"
    place.mkdir()
    code = (
        "import sys, time; from pathlib import Path; from tests.training.test_checkpoints import KNOBS, run\n"
        "from pipelines.training import running; running.CHECKPOINT_EVERY_S = 0.0\n"
        "run(Path(sys.argv[1]), stop=lambda done: time.sleep(60 if done == 5 else 0), **KNOBS)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(place)], cwd=REPOSITORY)
    wait_for(lambda: (place / "work" / "step-00000004" / "state.json").exists(), process)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    found, again = run(place, **KNOBS)
    assert min(done for done, _ in again.done) == 5
    assert all(np.allclose(found[name], expected[name], atol=1e-6) for name in expected)


def test_a_checkpoint_that_is_not_whole_or_not_ours_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "CHECKPOINT_EVERY_S", 0.0)
    expected, _ = run(tmp_path / "whole", **KNOBS)
    with pytest.raises(Killed):
        run(tmp_path / "cut", stop=raising(Killed(), 5), **KNOBS)
    folders = sorted((tmp_path / "cut" / "work").glob("step-*"))
    assert [folder.name for folder in folders] == ["step-00000003", "step-00000004"]
    whole = (folders[-1] / "weights.safetensors").read_bytes()
    (folders[-1] / "weights.safetensors").write_bytes(whole[:100])
    (tmp_path / "cut" / "work" / "checkpoint.half").mkdir()
    found, again = run(tmp_path / "cut", **KNOBS)
    assert min(done for done, _ in again.done if done != 3) == 4
    assert all(np.array_equal(found[name], expected[name]) for name in expected)
    with pytest.raises(Killed):
        run(tmp_path / "cut", stop=raising(Killed(), 5), **KNOBS)
    _, anew = run(tmp_path / "cut", **{**KNOBS, "seed": 9})
    assert min(done for done, _ in anew.done) == 1


def test_only_the_last_and_the_best_are_kept(tmp_path: Path) -> None:
    held = Checkpoints(tmp_path, "x")
    for step in range(1, 6):
        save(held, step)
    held.prune((2,))
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"step-{step:08d}" for step in (2, 4, 5)]
    newest = held.newest()
    assert newest is not None
    assert newest[1]["step"] == 5
    other = Checkpoints(tmp_path, "y")
    assert other.newest() is None
    save(other, 3)
    other.prune()
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000003"], "what does not fit gives way"


def test_a_full_disk_at_a_checkpoint_keeps_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Checkpoints(tmp_path, "x")
    save(held, 1)
    from safetensors import SafetensorError, torch

    def full(*arguments: object, **knobs: object) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(torch, "save_file", full)
    with pytest.raises(StorageError, match=r"is full, so the workbench could not keep a checkpoint of the training\."):
        save(held, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]


def test_a_full_disk_ends_the_training_and_keeps_what_was_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, _ = run(tmp_path / "whole", **KNOBS)

    def full(self: Path, *arguments: object, **knobs: object) -> int:
        if self.name == checkpoints.TRAINER_STATE and len(list((tmp_path / "cut" / "work").glob("step-*"))) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return written(self, *arguments, **knobs)

    written = Path.write_text
    with monkeypatch.context() as patch:
        patch.setattr(running, "CHECKPOINT_EVERY_S", 0.0)
        patch.setattr(Path, "write_text", full)
        with pytest.raises(StorageError, match=r"Free some space, .* finished work is kept\."):
            run(tmp_path / "cut", **KNOBS)
    found, again = run(tmp_path / "cut", **KNOBS)
    assert min(done for done, _ in again.done) == 3
    assert all(np.array_equal(found[name], expected[name]) for name in expected)


def test_a_full_disk_at_the_model_keeps_what_was_learnt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(encoder, "write_record", full)
        with pytest.raises(StorageError, match="could not write the trained model"):
            run(tmp_path / "cut", **KNOBS)
    _, again = run(tmp_path / "cut", **KNOBS)
    assert again.points == []


def test_a_place_where_no_checkpoint_can_lie_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "work").write_text("in the way")
    with pytest.raises(StorageError, match="lies where no folder can be made"):
        run(tmp_path, **KNOBS)


def run(place: Path, stop: Callable[[int], None] = lambda done: None, **knobs: Any) -> tuple[dict[str, Any], Bench]:
    """Train in `place`, going on from what is there; return the weights, and what was told."""
    place.mkdir(exist_ok=True)
    bench = Bench(place / "work", stop=stop)
    made = fresh(place)
    train_encoder(training(**knobs), lesson_of(pairs_of()), made, bench.workshop())
    return weights(made), bench


def fresh(place: Path) -> Path:
    import shutil

    shutil.rmtree(place / "made", ignore_errors=True)
    (place / "made").mkdir()
    return place / "made"


def raising(error: BaseException, at: int) -> Callable[[int], None]:
    def stop(done: int) -> None:
        if done == at:
            raise error

    return stop


def curve(place: Path) -> list[tuple[int, float | None, float | None]]:
    points = json.loads((place / "made" / "training.json").read_text())["curve"]
    return [(one["step"], one["loss"], one["dev"]) for one in points]


def save(held: Checkpoints, step: int) -> None:
    import torch

    tensors = {"x": torch.full((3,), float(step))}
    held.save(step, tensors, tensors, {"n": step}, "{}")


def wait_for(ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 300
    while not ready():
        assert process.poll() is None, "the process ended by itself"
        assert time.monotonic() < until
        time.sleep(0.05)
