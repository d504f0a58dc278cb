"""The page of components is what the components say of themselves, and each says enough to choose by."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.catalog import all_components, knobs

REPOSITORY = Path(__file__).parents[2]
OURS = [
    pytest.param(found, id=f"{stage}-{name}")
    for stage, named in all_components().items()
    for name, found in named.items()
    if found.__module__.startswith("pipelines.")
]


def test_the_page_is_what_is_generated(tmp_path: Path) -> None:
    """`make docs` writes it. In a process of its own: other tests declare components too."""
    made = tmp_path / "components.md"
    subprocess.run([sys.executable, "-m", "benchmarks.component_docs", str(made)], check=True, cwd=REPOSITORY)
    page = REPOSITORY / "docs" / "components.md"
    assert page.read_text(encoding="utf-8") == made.read_text(encoding="utf-8"), "run `make docs`"


@pytest.mark.parametrize("found", OURS)
def test_a_component_says_more_than_its_name(found: type) -> None:
    """What it does in the first paragraph, then when to choose it and what it costs; a sentence for each knob."""
    said = inspect.cleandoc(found.__doc__ or "")
    assert said.split("\n\n")[0].endswith(".")
    assert len(said.split()) >= 12, said
    assert all(knob.description for knob in knobs(found))
