"""Folders made by hand, and what an error must read like."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MakeDataset = Callable[..., Path]
Refused = Callable[..., str]

TEXT = "On the first day it rained. On the second day it rained again."


@pytest.fixture
def make(tmp_path: Path) -> MakeDataset:
    """Write a dataset folder from rows; a row given as text is written as it is."""

    def dataset(
        documents: list[Any] | None = None,
        questions: list[Any] | None = None,
        manifest: str | None = "name: made by hand\n",
        files: dict[str, str | bytes] | None = None,
    ) -> Path:
        folder = tmp_path / "set"
        folder.mkdir(exist_ok=True)
        if manifest is not None:
            (folder / "dataset.yaml").write_text(manifest, encoding="utf-8")
        if documents is None and files is None:
            documents = [{"id": "rain", "text": TEXT}]
        for name, rows in (("documents.jsonl", documents), ("questions.jsonl", questions)):
            if rows is not None:
                lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
                (folder / name).write_text("\n".join(lines), encoding="utf-8")
        for name, content in (files or {}).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return folder

    return dataset


@pytest.fixture
def refused() -> Refused:
    """Call something that must be refused with one clear sentence of ours, and return the sentence."""
    from pipelines.errors import WorkbenchError

    def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
        with pytest.raises(WorkbenchError) as caught:
            function(*args, **kwargs)
        message = str(caught.value)
        assert message.endswith((".", "?")), message
        assert "\n" not in message
        assert "Traceback" not in message
        assert len(message) < 900
        return message

    return call
