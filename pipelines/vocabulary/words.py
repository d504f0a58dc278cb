"""Texts as folded words with their places: case, accents, plurals and possessives make no difference."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_POSSESSIVE = re.compile(r"(?<=\w)['’`]s\b", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_KEEPS_S = ("ss", "us", "is", "as", "os")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: as it is compared, as it is written, and its half-open span."""

    folded: str
    written: str
    start: int
    end: int

    @property
    def capital(self) -> bool:
        """Whether it is written as a name: it begins with a capital or is a number."""
        return self.written[0].isupper() or self.written[0].isdigit()


def words(text: str) -> list[Word]:
    """Return the words of a text in order; hyphens, underscores and slashes part them, a possessive 's is dropped."""
    plain = _POSSESSIVE.sub(lambda found: " " * len(found[0]), text)
    return [Word(folded(_without_plural(m[0])), m[0], m.start(), m.end()) for m in _WORD.finditer(plain)]


def _without_plural(written: str) -> str:
    """Return capitals without a plural ending: the Qs of 10-Qs, SOPs."""
    return written[:-1] if len(written) > 1 and written[-1] == "s" and written[:-1].isupper() else written


def tokens(text: str) -> tuple[str, ...]:
    """Return the folded words of a value; `camelCase` is two."""
    return tuple(word.folded for word in words(_CAMEL.sub(" ", text)))


def folded(word: str) -> str:
    """Return a word as it is compared: without case and accents, in the singular."""
    plain = unicodedata.normalize("NFKD", word).casefold()
    return singular("".join(c for c in plain if not unicodedata.combining(c)))


def singular(word: str) -> str:
    """Return an English word without its plural ending: policies, notes, boxes. Short words and numbers stay."""
    if len(word) <= 3 or not word.isalpha() or not word.endswith("s") or word.endswith(_KEEPS_S):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    return word[:-1]
