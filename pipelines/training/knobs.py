"""The knobs of training that an embedder and a reranker have in common: what is learnt from."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, field_validator, model_validator
from pydantic.config import JsonDict

from pipelines.errors import ConfigurationError, shorten
from pipelines.training.writing import WRITING_VERSION, WriterKnobs, writer_of

Mined = Literal["none", "model", "bm25", "both"]
Augment = Literal["none", "titles", "crops", "both"]
PAIRS_VERSION = 2
"""Raise it when the same golden set, chunks and knobs would give other pairs."""

_WRITER = ("synthetic_endpoint", "synthetic_model", "synthetic_key_variable")
_NOWHERE = "http://127.0.0.1"
_ONE_LINE = r"^[^\x00-\x1f]*$"
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
        le=0.95,
        description="Share by which a negative must be less similar to the question than the positive is: what is "
        "nearer may well be an answer that nobody marked",
        json_schema_extra={"when": _MINED},
    )
    augment: Augment = Field(
        "none",
        description="Pairs made besides the marked ones, for small sets: titles with their texts, and parts of chunks "
        "with their chunks",
    )
    synthetic: int = Field(
        0,
        ge=0,
        le=100_000,
        description="Questions that a language model is asked to write, each on one chunk of the documents that the "
        "train questions are answered in; 0 for none",
    )
    synthetic_endpoint: str = Field(
        "",
        description="Address of the OpenAI-compatible API that writes questions, such as http://127.0.0.1:8080/v1, or "
        "client:NAME; needed where any are to be written",
        json_schema_extra={"pattern": r"^(https?://[^\s]+|client:[\w.-]+)?$"},
    )
    synthetic_model: str = Field(
        "",
        description="Name of the model that writes questions, as its endpoint knows it",
        max_length=200,
        pattern=_ONE_LINE,
    )
    synthetic_key_variable: str = Field(
        "",
        description="Name of the environment variable that holds the key of that endpoint; empty for none",
        json_schema_extra={"pattern": r"^([A-Za-z_][A-Za-z0-9_]{0,63})?$"},
    )
    share: float = Field(
        1.0, gt=0.0, le=1.0, description="Share of the train questions that is learnt from, drawn by the seed"
    )
    strikes: str = Field(
        "",
        description="File of pairs and negatives that a person struck out; empty for none",
        max_length=4096,
        pattern=_ONE_LINE,
    )
    learn_from: str = Field(
        "",
        description="Folder of another dataset whose train split is learnt from; empty for the dataset at hand",
        max_length=4096,
        pattern=_ONE_LINE,
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of what is drawn, and of the training")

    @field_validator("strikes", "learn_from")
    @classmethod
    def _absolute_files(cls, path: str) -> str:
        """Name it by its full path: the work is done by another process, in another folder."""
        return str(Path(path).expanduser().resolve()) if path else ""

    @model_validator(mode="before")
    @classmethod
    def _without_an_idle_writer(cls, given: Any) -> Any:
        """Forget who would write questions where none are to be written: settings that come to the same are equal."""
        if not isinstance(given, Mapping) or given.get("synthetic", 0) not in (0, None):
            return given
        return {name: value for name, value in given.items() if name not in _WRITER}

    @model_validator(mode="after")
    def _with_a_sound_writer(self) -> PairKnobs:
        """Refuse an address or a variable that is none as soon as it is given: it may be a misplaced secret."""
        if self.synthetic:
            endpoint, model = self.synthetic_endpoint or _NOWHERE, self.synthetic_model or "unnamed"
            writer_of(endpoint, model, self.synthetic_key_variable)
        return self

    def writer(self) -> WriterKnobs | None:
        """Return the language model that writes questions; None where none are to be written.

        Raises:
            ConfigurationError: when questions are to be written and nobody is named who writes them.
        """
        if not self.synthetic:
            return None
        if not (self.synthetic_endpoint and self.synthetic_model):
            raise ConfigurationError(
                f"{self.synthetic:,} synthetic questions are to be written and nobody is named who writes them; give "
                "synthetic_endpoint and synthetic_model too, or set synthetic to 0."
            )
        return writer_of(self.synthetic_endpoint, self.synthetic_model, self.synthetic_key_variable)

    def pair_knobs(self) -> Mapping[str, object]:
        """Return what decides the pairs, given the golden set, the chunks and the base model, as plain JSON values.

        Raises:
            ConfigurationError: for ranks that end before they begin, nobody to write questions, and a file of strikes
                that cannot be read.
        """
        if self.negatives != "none" and self.negatives_to < self.negatives_from:
            raise ConfigurationError(
                f"Negatives are to be taken from rank {self.negatives_from} to {self.negatives_to}, and the last must "
                "not come before the first; correct negatives_from or negatives_to."
            )
        self.writer()
        names = [name for name in PairKnobs.model_fields if name not in ("strikes", "learn_from", *_WRITER)]
        held = {name: getattr(self, name) for name in names}
        own = {"version": PAIRS_VERSION, "strikes": self._strikes_digest()}
        return {**held, **own, **({"writing": WRITING_VERSION} if self.synthetic else {})}

    def struck_identity(self) -> Mapping[str, str]:
        """Return the digest of what was struck out, in place of trust in its file's name; nothing without a file.

        Raises:
            ConfigurationError: for a file that cannot be read.
        """
        return {"struck": self._strikes_digest()} if self.strikes else {}

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
