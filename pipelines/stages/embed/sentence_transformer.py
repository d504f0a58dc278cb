"""Any sentence-transformers model: a local folder, or a name that the local hub cache holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator

from pipelines.models.devices import Device, Precision, resolve_device, resolve_precision
from pipelines.models.encoder import EncoderSpec, load_encoder
from pipelines.models.weights import weights_identity
from pipelines.progress import Progress, silent
from pipelines.stages.embed import Embedded, Embedder


class SentenceTransformerEmbedder(Embedder, name="sentence-transformer", version=1):
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

    def embed_documents(self, texts: Sequence[str], progress: Progress = silent) -> Embedded:
        """Return float32 vectors, computed in batches of similar length, each distinct text once."""
        actual, weights = self.resolved(), self.extra_identity()["weights"]
        encoder = load_encoder(EncoderSpec(str(self.settings_model()), weights, actual.device, actual.precision))
        vectors, truncated = encoder.encode(texts, self.batch_size, self.normalize, progress)
        return Embedded(vectors, truncated, encoder.max_tokens)
