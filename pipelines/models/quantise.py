"""A transformer in 8-bit integers, its ranges calibrated on passages of the corpus that it will embed."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.models.backends.openvino_transformer import MODEL_FILE, convert, load_openvino, named_by_place
from pipelines.progress import Progress

N_PASSAGES = 48
_PASSAGE_CHARS = (100, 400, 800, 1200)
_SEED = 7
_SMOOTHING = 0.7
"""How much of the activations' range is moved into the weights (SmoothQuant); NNCF's own 0.95 costs more recall here.

Its correction of biases is left out: it trebles the time and changes nothing that could be measured. docs/embedding.md.
"""
_KEPT = r".*layer\.\d+\.(output\.dense|ffn\.lin2).*"
"""What stays floating point: products after the activation function, whose few great outliers 8 bits cannot hold."""
_READINGS = 2
"""NNCF reads the calibration data twice: to smooth, and to find ranges."""


def passages(texts: Sequence[str], n: int, seed: int = _SEED) -> list[str]:
    """Return `n` passages of 100 to 1,200 characters, drawn evenly from all the text: equal texts, equal passages."""
    ends = list(accumulate(len(text) for text in texts))
    if not ends or not ends[-1]:
        return ["."]
    starts = np.random.default_rng(seed).integers(0, ends[-1], n)
    where = np.searchsorted(ends, starts, side="right")
    found = []
    for i, (start, document) in enumerate(zip(starts.tolist(), where.tolist(), strict=True)):
        text, chars = texts[document], _PASSAGE_CHARS[i % len(_PASSAGE_CHARS)]
        inside = start - (ends[document] - len(text))
        at = max(0, min(inside, len(text) - chars))
        found.append(text[at : at + chars])
    return found


def settings() -> Mapping[str, object]:
    """Return what decides the calibrated model besides the weights and the corpus."""
    from importlib.metadata import version

    return {
        "passages": N_PASSAGES,
        "chars": list(_PASSAGE_CHARS),
        "seed": _SEED,
        "openvino": version("openvino"),
        "nncf": version("nncf"),
        "smoothing": _SMOOTHING,
        "kept": _KEPT,
    }


def quantise(first: Any, texts: Sequence[str], folder: Path, progress: Progress) -> None:
    """Write a calibrated copy of a model's first module into `folder`, in OpenVINO's format.

    Matrix products take 8-bit integers, but for those of `_KEPT`; embeddings, layer norms and softmax stay floating
    point, as do pooling and scaling, which are no part of it.

    Raises:
        ConfigurationError: when the model cannot be converted.
    """
    openvino = load_openvino()
    with _silenced():
        import nncf

        nncf.set_log_level(logging.ERROR)
        model = convert(first)
        sample = [_inputs(first, text, model) for text in passages(texts, N_PASSAGES)]
        data = nncf.Dataset(_Told(sample, progress))
        quantised = nncf.quantize(
            model,
            data,
            subset_size=len(sample),
            model_type=nncf.ModelType.TRANSFORMER,
            ignored_scope=nncf.IgnoredScope(patterns=[_KEPT], validate=False),
            advanced_parameters=_recipe(),
        )
    openvino.save_model(named_by_place(quantised), folder / MODEL_FILE, compress_to_fp16=False)


def _recipe() -> Any:
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters, AdvancedSmoothQuantParameters

    smoothing = AdvancedSmoothQuantParameters(matmul=_SMOOTHING)
    return AdvancedQuantizationParameters(smooth_quant_alphas=smoothing, disable_bias_correction=True)


def _inputs(first: Any, text: str, model: Any) -> dict[str, Any]:
    features = first.preprocess([text])
    return {port.any_name: features[port.any_name].numpy() for port in model.inputs}


class _Told:
    """The calibration data, which tell how often they were read."""

    def __init__(self, sample: Sequence[dict[str, Any]], progress: Progress) -> None:
        self._sample, self._progress, self._read = sample, progress, 0

    def __len__(self) -> int:
        return len(self._sample)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        total = _READINGS * len(self._sample)
        for inputs in self._sample:
            self._read += 1
            self._progress(min(self._read, total), total)
            yield inputs


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    """Keep NNCF's progress bars off the terminal: what is reported, is reported by `progress`."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
