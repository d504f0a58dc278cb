"""The knobs of training that an embedder and a reranker have in common: what is learnt from."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, field_validator
from pydantic.config import JsonDict

from pipelines.errors import ConfigurationError, shorten

Mined = Literal["none", "model", "bm25", "both"]
Augment = Literal["none", "titles", "crops", "both"]
PAIRS_VERSION = 1
"""Raise it when the same golden set, chunks and knobs would give other pairs."""

_MINED: JsonDict = {"negatives": ["model", "bm25", "both"]}


class PairKnobs(BaseModel):
    """Mix this into a component that trains: its knobs then say which pairs it learns from, flat among the others."""

    negatives: Mined = Field(
        "both",
        description="What finds hard negatives, chunks that look as if they answered: the base model, BM25, or both",
    )
    negatives_each: int = Field(
        1, ge=1, le=32, description="Hard negatives a pair", json_schema_extra={"unit": "chunks", "when": _MINED}
    )
    negatives_from: int = Field(
        1, ge=1, le=1000, description="First rank that negatives are taken from", json_schema_extra={"when": _MINED}
    )
    negatives_to: int = Field(
        50, ge=1, le=1000, description="Last rank that negatives are taken from", json_schema_extra={"when": _MINED}
    )
    negatives_margin: float = Field(
        0.05,
        ge=0.0,
        lt=1.0,
        description="Share by which a negative must be less similar to the question than the positive is: what is "
        "nearer may well be an answer that nobody marked",
        json_schema_extra={"when": _MINED},
    )
    augment: Augment = Field(
        "none",
        description="Pairs made besides the marked ones, for small sets: titles with their texts, and parts of chunks "
        "with their chunks",
    )
    share: float = Field(
        1.0, gt=0.0, le=1.0, description="Share of the train questions that is learnt from, drawn by the seed"
    )
    strikes: str = Field(
        "", description="File of pairs and negatives that a person struck out; empty for none", max_length=4096
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of what is drawn, and of the training")

    @field_validator("strikes")
    @classmethod
    def _absolute_strikes(cls, strikes: str) -> str:
        """Name the file by its full path: the work is done by another process, in another folder."""
        return str(Path(strikes).expanduser().resolve()) if strikes else ""

    def pair_knobs(self) -> Mapping[str, object]:
        """Return what decides the pairs, given the golden set, the chunks and the base model, as plain JSON values."""
        names = [name for name in PairKnobs.model_fields if name != "strikes"]
        held = {name: getattr(self, name) for name in names}
        return {"version": PAIRS_VERSION, **held, "strikes": self._strikes_digest()}

    def _strikes_digest(self) -> str:
        if not self.strikes:
            return ""
        try:
            return sha256(Path(self.strikes).read_bytes()).hexdigest()
        except OSError as error:
            raise ConfigurationError(
                f"The file of struck-out pairs {shorten(self.strikes)} cannot be read; name an existing one, or leave "
                "'strikes' empty."
            ) from error
