"""A golden set that a tiny encoder can be trained on in a moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.finetune.schools import written


@pytest.fixture
def school(write_set: Callable[..., Path]) -> Callable[..., Path]:
    """Write the set; `questions` are added to it, `splits` say how its places are divided."""
    return written(write_set)
