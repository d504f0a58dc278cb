"""Who is computed with whom: a text's width follows from its own length alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.models.batches import batches, widths


def test_widths_are_steps_of_16_up_to_what_the_model_reads() -> None:
    lengths = np.array([0, 1, 16, 17, 250, 900])
    assert widths(lengths, 256).tolist() == [16, 16, 16, 32, 256, 256]
    assert widths(lengths, None).tolist() == [16, 16, 16, 32, 256, 912]  # 912 = 57 x 16
    assert widths(lengths, 250).tolist() == [16, 16, 16, 32, 250, 250]


def test_a_batch_has_one_width_and_the_widest_come_first() -> None:
    found = list(batches(np.array([5, 40, 9, 33, 7, 47]), 256, batch_size=2))
    assert [b.width_tokens for b in found] == [48, 48, 16, 16]
    assert [b.positions.tolist() for b in found] == [[1, 3], [5], [0, 2], [4]]


@given(st.lists(st.integers(0, 600), max_size=60), st.integers(1, 9), st.sampled_from([None, 16, 250, 256]))
def test_every_text_is_in_one_batch_at_its_own_width(lengths: list[int], size: int, limit: int | None) -> None:
    own = np.asarray(lengths, dtype=np.int64)
    found = list(batches(own, limit, size))
    assert sorted(i for b in found for i in b.positions.tolist()) == list(range(len(lengths)))
    for batch in found:
        assert 1 <= len(batch.positions) <= size
        for i in batch.positions:
            assert widths(own[[i]], limit).tolist() == [batch.width_tokens]  # as if it were alone
