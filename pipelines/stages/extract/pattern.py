"""What regular expressions of the user find, bounded in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from pipelines.errors import ConfigurationError, shorten
from pipelines.records import Column, MetadataValue
from pipelines.stages.extract.texts import TextExtractor, typed

_EXAMPLE = r"Clause (?P<clause>\d+)"


class PatternExtractor(TextExtractor, name="pattern", version=1):
    r"""Find what your own regular expressions match: each named group becomes a field, `(?P<clause>\d+)` for instance.

    Choose it where documents write something in a form of their own: reference numbers, clauses, product codes. The
    first match of a text counts; of several patterns with one group, the first that matches. Digits become numbers.
    About 100,000 chunks a second for a plain pattern; one that takes too long on a text ends the run with a sentence.
    """

    patterns: tuple[Annotated[str, Field(min_length=1, max_length=1000)], ...] = Field(
        description="Regular expressions with named groups, one a line",
        min_length=1,
        examples=[[_EXAMPLE], [r"(?P<amount>\d+) million", _EXAMPLE]],
    )
    on: Literal["text", "id"] = Field("text", description="Search the text, or the document's id")
    ignore_case: bool = Field(False, description="Whether capitals and small letters are the same")
    limit_s: float = Field(
        1.0,
        gt=0.0,
        le=60.0,
        description="Longest that one pattern may take on one text",
        json_schema_extra={"unit": "s"},
    )

    @field_validator("patterns")
    @classmethod
    def _sound(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        import regex

        for pattern in patterns:
            try:
                groups = regex.compile(pattern).groupindex
            except (regex.error, RecursionError, OverflowError) as error:
                raise ValueError(f"holds '{shorten(pattern)}', which is no regular expression: {error}") from error
            if not groups:
                raise ValueError(
                    f"holds '{shorten(pattern)}' without a named group; name what is to be a field, as in {_EXAMPLE}"
                )
        return patterns

    def extra_identity(self) -> Mapping[str, str]:
        """Return the version of the library, which decides what a pattern matches."""
        from importlib.metadata import version

        return {"regex": version("regex")}

    def read(self, texts: Sequence[str], ids: Sequence[str]) -> Mapping[str, Column]:
        """Return a field for each named group.

        Raises:
            ConfigurationError: when a pattern takes too long on a text.
        """
        import regex

        flags = regex.IGNORECASE if self.ignore_case else 0
        rows: list[dict[str, MetadataValue]] = [{} for _ in texts]
        names: dict[str, None] = {}
        for pattern in self.patterns:
            compiled = regex.compile(pattern, flags)
            names.update(dict.fromkeys(compiled.groupindex))
            for row, text, document in zip(rows, texts, ids, strict=True):
                for name, value in self._found(compiled, document if self.on == "id" else text, document).items():
                    row.setdefault(name, value)
        return {name: Column.of(row.get(name) for row in rows) for name in names}

    def _found(self, compiled: Any, text: str, document: str) -> dict[str, MetadataValue]:
        try:
            match = compiled.search(text, timeout=self.limit_s)
        except TimeoutError as error:
            raise ConfigurationError(
                f"extract.pattern: '{shorten(compiled.pattern)}' takes more than {self.limit_s:g} s on a text of "
                f"document '{shorten(document)}'; write it without repetitions within repetitions, or raise limit_s."
            ) from error
        groups = match.groupdict() if match else {}
        return {name: typed(value) for name, value in groups.items() if value and value.strip()}
