"""Named entities, by a spaCy pipeline that is installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from pipelines.errors import ConfigurationError, MissingExtraError, shorten
from pipelines.records import Column
from pipelines.stages.extract.texts import TextExtractor, commonest, joined, rows_to_columns

_UNNEEDED = ("parser", "tagger", "attribute_ruler", "lemmatizer", "senter", "morphologizer")


class EntitiesExtractor(TextExtractor, name="entities", version=1):
    """Recognise organisations, places, persons and other names by a spaCy model, also ones that no metadata hold.

    Choose it where documents speak of names that no list has. Needs the extra `entities` and a model, which you install
    yourself: nothing is downloaded. The small English model reads about 60 chunks a second on a core.
    """

    model: str = Field(
        "en_core_web_sm", min_length=1, max_length=400, description="An installed spaCy model's name, or its folder"
    )
    labels: tuple[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")], ...] = Field(
        ("ORG", "GPE", "PERSON"),
        min_length=1,
        description="Kinds of entities, as the model calls them",
        examples=[["ORG"], ["GPE", "ORG"]],
    )

    def extra_identity(self) -> Mapping[str, str]:
        """Return which version of the model and of spaCy decides."""
        return {"spacy": _version("spacy"), "model": _identity(self.model)}

    def read(self, texts: Sequence[str], ids: Sequence[str]) -> Mapping[str, Column]:
        """Return for each kind, such as ORG, the fields `entity_org`, the most frequent, and `entities_org`, all.

        Raises:
            MissingExtraError: when spaCy is not installed.
            ConfigurationError: when the model is not, or knows no such kinds.
        """
        model = self._loaded()
        names = [f"{kind}_{label.lower()}" for label in self.labels for kind in ("entity", "entities")]
        return rows_to_columns(names, [self._row(found) for found in _entities(model, texts)])

    def _row(self, found: Sequence[tuple[str, str]]) -> list[Any]:
        own = [[text for label, text in found if label == wanted] for wanted in self.labels]
        return [value for texts in own for value in (commonest(texts), joined(texts))]

    def _loaded(self) -> Any:
        if find_spec("spacy") is None:
            raise MissingExtraError("spaCy", "entities")
        import spacy

        if not spacy.util.is_package(self.model) and not (Path(self.model) / "meta.json").is_file():
            there = ", ".join(sorted(spacy.util.get_installed_models())) or "none"
            raise ConfigurationError(
                f"extract.entities needs the spaCy model '{shorten(self.model)}', which is not installed (there is: "
                f"{shorten(there, 200)}); install it with pip, or give the folder that holds its meta.json."
            )
        try:
            model = spacy.load(self.model, exclude=_UNNEEDED)
        except (OSError, ValueError, ImportError) as error:
            raise ConfigurationError(
                f"extract.entities cannot read the spaCy model '{shorten(self.model)}': {shorten(error, 200)}."
            ) from error
        self._refuse_unknown(model)
        return model

    def _refuse_unknown(self, model: Any) -> None:
        known = {
            label for pipe in ("ner", "entity_ruler") if pipe in model.pipe_names for label in _labels(model, pipe)
        }
        unknown = [label for label in self.labels if label not in known]
        if unknown:
            raise ConfigurationError(
                f"extract.entities asks for {', '.join(unknown)}, which the model '{shorten(self.model)}' does not "
                f"recognise; it knows {shorten(', '.join(sorted(known)) or 'no entities at all', 300)}."
            )


def _labels(model: Any, pipe: str) -> Sequence[str]:
    return list(model.get_pipe(pipe).labels)


def _entities(model: Any, texts: Sequence[str]) -> Iterator[list[tuple[str, str]]]:
    """Return label and text of each text's entities; a text that is too long is read in pieces."""
    longest = model.max_length
    for text in texts:
        pieces = [text[at : at + longest] for at in range(0, len(text), longest)]
        found = [(ent.label_, " ".join(ent.text.split())) for doc in model.pipe(pieces) for ent in doc.ents]
        yield [(label, name) for label, name in found if name]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


@lru_cache(maxsize=8)
def _identity(model: str) -> str:
    """Return a model's version, or for a folder a digest of its files; "" for one that is not there."""
    folder = Path(model)
    if not (folder / "meta.json").is_file():
        return _version(model)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    digest = sha256()
    for path in files:
        digest.update(path.relative_to(folder).as_posix().encode() + sha256(path.read_bytes()).digest())
    return digest.hexdigest()
