"""Lists and mappings as lines that a person writes: "one a line", "name: one, two". What is not so simple is YAML."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from pipelines import api
from pipelines.errors import ConfigurationError, shorten

Terms = Mapping[str, str | Sequence[str]]


def items_text(items: Sequence[Any]) -> str:
    """Return texts one a line, as `read_items` reads them back; as YAML where a text has lines of its own."""
    texts = [str(one) for one in items]
    simple = all(one == one.strip() and one and "\n" not in one for one in texts) and not _is_yaml("\n".join(texts))
    return "\n".join(texts) if simple else yaml_text(list(items))


def read_items(text: str, name: str) -> list[Any]:
    """Read one text a line, or a list in YAML's brackets.

    Raises:
        ConfigurationError: for brackets that hold no list.
    """
    if not _is_yaml(text):
        return [line.strip() for line in text.splitlines() if line.strip()]
    found = api.read_values(text.encode(), f"'{name}'")
    if not isinstance(found, list):
        raise ConfigurationError(f"'{name}' holds '{shorten(text, 60)}', which is no list; write one text a line.")
    return found


def terms_text(terms: Terms) -> str:
    """Return a mapping as lines of "name: text" or "name: text, text", as `read_terms` reads them back."""
    if not all(_simple(name, value) for name, value in terms.items()):
        return yaml_text(dict(terms))
    return "\n".join(f"{name}: {_joined(value)}" for name, value in terms.items())


def read_terms(text: str, name: str, several: bool) -> dict[str, Any]:
    """Read "name: text" a line, or "name: text, text" where each name has `several`; or a mapping in YAML's braces.

    Raises:
        ConfigurationError: for a line without a colon, or a name that is given twice.
    """
    if _is_yaml(text):
        found = api.read_values(text.encode(), f"'{name}'")
        if not isinstance(found, Mapping):
            raise ConfigurationError(f"'{name}' holds '{shorten(text, 60)}', which is no mapping; {_HOW}.")
        return dict(found)
    terms: dict[str, Any] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            term, value = _term(line, number, name)
            if term in terms:
                raise ConfigurationError(f"'{name}' names '{shorten(term)}' twice; write all of it on one line.")
            terms[term] = _split(value) if several else value
    return terms


_HOW = "write one a line, with a colon behind its name, such as 'EBITDA: operating profit'"


def _term(line: str, number: int, name: str) -> tuple[str, str]:
    term, colon, value = (part.strip() for part in line.partition(":"))
    if not colon or not term or not value:
        raise ConfigurationError(f"'{name}', line {number}: '{shorten(line.strip(), 60)}' cannot be read; {_HOW}.")
    return term, value


def _split(value: str) -> list[str]:
    row = next(csv.reader([value], skipinitialspace=True), [])
    return [one.strip() for one in row if one.strip()]


def _joined(value: Any) -> str:
    if isinstance(value, str):
        return value
    return ", ".join(f'"{one}"' if "," in one else one for one in value)


def _simple(name: str, value: Any) -> bool:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not texts or not all(isinstance(one, str) for one in texts):
        return False
    plain = all(one and one == one.strip() and not set(one) & set('\n"') for one in texts)
    return plain and bool(name) and name == name.strip() and not set(name) & set("\n:") and name[0] not in "[{"


def _is_yaml(text: str) -> bool:
    """Whether a text is meant as YAML: it begins with a bracket or brace and ends with its fellow."""
    inner = text.strip()
    return inner[:1] + inner[-1:] in ("[]", "{}")


def yaml_text(value: Any) -> str:
    """Return a value in YAML's brackets; nothing for an empty one."""
    if not value:
        return ""
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, default_flow_style=True, width=10_000).strip()
