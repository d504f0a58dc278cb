"""A dataset's questions dealt anew to train, dev and test, at random: what belongs together stays together."""

from __future__ import annotations

import json
import math
import random
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

import yaml

from pipelines.errors import ConfigurationError, DatasetError, did_you_mean, shorten, storage_errors
from pipelines.golden.dataset import Dataset
from pipelines.golden.manifest import MANIFEST_FILE
from pipelines.golden.opening import QUESTIONS_FILE
from pipelines.golden.split_report import By, Shares, SplitReport, documents_of, split_report
from pipelines.golden.write import publish_files, refuse_occupied
from pipelines.near_duplicates import alike_on_one_span, alike_pairs
from pipelines.records import SPLITS, Question, Split
from pipelines.stages.load import document_files
from pipelines.stages.load.reading import clean

FEWEST_QUESTIONS = 10
_ROOM = 0.1
"""By how much of all questions a split may be greater than its share before it is no such split."""


def parse_shares(text: str) -> dict[Split, float]:
    """Return the share of each split, in [0, 1], of a text such as "60/20/20": train, dev and test.

    Raises:
        ConfigurationError: for anything else than three numbers that come to 100, two of them above 0.
    """
    parts = re.split(r"[/,:\s]+", text.strip())
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    whole = 1.0 if sum(numbers) <= 1.5 else 100.0
    sound = len(numbers) == len(SPLITS) and all(math.isfinite(n) and n >= 0 for n in numbers)
    if not sound or abs(sum(numbers) - whole) > 0.01 * whole or sum(n > 0 for n in numbers) < 2:
        raise ConfigurationError(
            f"The shares '{shorten(text, 40)}' are not those of train, dev and test; give three numbers that come to "
            "100, two of them above 0, such as 60/20/20."
        )
    return {split: number / sum(numbers) for split, number in zip(SPLITS, numbers, strict=True)}


def split_dataset(
    dataset: Dataset, dest: Path, by: str, shares: Shares, seed: int = 0, *, replace: bool = False
) -> SplitReport:
    """Write a dataset with its questions dealt to splits into the new folder `dest`, all of it or nothing.

    By question, questions that ask nearly the same stay together. By document, so do those with evidence in the same
    documents, so that no split has seen a document of another. It is called like its folder; all
    else stays to the byte.

    Raises:
        ConfigurationError: for another way to split.
        DatasetError: for a dataset that has splits already, unless `replace` says so; one that cannot be split so; and
            a place that is taken.
        StorageError: when the disk refuses.
    """
    way = _way(by)
    _refuse_split(dataset, replace)
    questions = dataset.resolved()
    groups = _groups(questions, way)
    _refuse_unsplittable(questions, groups, way, shares)
    dealt = _dealt(questions, groups, shares, seed)
    _refuse_empty(dealt, shares)
    with storage_errors(dest, "write the dataset"):
        refuse_occupied(dest, overwrite=False)
        publish_files(dest, _files(dataset, dealt, clean(dest.resolve().name)))
    together = sum(len(group) for group in groups if len(group) > 1)
    return split_report(Dataset.open(dest), questions, dealt, way, seed, shares, together)


def _way(by: str) -> By:
    for way in get_args(By):
        if by == way:
            found: By = way
            return found
    guess = did_you_mean(by, get_args(By))
    raise ConfigurationError(f"There is no way to split by '{shorten(by, 40)}'; choose question or document.{guess}")


def _refuse_split(dataset: Dataset, replace: bool) -> None:
    n = sum(question.split is not None for question in dataset.questions)
    if n and not replace:
        raise DatasetError(
            f"{n:,} of {len(dataset.questions):,} questions of '{shorten(dataset.name)}' have a split already; "
            "say --replace to deal all of them anew, which makes figures on the old splits incomparable."
        )


def _groups(questions: Sequence[Question], by: By) -> list[list[int]]:
    """Return the positions of questions that stay together, each question in one group."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    edges = [*alike_pairs(questions), *alike_on_one_span(questions, questions)]
    if by == "document":
        first: dict[str, int] = {}
        edges += [(first.setdefault(d, i), i) for i, one in enumerate(questions) for d in sorted(documents_of(one))]
    rows, columns = ([edge[side] for edge in edges] for side in (0, 1))
    graph = coo_matrix(([1] * len(edges), (rows, columns)), shape=(len(questions), len(questions)))
    groups: dict[int, list[int]] = defaultdict(list)
    for i, label in enumerate(connected_components(graph, directed=False)[1].tolist()):
        groups[label].append(i)
    return list(groups.values())


def _refuse_unsplittable(questions: Sequence[Question], groups: list[list[int]], by: By, shares: Shares) -> None:
    wanted = [split for split in SPLITS if shares[split] > 0]
    answerable = [question for question in questions if question.answerable]
    if len(answerable) < FEWEST_QUESTIONS:
        raise DatasetError(
            f"Questions with evidence are too few to be split: there are {len(answerable)}, and {FEWEST_QUESTIONS} are "
            "needed; add some first."
        )
    documents = {document for question in answerable for document in documents_of(question)}
    if by == "document" and len(documents) == 1:
        raise DatasetError(
            f"All evidence is in one document, '{shorten(documents.pop(), 60)}', so nothing can be split by document; "
            "split by question."
        )
    largest = max(groups, key=len)
    if len(largest) > (max(shares.values()) + _ROOM) * len(questions) or len(groups) < len(wanted):
        what = "share documents" if by == "document" else "ask nearly the same"
        todo = "split by question, or give one split a greater share" if by == "document" else "drop repeated questions"
        raise DatasetError(
            f"{len(largest):,} of {len(questions):,} questions {what} with one another and must stay together, "
            f"so shares of {_told(shares)} cannot be had; {todo}."
        )


def _refuse_empty(dealt: Mapping[str, Split], shares: Shares) -> None:
    empty = [split for split in SPLITS if shares[split] > 0 and split not in dealt.values()]
    if empty:
        raise DatasetError(
            f"With shares of {_told(shares)}, no question is left for {empty[0]}: {len(dealt):,} are too few; give it "
            "a greater share, or none."
        )


def _told(shares: Shares) -> str:
    return "/".join(f"{100 * shares[split]:g}" for split in SPLITS)


def _dealt(questions: Sequence[Question], groups: list[list[int]], shares: Shares, seed: int) -> dict[str, Split]:
    """Return the split of each question by id.

    Large groups come first, each to a split that has room for it, by chance in proportion to the room. Questions that
    stand alone fill what is left, kind by kind, in turns, so that every split has its share of each kind.
    """
    rng = random.Random(seed)  # noqa: S311 - chance, not secrecy
    room = {split: shares[split] * len(questions) for split in SPLITS if shares[split] > 0}
    target, dealt = dict(room), dict[str, Split]()
    for group in _in_order(questions, groups, rng):
        split = _roomy(room, len(group), rng) if len(group) > 1 else max(room, key=lambda one: room[one] / target[one])
        room[split] -= len(group)
        dealt |= {questions[i].id: split for i in group}
    return dealt


def _in_order(questions: Sequence[Question], groups: list[list[int]], rng: random.Random) -> list[list[int]]:
    """Return the groups, largest first, those of one kind side by side, else by chance."""
    shuffled = sorted(groups)
    rng.shuffle(shuffled)
    return sorted(shuffled, key=lambda group: (-len(group), _kind(questions[group[0]])))


def _kind(question: Question) -> tuple[bool, tuple[str, ...]]:
    return question.answerable, tuple(sorted(question.tags))


def _roomy(room: Mapping[Split, float], size: int, rng: random.Random) -> Split:
    """Return a split that a group fits into, by chance in proportion to its room; else the one with most room."""
    fitting = [split for split in room if room[split] >= size]
    if not fitting:
        return max(room, key=lambda split: room[split])
    return rng.choices(fitting, [room[split] for split in fitting])[0]


def _files(dataset: Dataset, dealt: Mapping[str, Split], name: str) -> dict[str, str | Path]:
    """Return the files of the new dataset: its name and the questions' split exchanged, all else as it is."""
    # By bytes: a text file's lines would come back with other line ends.
    lines = (dataset.path / QUESTIONS_FILE).read_bytes().decode("utf-8-sig").split("\n")
    for line, question in zip(dataset.lines, dataset.questions, strict=True):
        end = "\r" if lines[line - 1].endswith("\r") else ""
        row = {**json.loads(lines[line - 1]), "split": dealt[question.id]}
        lines[line - 1] = json.dumps(row, ensure_ascii=False).encode("utf-8", "replace").decode() + end
    files: dict[str, str | Path] = {
        path.relative_to(dataset.path).as_posix(): path for path in document_files(dataset.path)
    }
    return {**files, MANIFEST_FILE: _renamed(dataset.path / MANIFEST_FILE, name), QUESTIONS_FILE: "\n".join(lines)}


def _renamed(manifest: Path, name: str) -> str:
    """Return the manifest under another name: two splits of one dataset would else be told apart by nothing."""
    written = f"name: {json.dumps(name, ensure_ascii=False)}"
    if not manifest.is_file():
        return f"{written}\n"
    text = manifest.read_bytes().decode("utf-8-sig")
    values = {**(yaml.safe_load(text) or {}), "name": name}
    changed, n = re.subn(r"^name:[^\r\n]*", lambda _: written, text, count=1, flags=re.MULTILINE)
    try:
        if n and yaml.safe_load(changed) == values:
            return changed
    except yaml.YAMLError:
        pass  # A name of several lines: the whole file is written anew.
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
