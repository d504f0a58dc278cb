"""Every backend and precision on the small model: the same meaning, and rows that depend on nothing beside them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.errors import Cancelled, ConfigurationError, StorageError
from pipelines.models.quantise import passages
from pipelines.records import Document, Documents
from pipelines.settings import REPOSITORY
from pipelines.stages.embed.minilm import MiniLMEmbedder
from tests.contracts.test_embedders import TEXTS

from .packages import need

WAYS = (
    ("torch", "float32"),
    ("torch", "bfloat16"),
    ("openvino", "float32"),
    ("openvino", "bfloat16"),
    ("onnx", "float32"),
)
PLAIN = Documents.of([Document(str(i), text) for i, text in enumerate(TEXTS)])
SAMPLE = [*TEXTS, " ".join(TEXTS), " ".join(TEXTS[:5]), "a", " ".join(TEXTS[3:6])]


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small model in int8, calibrated on a few sentences."""
    need("nncf")
    folder = tmp_path_factory.mktemp("calibrated")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.models.quantise.N_PASSAGES", 6)
        told: list[tuple[int, int]] = []
        int8().fit(PLAIN, folder, lambda done, total: told.append((done, total)))
    assert told[0] == (1, 12)
    assert told == sorted(told)
    return folder


def int8(**knobs: Any) -> MiniLMEmbedder:
    return MiniLMEmbedder(device="cpu", precision="int8", **knobs)


def check_rows_stand_alone(make: Any, monkeypatch: pytest.MonkeyPatch) -> np.ndarray[Any, Any]:
    """Shuffles, subsets, batch sizes, thread counts, and a single query: the same vectors to the bit."""
    vectors = make(32).embed_documents(SAMPLE).vectors
    random = np.random.default_rng(3)
    for batch_size, n_threads in ((1, "2"), (7, "1"), (64, "2")):
        monkeypatch.setenv("RAG_WORKBENCH_THREADS", n_threads)
        some = random.permutation(len(SAMPLE))[: 8 + batch_size]
        again = make(batch_size).embed_documents([SAMPLE[i] for i in some]).vectors
        assert np.array_equal(again, vectors[some])
        assert np.array_equal(make(batch_size).embed_queries([SAMPLE[5]]).vectors[0], vectors[5])
    return vectors


@pytest.mark.parametrize(("backend", "precision"), WAYS)
def test_rows_stand_alone(backend: Any, precision: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    need(backend if backend != "onnx" else "onnxruntime")

    def make(batch_size: int) -> MiniLMEmbedder:
        return MiniLMEmbedder(device="cpu", backend=backend, precision=precision, batch_size=batch_size)

    vectors = check_rows_stand_alone(make, monkeypatch)
    plain = MiniLMEmbedder(device="cpu", backend="torch", precision="float32").embed_documents(SAMPLE).vectors
    assert (vectors * plain).sum(axis=1).min() > (0.99999 if precision == "float32" else 0.999)


class Fitted:
    """An embedder with its folder at hand."""

    def __init__(self, embedder: MiniLMEmbedder, folder: Path) -> None:
        self._embedder, self._folder = embedder, folder

    def __getattr__(self, name: str) -> Any:
        return lambda texts: getattr(self._embedder, name)(texts, fitted=self._folder)


def test_int8_rows_stand_alone_and_mean_the_same(calibrated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = check_rows_stand_alone(lambda size: Fitted(int8(batch_size=size), calibrated), monkeypatch)
    plain = MiniLMEmbedder(device="cpu", backend="torch", precision="float32").embed_documents(SAMPLE).vectors
    cosine = (vectors * plain).sum(axis=1)
    assert cosine.min() > 0.95
    assert cosine.mean() > 0.98
    assert not np.array_equal(vectors, plain)


def test_calibration_is_reproducible_and_holds_no_pickle(
    calibrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.models.quantise.N_PASSAGES", 6)
    int8().fit(PLAIN, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.bin", "model.xml"]
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (calibrated / path.name).read_bytes()


def test_calibration_can_be_stopped(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        int8().fit(PLAIN, tmp_path, stop)


def test_int8_without_its_folder_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="needs what it made of the corpus"):
        int8().embed_documents(["a"])


def test_a_calibrated_model_that_cannot_be_read_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "model.xml").write_text("not a model")
    with pytest.raises(StorageError, match=r"cannot be read .*; delete that folder: it is made again"):
        int8().embed_documents(["a"], fitted=tmp_path)


def test_only_int8_fits_and_its_identity_leaves_out_the_batch_size() -> None:
    assert int8().fits()
    assert int8(batch_size=1).fit_identity() == int8().fit_identity()
    assert {"weights", "passages", "openvino", "nncf"} <= set(int8().fit_identity())
    assert not MiniLMEmbedder(device="cpu").fits()
    assert MiniLMEmbedder(device="cpu").fit_identity() == {}
    assert MiniLMEmbedder(device="cpu", batch_size=1).fingerprint() == MiniLMEmbedder(device="cpu").fingerprint()
    assert int8().fingerprint() != MiniLMEmbedder(device="cpu").fingerprint()


def test_passages_are_drawn_from_all_documents_and_always_the_same() -> None:
    texts = ["a" * 3000, "", "b" * 50, "c" * 6000]
    found = passages(texts, 40)
    assert found == passages(texts, 40)
    assert {len(p) for p in found} <= {50, 100, 400, 800, 1200}
    assert {p[0] for p in found} >= {"a", "c"}
    assert all(len(set(p)) == 1 for p in found), "no passage spans two documents"
    assert passages([], 5) == passages(["", ""], 5) == ["."]


def test_importing_openvino_and_nncf_sends_nothing_home(tmp_path: Path) -> None:
    need("nncf")
    program = (
        "import sys, socket; tried = [];\n"
        "socket.getaddrinfo = lambda *a, **k: (tried.append(a), (_ for _ in ()).throw(OSError()))\n"
        "from pipelines.models.backends.openvino_transformer import load_openvino\n"
        "load_openvino(); import openvino.tools.ovc, nncf, time; time.sleep(0.5)\n"
        "print(tried, sys.modules['openvino_telemetry'])"
    )
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, cwd=REPOSITORY, check=True
    )
    assert done.stdout.strip().splitlines()[-1] == "[] None"
    assert not (tmp_path / "intel").exists(), "its telemetry begins by leaving an identity there"


def test_importing_onnxruntime_leaves_no_identity(tmp_path: Path) -> None:
    need("onnxruntime")
    program = "from pipelines.models.backends.onnx_transformer import load_onnxruntime; load_onnxruntime()"
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", program], env=environment, cwd=REPOSITORY, check=True)
    assert list(tmp_path.rglob("*")) == [], "its telemetry begins by leaving an identity there"
