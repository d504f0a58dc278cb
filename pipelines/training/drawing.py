"""What is drawn by chance, and yet the same each time: by a digest of what it is, not by its place among others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256

from pipelines.records import Question


def drawn_number(*parts: object) -> int:
    """Return a number of 64 bits that stands for some plain values, and looks as if it were drawn by chance."""
    return int.from_bytes(sha256(json.dumps(parts, ensure_ascii=True).encode()).digest()[:8], "big")


def drawn_questions(questions: Sequence[Question], share: float, seed: int) -> list[int]:
    """Return the positions of a share of the questions, one at least, in order.

    A smaller share's are among a greater one's of the same seed, and a question more moves no other in or out by more
    than the place it takes.
    """
    order = sorted(range(len(questions)), key=lambda i: drawn_number(seed, questions[i].id))
    return sorted(order[: max(1, round(share * len(questions)))])
