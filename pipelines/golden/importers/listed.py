"""Lists of texts as tables hold them: as JSON, or as Python and numpy print them. Nothing is run."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator

from pipelines.stages.load.reading import parse_json


def texts_in(value: object) -> list[str] | None:
    """Return the texts of a list, or of a cell that prints one; a plain text is a list of one. None for other values.

    >>> texts_in("['a, b' 'c']")
    ['a, b', 'c']
    """
    if value is None or value == "":
        return []
    if isinstance(value, list):
        return [str(one) for one in value if one is not None] if all(_is_text(one) for one in value) else None
    if not isinstance(value, str):
        return None
    text = value.strip()
    if not (text.startswith("[") and text.endswith("]")):
        return [value] if text.lower() != "nan" else []
    try:
        return texts_in(parse_json(text))
    except ValueError:
        printed = _printed(text)
        return [value] if printed is None else printed


def _is_text(value: object) -> bool:
    return value is None or isinstance(value, str)


def _printed(text: str) -> list[str] | None:
    """Return the string literals between brackets, each a text of its own: numpy puts no comma between them."""
    try:
        return list(_literals(text))
    except (tokenize.TokenError, SyntaxError, ValueError, IndentationError):
        return None


def _literals(text: str) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.STRING:
            value = ast.literal_eval(token.string)
            if not isinstance(value, str):
                raise ValueError("not text")
            yield value
        elif token.type == tokenize.OP and token.string not in ("[", "]", ",", "(", ")"):
            raise ValueError("not a list")
        elif token.type in (tokenize.NAME, tokenize.NUMBER, tokenize.ERRORTOKEN):
            raise ValueError("not a list of texts")
