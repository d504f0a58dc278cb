"""Source code, as it is, with its functions and classes marked where that is certain."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import ClassVar

from pipelines.records import SECTION, Document
from pipelines.stages.load import Attempt, Loader
from pipelines.stages.load.choices import EncodingKnob
from pipelines.stages.load.encodings import decoded
from pipelines.stages.load.writer import Span, sections

LANGUAGES = {
    ".py": "python", ".js": "javascript", ".jsx": "javascript", ".ts": "typescript", ".tsx": "typescript",
    ".java": "java", ".kt": "kotlin", ".scala": "scala", ".c": "c", ".h": "c", ".cc": "c++", ".cpp": "c++",
    ".hpp": "c++", ".cs": "c#", ".go": "go", ".rs": "rust", ".rb": "ruby", ".php": "php", ".swift": "swift",
    ".r": "r", ".sql": "sql", ".sh": "shell", ".ps1": "powershell", ".lua": "lua", ".pl": "perl",
}  # fmt: skip
_LINE_END = re.compile("\r\n|\r|\n")


class CodeLoader(Loader, name="code", version=1):
    """Read source code as it is, its language as metadata; of Python, functions and classes become sections.

    `auto` takes it for such files; choose it by name where any other file is a mistake, which is then reported.
    Costs next to nothing.
    """

    suffixes: ClassVar[tuple[str, ...]] = tuple(LANGUAGES)
    verbatim: ClassVar[bool] = True

    encoding: EncodingKnob = "auto"

    def attempt(self, data: bytes, document_id: str, where: str) -> Attempt:
        """Yield the one document."""
        text, notes = decoded(data, where, self.encoding)
        yield from notes
        language = LANGUAGES.get(PurePosixPath(where).suffix.lower(), "")
        found = python_sections(text) if language == "python" else []
        marks = {SECTION: found} if found else {}
        yield Document(document_id, text, {"code_language": language} if language else {}, marks)


def python_sections(text: str) -> list[Span]:
    """Return the spans of functions and classes, each up to the next one; none for what does not compile."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    starts = _line_starts(text)
    named = sorted((starts[line - 1], level, name) for line, level, name in _definitions(tree, 1))
    return sections(named, len(text))


def _definitions(node: ast.AST, level: int) -> Iterator[tuple[int, int, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield min([child.lineno, *(d.lineno for d in child.decorator_list)]), level, child.name
            if isinstance(child, ast.ClassDef):
                yield from _definitions(child, level + 1)


def _line_starts(text: str) -> list[int]:
    """Return where lines begin, as Python counts them."""
    return [0, *(match.end() for match in _LINE_END.finditer(text))]
