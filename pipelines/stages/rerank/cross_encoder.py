"""A cross-encoder: question and chunk are read together, so it is exacter than vectors, and far slower."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator

from pipelines.models.devices import Device, resolve_device
from pipelines.models.pair_scorer import PairScorerSpec, load_pair_scorer
from pipelines.models.weights import weights_identity
from pipelines.progress import Keep, Progress, nothing, silent
from pipelines.records import FloatArray
from pipelines.stages.rerank import Header, Pair, PairReranker


class CrossEncoderReranker(PairReranker, name="cross-encoder", version=1):
    """Rerank with a sentence-transformers cross-encoder of your choice: a folder on disk, or a name of the model hub.

    It scores some tens of pairs a second on a processor core; each pair once for ever, whatever else is changed. Scores
    are the model's own outputs, without a sigmoid.

    Choose it where quality counts more than time.
    """

    model: str = Field(..., min_length=1, description="Folder of the cross-encoder, or its name on the hub")
    device: Device = Field("auto", description="Where to compute; auto takes a GPU where there is one")
    batch_size: int = Field(
        32, ge=1, le=1024, description="Pairs computed together", json_schema_extra={"unit": "pairs"}
    )
    max_tokens: int = Field(
        512,
        ge=16,
        le=8192,
        description="Length at which a pair is cut, or what the model reads if that is less",
        json_schema_extra={"unit": "tokens"},
    )
    header: Header = Field(
        "none",
        description="What is read before each chunk's text: the document's title, the section path, the header row of "
        "a table that goes on",
    )

    def reads_before(self) -> Header:
        """Return what is read before each chunk's text."""
        return self.header

    @field_validator("model")
    @classmethod
    def _absolute(cls, model: str) -> str:
        """Name a folder by its full path: the work is done by another process, in another folder."""
        folder = Path(model).expanduser()
        return str(folder.resolve()) if folder.is_dir() else model

    def resolved(self) -> Self:
        """Return the reranker with the device as it is on this machine."""
        return self.model_copy(update={"device": resolve_device(self.device)})

    def extra_identity(self) -> Mapping[str, str]:
        """Return the digest of the model's files in place of trust in its name."""
        return {"weights": weights_identity(self.model)}

    def pair_identity(self) -> Mapping[str, object]:
        """Return what decides a score: weights, device, and where a pair is cut."""
        weights, device = self.extra_identity()["weights"], self.resolved().device
        return {
            "use": self.name,
            "version": self.version,
            "weights": weights,
            "device": device,
            "max_tokens": self.max_tokens,
        }

    def score_pairs(self, pairs: Sequence[Pair], progress: Progress = silent, *, keep: Keep = nothing) -> FloatArray:
        """Return the cross-encoder's score of every pair, computed in batches of similar length."""
        spec = PairScorerSpec(self.model, self.extra_identity()["weights"], self.resolved().device)
        return load_pair_scorer(spec).score(pairs, self.max_tokens, self.batch_size, progress, keep)
