"""What `auto` means, and what is refused: by the processor's flags and what is installed, importing neither."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from pipelines.errors import ConfigurationError, MissingExtraError
from pipelines.models import backends, devices
from pipelines.models.backends import Way, resolve

EVERYTHING = {"openvino", "nncf", "onnx", "onnxruntime"}


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make this a machine of other means."""

    def make(bfloat16: bool = True, packages: set[str] = EVERYTHING) -> None:
        monkeypatch.setattr(backends, "multiplies_bfloat16", lambda device: bfloat16)
        monkeypatch.setattr(backends, "installed", lambda package: package in packages)
        resolve.cache_clear()

    yield make
    resolve.cache_clear()


def test_auto_takes_openvino_in_bfloat16_where_both_are_there(given: Any) -> None:
    given()
    assert resolve("cpu", "auto", "auto", "bert") == Way("cpu", "openvino", "bfloat16")
    assert resolve("cpu", "auto", "float32", "bert") == Way("cpu", "openvino", "float32")
    assert resolve("cpu", "torch", "auto", "bert") == Way("cpu", "torch", "bfloat16")
    assert resolve("cpu", "onnx", "auto", "bert") == Way("cpu", "onnx", "float32")


def test_auto_never_quantises_unless_asked(given: Any) -> None:
    given(bfloat16=False)
    assert resolve("cpu", "auto", "auto", "bert") == Way("cpu", "openvino", "float32")
    assert resolve("cpu", "auto", "int8", "bert") == Way("cpu", "openvino", "int8")


def test_auto_does_without_what_is_not_installed(given: Any) -> None:
    given(packages=set())
    assert resolve("cpu", "auto", "auto", "bert") == Way("cpu", "torch", "bfloat16")
    given(bfloat16=False, packages=set())
    assert resolve("cpu", "auto", "auto", "bert") == Way("cpu", "torch", "float32")


def test_auto_leaves_models_of_other_kinds_to_torch(given: Any) -> None:
    given()
    assert resolve("cpu", "auto", "auto", "gpt_neox").backend == "torch"
    assert resolve("cpu", "auto", "auto", None).backend == "torch"
    assert resolve("cpu", "openvino", "auto", "gpt_neox").backend == "openvino", "by name, it is tried"


def test_a_gpu_is_torchs(given: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "resolve_device", lambda device: device)
    given()
    assert resolve("cuda", "auto", "auto", "bert") == Way("cuda", "torch", "bfloat16")
    assert resolve("cuda", "torch", "float32", "bert") == Way("cuda", "torch", "float32")
    for backend in ("openvino", "onnx"):
        with pytest.raises(ConfigurationError, match=f"'{backend}' computes on the processor only, not on 'cuda'"):
            resolve("cuda", backend, "auto", "bert")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="'int8' computes on the processor only, not on 'cuda'"):
        resolve("cuda", "auto", "int8", "bert")


@pytest.mark.parametrize(("backend", "precision"), [("torch", "int8"), ("onnx", "int8"), ("onnx", "bfloat16")])
def test_what_a_backend_does_not_compute_is_refused(given: Any, backend: Any, precision: Any) -> None:
    given()
    with pytest.raises(ConfigurationError, match=f"'{backend}' does not compute in {precision}, only in float32"):
        resolve("cpu", backend, precision, "bert")


def test_what_is_not_installed_is_named_with_its_extra(given: Any) -> None:
    given(packages={"openvino"})
    with pytest.raises(MissingExtraError, match=r"nncf is not installed.*rag-workbench\[fast\]"):
        resolve("cpu", "auto", "int8", "bert")
    with pytest.raises(MissingExtraError, match=r"onnxruntime is not installed.*rag-workbench\[onnx\]"):
        resolve("cpu", "onnx", "auto", "bert")


def test_a_model_that_is_no_plain_transformer_is_refused_by_other_backends(given: Any) -> None:
    given()
    with pytest.raises(ConfigurationError, match="converts only models that begin with a plain transformer"):
        resolve("cpu", "openvino", "auto", None)


def test_a_fingerprint_imports_neither_torch_nor_openvino() -> None:
    program = (
        "import sys; from pipelines.stages.embed.minilm import MiniLMEmbedder as M; M(device='cpu').fingerprint();"
        "M(device='cpu', precision='int8').fit_identity();"
        "print([m for m in ('torch', 'openvino', 'nncf', 'onnxruntime') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_threads_are_told_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("RAG_WORKBENCH_THREADS", raising=False)
    assert devices.threads() == 3
    monkeypatch.setenv("RAG_WORKBENCH_THREADS", "5")
    assert devices.threads() == 5
    for wrong in ("0", "-1", "many"):
        monkeypatch.setenv("RAG_WORKBENCH_THREADS", wrong)
        with pytest.raises(ConfigurationError, match="must be a whole number from 1"):
            devices.threads()
    monkeypatch.delenv("RAG_WORKBENCH_THREADS")
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert devices.threads() >= 1
