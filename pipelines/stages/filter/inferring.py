"""The knobs of filters that read questions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from pydantic import Field

from pipelines.errors import counted
from pipelines.knobs import Day
from pipelines.stages.filter import Asked, Filter, Filtered
from pipelines.stages.filter.guess import Guess
from pipelines.stages.filter.reading import Reader

_ALIAS = r"^[^=]*[^=\s][^=]*=[^=]*[^=\s][^=]*$"


class Inferring(Filter):
    """What decides how questions are read; `inferred` and `boost` share it."""

    needs_texts = True

    threshold: float = Field(
        0.5,
        ge=0.0,
        le=1.0,
        description="Confidence from which a value counts as meant: higher reads less and errs less",
        json_schema_extra={"unit": "share"},
    )
    fields: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field(
        (),
        description="Metadata fields whose values are looked for in questions; empty: all but what is merely mentioned",
        examples=[["company"], ["company", "year"]],
    )
    aliases: tuple[
        Annotated[str, Field(pattern=_ALIAS, max_length=400, examples=["MBG = Meridian Bank Group"])], ...
    ] = Field(
        (),
        description="Further names of values, such as 'MBG = Meridian Bank Group', one a line",
        examples=[["MBG = Meridian Bank Group"]],
    )
    reference_date: Day | None = Field(
        None, description="Day from which 'last year' counts, such as 2024-12-31; empty takes the newest in the corpus"
    )

    def reader(self, filtered: Filtered) -> Reader:
        """Learn the vocabulary of the metadata.

        Raises:
            ConfigurationError: for a field that no document has.
        """
        day = None if self.reference_date is None else date.fromisoformat(self.reference_date)
        return Reader.of(filtered, self.fields, self.aliases, self.threshold, day)


def told(asked: Sequence[Asked], guesses: Sequence[Sequence[Guess]], n_widened: int) -> list[str]:
    """Say how many questions something was read out of, and for how many it was widened."""
    read = sum(bool(own) for own in guesses)
    notes = [f"The filter reads conditions out of {read:,} of {counted(len(asked), 'question')}."] if asked else []
    if n_widened:
        notes.append(f"For {n_widened:,} of them too few chunks met all, and the least sure conditions were dropped.")
    return notes
