"""What computes a transformer, and in which numbers: what `auto` means here, and what cannot be had together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeAlias

from pipelines.errors import ConfigurationError, MissingExtraError
from pipelines.models.devices import Device, multiplies_bfloat16, resolve_device
from pipelines.models.weights import installed

Backend = Literal["auto", "torch", "onnx", "openvino"]
Precision = Literal["auto", "float32", "bfloat16", "int8"]

Transform: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]
"""From a tokenizer's features, tensors [n_texts, width], to the same with `token_embeddings`, float32."""

CALCULATED: dict[str, tuple[Precision, ...]] = {
    "torch": ("float32", "bfloat16"),
    "onnx": ("float32",),
    "openvino": ("float32", "bfloat16", "int8"),
}
_NEEDED = {"torch": (), "onnx": ("onnxruntime", "onnx"), "openvino": ("openvino",)}
CONVERTED = frozenset({"bert", "roberta", "xlm-roberta", "camembert", "distilbert", "mpnet", "electra"})
"""Architectures, as `model_type` in config.json, of which `auto` knows that a copy for another backend is faithful."""


@dataclass(frozen=True)
class Way:
    """How a transformer is computed, with nothing left to `auto`."""

    device: Device
    backend: Backend
    precision: Precision


@cache
def resolve(device: Device, backend: Backend, precision: Precision, architecture: str | None) -> Way:
    """Return what is meant on this machine for a model of an architecture; None: it is not a plain transformer.

    `auto` never quantises: int8 is calibrated on a corpus, so that its vectors change with every document that is
    added, and its loss of recall is not known for a model that was not measured.

    Raises:
        ConfigurationError: for a device that this machine lacks, or knobs that cannot be had together.
        MissingExtraError: for a backend that was asked for by name and is not installed.
    """
    found = resolve_device(device)
    if backend == "auto":
        backend = _fastest(found, precision, architecture)
    _refuse(found, backend, precision, architecture)
    if precision == "auto":
        precision = "bfloat16" if backend != "onnx" and multiplies_bfloat16(found) else "float32"
    return Way(found, backend, precision)


def _fastest(device: Device, precision: Precision, architecture: str | None) -> Backend:
    """Choose by docs/embedding.md, where each is measured: OpenVINO on a processor, for what it is known to copy."""
    if precision == "int8":
        return "openvino"
    at_home = device == "cpu" and architecture in CONVERTED and installed("openvino")
    return "openvino" if at_home else "torch"


def _refuse(device: Device, backend: Backend, precision: Precision, architecture: str | None) -> None:
    if precision != "auto" and precision not in CALCULATED[backend]:
        allowed = ", ".join(CALCULATED[backend])
        todo = "choose backend openvino" if precision == "int8" else "choose backend torch or openvino"
        raise ConfigurationError(
            f"The backend '{backend}' does not compute in {precision}, only in {allowed}; {todo}, or another precision."
        )
    if backend == "torch":
        return
    if device != "cpu":
        what = f"The backend '{backend}'" if precision != "int8" else "The precision 'int8'"
        raise ConfigurationError(f"{what} computes on the processor only, not on '{device}'; use device cpu.")
    if architecture is None:
        raise ConfigurationError(
            f"The backend '{backend}' converts only models that begin with a plain transformer; use backend torch."
        )
    needed = (*_NEEDED[backend], *(("nncf",) if precision == "int8" else ()))
    for package in needed:
        if not installed(package):
            raise MissingExtraError(package, "onnx" if backend == "onnx" else "fast")
