"""What a text is about in a few words of its own, by YAKE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from pipelines.records import Column
from pipelines.stages.extract.texts import JOINT, TextExtractor, rows_to_columns


class KeywordsExtractor(TextExtractor, name="keywords", version=1):
    """Find the words and phrases that a text is about, by YAKE: statistics of the text alone, no model, no training.

    Choose it to look through a corpus, or to find chunks by `$contains`; as a hard filter it removes too much. About
    90 chunks a second: the slowest extractor without a model.
    """

    n: int = Field(5, ge=1, le=50, description="Keywords of a text, the best first")
    longest: int = Field(3, ge=1, le=5, description="Longest phrase", json_schema_extra={"unit": "words"})
    language: str = Field("en", pattern=r"^[a-z]{2}$", description="Language whose stop words are left out")

    def read(self, texts: Sequence[str], ids: Sequence[str]) -> Mapping[str, Column]:
        """Return the fields `keyword`, the best, and `keywords`, all of them with "; " between."""
        import yake

        extractor = yake.KeywordExtractor(lan=self.language, n=self.longest, top=self.n)
        found = [
            [str(phrase) for phrase, _ in extractor.extract_keywords(text)] if text.strip() else [] for text in texts
        ]
        rows = [(own[0], JOINT.join(own)) if own else (None, None) for own in found]
        return rows_to_columns(("keyword", "keywords"), rows)
