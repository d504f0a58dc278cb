"""What chunkers share that cut where the meaning changes: an encoder reads small units of all documents, once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Protocol, cast

from pydantic import AfterValidator, Field

from pipelines.component import Component, build
from pipelines.records import Chunks, Document, Documents, FloatArray
from pipelines.stages.chunk import Chunker, Cut, Encode, Span, alone, chunks_of

_TEXTS_AT_ONCE = 16_384
"""Units of so many documents are read together, lest the vectors of a large corpus fill the memory."""
EMBEDDED = "minilm"


def _absolute(name: str) -> str:
    folder = Path(name).expanduser()
    return str(folder.resolve()) if name != EMBEDDED and folder.is_dir() else name


ModelName = Annotated[
    str,
    AfterValidator(_absolute),
    Field(
        min_length=1,
        description=(
            "Whose vectors decide where to cut: minilm (the embedded model), or the folder or hub name of a "
            "sentence-transformers model"
        ),
    ),
]
"""The type of a knob that names the encoder by which a chunker reads."""


class MeaningChunker(Chunker):
    """Cuts each document between units of it, such as sentences, by the vectors of these units.

    Its components have the knob `model`. Vectors are kept by text, for ever: other knobs read nothing again.
    """

    @abstractmethod
    def units(self, text: str) -> list[Span]:
        """Return the smallest spans that may stand alone; they cover the text one after another."""

    @abstractmethod
    def read(self, text: str, units: Sequence[Span]) -> list[str]:
        """Return the text that is encoded for each unit."""

    @abstractmethod
    def grouped(self, text: str, units: Sequence[Span], vectors: FloatArray) -> Iterable[Span]:
        """Return the chunks, given the vector of what was read for each unit, float32 [n_units, dimensions]."""

    def encoder(self) -> Component | None:
        """Return the embed component of the model that the knob names."""
        name = str(getattr(self, "model", EMBEDDED))
        settings = {"use": EMBEDDED} if name == EMBEDDED else {"use": "sentence-transformer", "model": name}
        return build("embed", settings, EMBEDDED, f"chunk.{self.name}.model")

    def texts_read(self, documents: Documents) -> list[str]:
        """Return the text of every unit; a document of one unit is not read."""
        return [part for text in documents.texts for part in self._units_read(text)[1]]

    def encoded_share(self) -> float:
        """Return that each character is read once."""
        return 1.0

    def cuts(self, document: Document) -> Iterable[Cut]:
        """Return the chunks of one document, read by the encoder that this chunker loads itself."""
        found = self.chunk(Documents.of([document]))
        columns = (found.start, found.end, found.context_start, found.context_end)
        return [(s, e, cs, ce) for s, e, cs, ce in zip(*(column.tolist() for column in columns), strict=True)]

    def chunk(self, documents: Documents, encode: Encode | None = None) -> Chunks:
        """Return the chunks of all documents; units of many documents are encoded together."""
        read = encode or _own(self.encoder())
        return chunks_of((d, cut) for d, spans in self._all_spans(documents.texts, read) for cut in alone(spans))

    def _all_spans(self, texts: Sequence[str], encode: Encode) -> Iterator[tuple[int, Iterable[Span]]]:
        waiting: list[tuple[int, list[Span], list[str]]] = []
        for d, text in enumerate(texts):
            waiting.append((d, *self._units_read(text)))
            if sum(len(parts) for *_, parts in waiting) >= _TEXTS_AT_ONCE or d == len(texts) - 1:
                yield from self._block(texts, waiting, encode)
                waiting = []

    def _units_read(self, text: str) -> tuple[list[Span], list[str]]:
        units = self.units(text)
        return units, self.read(text, units) if len(units) > 1 else []

    def _block(
        self, texts: Sequence[str], waiting: Sequence[tuple[int, list[Span], list[str]]], encode: Encode
    ) -> Iterator[tuple[int, Iterable[Span]]]:
        everything = [part for *_, parts in waiting for part in parts]
        vectors = encode(everything) if everything else None
        at = 0
        for d, units, parts in waiting:
            if vectors is None or not parts:
                yield d, units
            else:
                yield d, self.grouped(texts[d], units, vectors[at : at + len(parts)])
            at += len(parts)


class _Vectors(Protocol):
    vectors: FloatArray


class _Embeds(Protocol):
    embed_documents: Callable[[Sequence[str]], _Vectors]


def _own(encoder: Component | None) -> Encode:
    embeds = cast("_Embeds", encoder)
    return lambda texts: embeds.embed_documents(texts).vectors
