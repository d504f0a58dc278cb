"""How a golden set is divided is stated, and what leaks is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipelines.finetune.splits import leaks_of, splits_of
from pipelines.golden.dataset import Dataset
from tests.finetune.schools import school_questions

School = Callable[..., Path]


def test_a_split_by_document_shares_none(school: School) -> None:
    found = splits_of(Dataset.open(school()), "test")
    assert found.questions == {"train": 30, "dev": 18, "test": 24}
    assert found.shared == {"train and dev": 0, "train and test": 0, "dev and test": 0}
    assert found.sentence.startswith("Split by document")


def test_a_question_on_a_document_of_train_is_counted(school: School) -> None:
    extra = {"id": "x", "text": "Where do the psalms of Arden sound?", "split": "test"}
    evidence = [{"document_id": "arden", "quote": "rehearses the winter psalms"}]
    found = splits_of(Dataset.open(school({**extra, "evidence": evidence})), "test")
    assert found.shared["train and test"] == 1
    assert "1 of 25 test questions" in found.sentence
    assert "the other 24" in found.sentence


def test_a_test_question_copied_into_train_is_named(school: School) -> None:
    copied = next(one for one in school_questions() if one["split"] == "test")
    (leak,) = leaks_of(Dataset.open(school({**copied, "id": "planted", "split": "train"})))
    assert (leak.question_id, leak.twin, leak.twin_split) == ("planted", copied["id"], "test")
    assert leak.text == leak.twin_text == copied["text"]
    assert leaks_of(Dataset.open(school())) == ()
