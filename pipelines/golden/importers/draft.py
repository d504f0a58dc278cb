"""What an importer reads from a source, before its evidence is looked up in the documents."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.records import Document, Question
from pipelines.stages.load import Source


@dataclass(frozen=True)
class Problem:
    """What could not be imported: of which question (None: of no certain one), why, and the nearest text there is."""

    question_id: str | None
    message: str
    nearest: str = ""


@dataclass
class Draft:
    """Documents and questions as a source gives them.

    `failed` are the ids of questions that lost something while they were read: without any evidence left, they are
    left out, and not taken for unanswerable. `notices` tell what was imported otherwise than one might think. `files`
    are those that `documents` were read from, as far as they may be kept; `unread` tells of those, or of rows of
    them, that could not be read.
    """

    documents: list[Document] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    description: str = ""
    licence: str = ""
    source: str = ""
    problems: list[Problem] = field(default_factory=list)
    unread: list[Problem] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    files: list[Source] = field(default_factory=list)
