"""The language that a text is written in, by py3langid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from pipelines.errors import ConfigurationError
from pipelines.records import Column
from pipelines.stages.extract.texts import TextExtractor

_FEWEST_LETTERS = 20


class LanguageExtractor(TextExtractor, name="language", version=1):
    """Recognise the language of each chunk, or of the whole document: en, de, fr and 94 more.

    Choose it for a corpus in several languages, before the language decides which chunks are searched. A text of fewer
    than twenty letters, or one that is too unsure, has none. About 300 chunks a second.
    """

    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2}$")], ...] = Field(
        (),
        description="Languages that may come up, such as en and de; empty allows all",
        examples=[["en"], ["de", "en"]],
    )
    least_confidence: float = Field(
        0.8, ge=0.0, le=1.0, description="Below it no language is given", json_schema_extra={"unit": "share"}
    )

    def read(self, texts: Sequence[str], ids: Sequence[str]) -> Mapping[str, Column]:
        """Return the field `language`, by its two letters.

        Raises:
            ConfigurationError: for a language that the library does not know.
        """
        identifier = self._identifier()
        return {"language": Column.of(self._one(identifier, text) for text in texts)}

    def _identifier(self) -> Any:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier

        identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        if self.languages:
            try:
                identifier.set_languages(sorted(set(self.languages)))
            except ValueError as error:
                raise ConfigurationError(
                    f"extract.language does not know all of {', '.join(self.languages)}; give two letters such as en."
                ) from error
        return identifier

    def _one(self, identifier: Any, text: str) -> str | None:
        if sum(map(str.isalpha, text[:200])) < _FEWEST_LETTERS:
            return None
        language, confidence = identifier.classify(text)
        return str(language) if float(confidence) >= self.least_confidence else None
