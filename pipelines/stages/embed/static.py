"""A fast baseline: static embeddings, distilled from a model once, on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import Field, field_validator

from pipelines.errors import ConfigurationError
from pipelines.models.backends import Way
from pipelines.models.encoder import Encoding
from pipelines.models.loading import EncoderSpec, load_encoder
from pipelines.models.static import STATIC_VERSION, distil_static
from pipelines.models.weights import MINILM_SHA256, minilm_folder, weights_identity
from pipelines.progress import Keep, Progress, nothing, silent
from pipelines.records import Documents
from pipelines.stages.embed import Embedded, Embedder

_MINILM = "all-MiniLM-L6-v2"


class StaticEmbedder(Embedder, name="static", version=1):
    """Embed by the mean of fixed token vectors, distilled once from a model (half a minute). It reads any length.

    It embeds thousands of chunks a second on one core, and knows neither word order nor context. Choose it for very
    large corpora, beside BM25, or to see how much a model that reads context is worth.
    """

    fits_documents: ClassVar[bool] = False

    model: str = Field(_MINILM, min_length=1, description="Model to distil from: a folder, or its name on the hub")
    dimensions: int = Field(256, ge=8, le=4096, description="Length of the vectors: the first principal components")
    normalize: bool = Field(True, description="Scale every vector to length 1, so that cosine and inner product agree")

    @field_validator("model")
    @classmethod
    def _absolute(cls, model: str) -> str:
        """Name a folder by its full path: the work is done by another process, in another folder."""
        folder = Path(model).expanduser()
        return str(folder.resolve()) if model != _MINILM and folder.is_dir() else model

    def extra_identity(self) -> Mapping[str, str]:
        """Return the digest of the weights that are distilled."""
        return {"weights": MINILM_SHA256 if self.model == _MINILM else weights_identity(self.model)}

    def fits(self) -> bool:
        """Whether something must be made before texts can be embedded: always."""
        return True

    def fit_identity(self) -> Mapping[str, object]:
        """Return what decides the token vectors; the documents do not."""
        return {"static": STATIC_VERSION, "dimensions": self.dimensions, **self.extra_identity()}

    def fit(self, documents: Documents, folder: Path, progress: Progress = silent) -> None:
        """Distil the token vectors."""
        model = str(minilm_folder()) if self.model == _MINILM else self.model
        distil_static(model, self.dimensions, folder, progress)

    def embed_documents(
        self, texts: Sequence[str], progress: Progress = silent, *, fitted: Path | None = None, keep: Keep = nothing
    ) -> Embedded:
        """Return one vector a text, each distinct text computed once."""
        if fitted is None:
            raise ConfigurationError("Static embeddings need the token vectors that were distilled, but got none.")
        encoder = load_encoder(EncoderSpec(str(fitted), fitted.name, Way("cpu", "torch", "float32")))
        vectors, cut = encoder.encode(texts, Encoding(normalize=self.normalize), progress, keep)
        return Embedded(vectors, cut, encoder.max_tokens)
