"""Any sentence-transformers model: a local folder, or a name that the local hub cache holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator

from pipelines.models.devices import Device, Precision, resolve_device, resolve_precision
from pipelines.models.encoder import EncoderSpec, Encoding, load_encoder
from pipelines.models.weights import weights_identity
from pipelines.progress import Keep, Progress, nothing, silent
from pipelines.stages.embed import Embedded, Embedder


class SentenceTransformerEmbedder(Embedder, name="sentence-transformer", version=2):
    """Embed with the sentence-transformers model of your choice: a folder on disk, or a name of the model hub."""

    model: str = Field(..., min_length=1, description="Folder of the model, or its name on the hub")
    device: Device = Field("auto", description="Where to compute; auto takes a GPU where there is one")
    precision: Precision = Field("auto", description="Number format; auto takes bfloat16 where the hardware has it")
    batch_size: int = Field(
        32, ge=1, le=1024, description="Texts computed together", json_schema_extra={"unit": "texts"}
    )
    normalize: bool = Field(True, description="Scale every vector to length 1, so that cosine and inner product agree")

    @field_validator("model")
    @classmethod
    def _absolute(cls, model: str) -> str:
        """Name a folder by its full path: the work is done by another process, in another folder."""
        folder = Path(model).expanduser()
        return str(folder.resolve()) if folder.is_dir() else model

    def resolved(self) -> Self:
        """Return the embedder with device and precision as they are on this machine."""
        device = resolve_device(self.device)
        return self.model_copy(update={"device": device, "precision": resolve_precision(self.precision, device)})

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
        return self._embed(texts, False, progress, keep)

    def embed_queries(
        self, texts: Sequence[str], progress: Progress = silent, *, fitted: Path | None = None, keep: Keep = nothing
    ) -> Embedded:
        """Return one vector a query: with the words before it that the model's makers ask for, where they do."""
        return self._embed(texts, True, progress, keep)

    def _embed(self, texts: Sequence[str], queries: bool, progress: Progress, keep: Keep) -> Embedded:
        actual, weights = self.resolved(), self.extra_identity()["weights"]
        encoder = load_encoder(EncoderSpec(str(self.settings_model()), weights, actual.device, actual.precision))
        encoding = Encoding(queries, self.normalize, self.batch_size)
        vectors, truncated = encoder.encode(texts, encoding, progress, keep)
        return Embedded(vectors, truncated, encoder.max_tokens)
