"""Any sentence-transformers model: a local folder, or a name that the local hub cache holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Self, TypeAlias

import numpy as np
from pydantic import Field, field_validator

from pipelines.component import digest
from pipelines.errors import ConfigurationError, shorten
from pipelines.models.backends import Backend, Precision, Way, resolve
from pipelines.models.devices import Device
from pipelines.models.encoder import Encoding
from pipelines.models.loading import EncoderSpec, load_encoder, load_model
from pipelines.models.quantise import quantise
from pipelines.models.quantise import settings as calibration
from pipelines.models.weights import architecture, weights_identity
from pipelines.progress import Keep, Progress, nothing, silent
from pipelines.records import Documents, FloatArray, LongArray
from pipelines.stages.embed import Embedded, Embedder
from pipelines.training.adapter_maps import cut, unit

Before: TypeAlias = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$", examples=["query: "])]
"""A text that is put before others."""

_SINCE = ("dimensions", "query_prompt", "document_prompt")
"""Knobs that came later: left out of settings and keys where they are not set, so that those stay what they were."""


class SentenceTransformerEmbedder(Embedder, name="sentence-transformer", version=2):
    """Embed with the sentence-transformers model of your choice: a folder on disk, or a name of the model hub.

    Choose it for other languages, longer chunks or better vectors than `minilm` gives. It costs what the model
    costs: about in proportion to its parameters. Each text is embedded once for ever.
    """

    model: str = Field(..., min_length=1, description="Folder of the model, or its name on the hub")
    device: Device = Field("auto", description="Where to compute; auto takes a GPU where there is one")
    backend: Backend = Field(
        "auto", description="What computes the model; auto takes OpenVINO on a processor where it is installed"
    )
    precision: Precision = Field(
        "auto",
        description="Number format; auto takes bfloat16 where the hardware has it; int8 is calibrated on the corpus",
    )
    batch_size: int = Field(
        32, ge=1, le=1024, description="Texts computed together", json_schema_extra={"unit": "texts"}
    )
    normalize: bool = Field(True, description="Scale every vector to length 1, so that cosine and inner product agree")
    dimensions: int | None = Field(
        None,
        ge=8,
        le=8192,
        description="Length that vectors are cut to, at no cost once whole ones are kept; null keeps them whole. "
        "Choose it for models that were trained for it (matryoshka)",
    )
    query_prompt: Before | None = Field(
        None,
        description="Text before every question; null takes what the model's makers ask for, an empty text takes none",
    )
    document_prompt: Before | None = Field(
        None,
        description="Text before every chunk; null takes what the model's makers ask for, an empty text takes none",
    )

    @field_validator("model")
    @classmethod
    def _absolute(cls, model: str) -> str:
        """Name a folder by its full path: the work is done by another process, in another folder."""
        folder = Path(model).expanduser()
        return str(folder.resolve()) if folder.is_dir() else model

    def settings(self) -> dict[str, Any]:
        """Return name and knobs; of those that came later, the ones that are set."""
        found = super().settings()
        return {name: value for name, value in found.items() if name not in _SINCE or value is not None}

    def resolved(self) -> Self:
        """Return the embedder with device, backend and precision as they are on this machine."""
        way = self._way()
        return self.model_copy(update={"device": way.device, "backend": way.backend, "precision": way.precision})

    def fingerprint(self) -> str:
        """Return a digest of all that decides a text's vector: how many are computed at once does not, nor a header."""
        left_out = ("batch_size", "header")
        return digest({name: value for name, value in self._identity().items() if name not in left_out})

    def _identity(self) -> Mapping[str, object]:
        return {"version": self.version, **self.resolved().settings(), **self.extra_identity()}

    def _way(self) -> Way:
        return resolve(self.device, self.backend, self.precision, self._architecture())

    def _architecture(self) -> str | None:
        """Return what the model is built as; None when that is no plain transformer."""
        return architecture(self.model)

    def extra_identity(self) -> Mapping[str, str]:
        """Return the digest of the model's files in place of trust in its name."""
        return {"weights": weights_identity(self.model)}

    def settings_model(self) -> str | Path:
        """Return what is loaded."""
        return self.model

    def embed_documents(
        self, texts: Sequence[str], progress: Progress = silent, *, fitted: Path | None = None, keep: Keep = nothing
    ) -> Embedded:
        """Return one vector a text, each distinct text computed once."""
        return self._shaped(texts, fitted, self._encoding(queries=False), progress, keep)

    def embed_queries(
        self, texts: Sequence[str], progress: Progress = silent, *, fitted: Path | None = None, keep: Keep = nothing
    ) -> Embedded:
        """Return one vector a query: with the words before it that the model's makers ask for, where they do."""
        return self._shaped(texts, fitted, self._encoding(queries=True), progress, keep)

    def _encoding(self, *, queries: bool) -> Encoding:
        prompt = self.query_prompt if queries else self.document_prompt
        return Encoding(queries, self.normalize, self.batch_size, prompt)

    def beneath(self) -> Embedder:
        """Return the embedder of whole vectors, of which every cut is made."""
        return self if self.dimensions is None else self.model_copy(update={"dimensions": None})

    def shape(self, vectors: FloatArray, *, queries: bool, fitted: Path | None) -> FloatArray:
        """Return the vectors, cut and scaled anew.

        Raises:
            ConfigurationError: when they are shorter than `dimensions`.
        """
        if self.dimensions is None:
            return vectors
        if self.dimensions > vectors.shape[1]:
            raise ConfigurationError(
                f"The knob 'dimensions' asks for vectors of length {self.dimensions:,}, but those of "
                f"{shorten(Path(self.model).name)} have {vectors.shape[1]:,}; choose up to that, or null."
            )
        short = cut(vectors, self.dimensions)
        return unit(short) if self.normalize else short

    def _shaped(
        self, texts: Sequence[str], fitted: Path | None, encoding: Encoding, progress: Progress, keep: Keep
    ) -> Embedded:
        """Embed by what is beneath, and hand over the finished vectors in this one's shape."""
        if self.beneath() is self:
            return self._embed(texts, fitted, encoding, progress, keep)

        def shape(vectors: FloatArray) -> FloatArray:
            return self.shape(vectors, queries=encoding.queries, fitted=fitted)

        def hand_over(positions: LongArray, rows: FloatArray) -> None:
            keep(positions, np.column_stack([shape(rows[:, :-2]), rows[:, -2:]]))

        beneath = self.beneath()
        embed = beneath.embed_queries if encoding.queries else beneath.embed_documents
        found = embed(texts, progress, fitted=fitted, keep=hand_over)
        return replace(found, vectors=shape(found.vectors))

    def fits(self) -> bool:
        """Whether the model is calibrated on the corpus first: for int8."""
        return self._way().precision == "int8"

    def fit_identity(self) -> Mapping[str, object]:
        """Return the weights and how they are calibrated."""
        return {"weights": self.extra_identity()["weights"], **calibration()} if self.fits() else {}

    def fit(self, documents: Documents, folder: Path, progress: Progress = silent) -> None:
        """Write the transformer in 8-bit integers, its ranges found on passages of the documents."""
        if self.fits():
            quantise(load_model(str(self.settings_model()), "cpu")[0], documents.texts, folder, progress)

    def _embed(
        self, texts: Sequence[str], fitted: Path | None, encoding: Encoding, progress: Progress, keep: Keep
    ) -> Embedded:
        if self.fits() and fitted is None:
            raise ConfigurationError(
                f"The embedder '{self.name}' in int8 needs what it made of the corpus, but got none; call fit first."
            )
        weights = self.extra_identity()["weights"]
        spec = EncoderSpec(str(self.settings_model()), weights, self._way(), fitted if self.fits() else None)
        encoder = load_encoder(spec)
        vectors, truncated = encoder.encode(texts, encoding, progress, keep)
        return Embedded(vectors, truncated, encoder.max_tokens)
