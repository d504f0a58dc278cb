"""The transformer computed by OpenVINO: converted from torch at load, or read from the folder of a calibrated one."""

from __future__ import annotations

import sys
from pathlib import Path
from threading import Lock
from typing import Any

from pipelines.errors import ConfigurationError, StorageError, shorten
from pipelines.models.backends.tracing import example, quiet, traceable
from pipelines.models.devices import multiplies_bfloat16

MODEL_FILE = "model.xml"


def load_openvino() -> Any:
    """Import OpenVINO without its telemetry, which would send a message home at every import, and NNCF's with it.

    Both fall back to a stand-in that does nothing where the package `openvino_telemetry` cannot be imported.
    """
    if "openvino" not in sys.modules:
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    import openvino

    return openvino


def convert(first: Any) -> Any:
    """Return the model's first module as an OpenVINO model with named inputs; no size of any input is fixed.

    Raises:
        ConfigurationError: when it cannot be converted.
    """
    openvino = load_openvino()
    inputs = example(first)
    try:
        with quiet():
            model = openvino.convert_model(traceable(first, list(inputs)), example_input=tuple(inputs.values()))
    except Exception as error:  # it raises whatever the traced model and its own front end raise
        raise ConfigurationError(
            f"OpenVINO cannot take over this model ({shorten(error, 160)}); use backend torch."
        ) from error
    for port, name in zip(model.inputs, inputs, strict=True):
        port.get_tensor().set_names({name})
    return model


def named_by_place(model: Any) -> Any:
    """Name the model, and every operation after its kind and place: OpenVINO counts what the process made before."""
    model.set_friendly_name("transformer")
    inputs = {port.node.get_friendly_name() for port in model.inputs}
    for place, operation in enumerate(model.get_ordered_ops()):
        if operation.get_friendly_name() not in inputs:
            operation.set_friendly_name(f"{operation.get_type_name()}_{place}")
    return model


class OpenVinoTransformer:
    """A compiled model. A row depends on nothing beside it: neither on other rows, nor on the number of threads."""

    def __init__(self, model: Any, precision: str, n_threads: int) -> None:
        half = precision == "bfloat16" or (precision == "int8" and multiplies_bfloat16("cpu"))
        options = {
            "INFERENCE_PRECISION_HINT": "bf16" if half else "f32",
            "INFERENCE_NUM_THREADS": n_threads,
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,  # several workers with a thread each would all be pinned to the first core
        }
        compiled = load_openvino().Core().compile_model(model, "CPU", options)
        self._names = [port.any_name for port in compiled.inputs]
        self._request = compiled.create_infer_request()
        self._one_at_a_time = Lock()

    @classmethod
    def read(cls, folder: Path, precision: str, n_threads: int) -> OpenVinoTransformer:
        """Compile the model that lies in `folder`.

        Raises:
            StorageError: when it cannot be read.
        """
        try:
            model = load_openvino().Core().read_model(folder / MODEL_FILE)
        except RuntimeError as error:
            raise StorageError(
                f"The calibrated model in {folder} cannot be read ({shorten(error, 120)}); delete that folder: "
                "it is made again."
            ) from error
        return cls(model, precision, n_threads)

    def __call__(self, features: dict[str, Any]) -> dict[str, Any]:
        """Return the features with `token_embeddings`, float32 [n_texts, width, hidden]."""
        import torch

        inputs = {name: features[name].numpy() for name in self._names}
        with self._one_at_a_time:
            found = self._request.infer(inputs, share_inputs=True)[0]
            tokens = torch.from_numpy(found.copy())
        return {**features, "token_embeddings": tokens}
