"""Questions that a language model writes on passages: whom it asks, what it is told, which answers are questions."""

from __future__ import annotations

import re
from typing import Any

from pydantic import ConfigDict, ValidationError

from pipelines.models.chat import Prompt
from pipelines.models.chat_knobs import ChatKnobs

WRITING_VERSION = 1
"""Raise it when the same passages and answers would give other questions."""

_LONGEST_PASSAGE = 6_000
_LONGEST, _SHORTEST = 400, 10
_LABEL = re.compile(
    r"^(?:(?:(?:(?:here is )?the )?question(?: is)?|q)\s*[:.)-]|[-*•–]+|\(?\d{1,2}[.):])\s+", re.IGNORECASE
)
_QUOTES = "\"'“”„«»`* "
_ENDS = ("?", "？", "؟")
_OF_THE_PASSAGE = re.compile(
    r"\b(?:(?:this|the|given|above|following) (?:passage|text|excerpt|paragraph|document)|mentioned (?:above|here))\b",
    re.IGNORECASE,
)
_PROMPT = (
    "Write one question that somebody might ask who has never seen the passage below, and that the passage alone "
    "answers. Use the names, numbers and dates that are needed to understand it, never words such as 'the passage', "
    "and other words than the passage where you can. Write the question on one line and nothing else. If there is "
    "nothing in it to ask for, write NONE.\n\nPassage{title}:\n{passage}"
)


class WriterKnobs(ChatKnobs):
    """The language model that writes questions."""

    model_config = ConfigDict(frozen=True)


def writer_of(endpoint: str, model: str, key_variable: str) -> WriterKnobs:
    """Return the language model of three knobs.

    Its seed is fixed and its temperature 0: trainings of several seeds are then paid for once.

    Raises:
        ValueError: for an address, or a name of a variable, that is none; the message repeats neither.
    """
    given: dict[str, Any] = {"endpoint": endpoint, "model": model, "key_variable": key_variable}
    try:
        return WriterKnobs(**given, max_tokens=128)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        knob = f"synthetic_{first['loc'][0]}: it " if first["loc"] else "synthetic_endpoint: it "
        raise ValueError(f"cannot use {knob}{first['msg'].removeprefix('Value error, ')}") from None


def writing_prompt(passage: str, title: str = "") -> Prompt:
    """Return what the model is asked for one passage; `title` is that of its document, "" where there is none."""
    told = f" from '{title}'" if title else ""
    return Prompt.of(_PROMPT.format(title=told, passage=passage.strip()[:_LONGEST_PASSAGE]))


def question_in(answer: str) -> str:
    """Return the question that an answer is, "" where it is anything else: strictly one line that asks.

    Several lines, no question mark, a word or a treatise, and questions about "the passage" are no use.
    """
    lines = [line.strip() for line in answer.splitlines() if line.strip()]
    if len(lines) != 1:
        return ""
    asked = _LABEL.sub("", lines[0]).strip(_QUOTES)
    sound = _SHORTEST <= len(asked) <= _LONGEST and asked.endswith(_ENDS) and not _OF_THE_PASSAGE.search(asked)
    return asked if sound else ""
