"""The transformer computed by ONNX Runtime, exported from torch when it is loaded."""

from __future__ import annotations

import os
from io import BytesIO
from typing import Any

from pipelines.errors import ConfigurationError, shorten
from pipelines.models.backends.tracing import example, quiet, traceable


def load_onnxruntime() -> Any:
    """Import ONNX Runtime without its telemetry, which would leave an identity in the user's home and send events."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    return onnxruntime


def export(first: Any) -> bytes:
    """Return the model's first module in the ONNX format; neither the number of texts nor their width is fixed.

    Raises:
        ConfigurationError: when it cannot be exported.
    """
    import torch

    inputs, buffer = example(first), BytesIO()
    axes = {name: {0: "texts", 1: "tokens"} for name in (*inputs, "token_embeddings")}
    try:
        with quiet():
            torch.onnx.export(
                traceable(first, list(inputs)),
                tuple(inputs.values()),
                buffer,
                dynamo=False,
                input_names=list(inputs),
                output_names=["token_embeddings"],
                dynamic_axes=axes,
                opset_version=18,
            )
    except Exception as error:  # it raises whatever the traced model and the exporter raise
        raise ConfigurationError(
            f"The model cannot be exported to ONNX ({shorten(error, 160)}); use backend torch."
        ) from error
    return buffer.getvalue()


class OnnxTransformer:
    """A session of ONNX Runtime, in float32."""

    def __init__(self, model: bytes, n_threads: int) -> None:
        onnxruntime = load_onnxruntime()

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._names = [port.name for port in self._session.get_inputs()]

    def __call__(self, features: dict[str, Any]) -> dict[str, Any]:
        """Return the features with `token_embeddings`, float32 [n_texts, width, hidden]."""
        import torch

        found = self._session.run(None, {name: features[name].numpy() for name in self._names})[0]
        return {**features, "token_embeddings": torch.from_numpy(found)}
