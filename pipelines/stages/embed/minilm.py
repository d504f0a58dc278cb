"""The embedded default: all-MiniLM-L6-v2, which installs as a package."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import Field, field_validator

from pipelines.models.weights import MINILM_SHA256, minilm_folder
from pipelines.stages.embed.sentence_transformer import SentenceTransformerEmbedder


class MiniLMEmbedder(SentenceTransformerEmbedder, name="minilm", version=2):
    """Embed with all-MiniLM-L6-v2: 384 dimensions, 256 tokens, English, 22.7 million parameters. Needs no download.

    Choose it to begin with, and as the baseline of other models. A longer chunk is read up to its 256th token only.
    It embeds some tens of chunks a second on a processor core, each text once for ever.
    """

    model: str = Field("all-MiniLM-L6-v2", pattern="^all-MiniLM-L6-v2$", description="Fixed: the embedded model")

    dimensions: ClassVar[None] = None  # type: ignore[misc]
    query_prompt: ClassVar[None] = None  # type: ignore[misc]
    document_prompt: ClassVar[None] = None  # type: ignore[misc]
    """No knobs here: this model was trained neither for shorter vectors, nor with words before its texts."""

    @field_validator("model")
    @classmethod
    def _absolute(cls, model: str) -> str:
        """Keep the name: it is not a folder's."""
        return model

    def extra_identity(self) -> Mapping[str, str]:
        """Return the digest of the published weights; they are verified when they are loaded."""
        return {"weights": MINILM_SHA256}

    def _architecture(self) -> str:
        return "bert"

    def settings_model(self) -> Path:
        """Return the folder of the installed package, its weights verified."""
        return minilm_folder()
