"""What pages read, remembered: by the files' state for datasets, by id for runs, which never change."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pipelines import api
from pipelines.golden.dataset import Dataset
from pipelines.golden.findings import Report
from pipelines.records import Documents, Question
from pipelines.runs.record import ALL_QUESTIONS, Run
from workbench.parts.bar import Bar

Stamp = tuple[tuple[str, int, int], ...]


def dataset(place: Path) -> Dataset:
    """Return an opened dataset; it is read again only when a file of it has changed."""
    return _dataset(str(place), stamp(place))


def health(place: Path) -> Report:
    """Return the check's report."""
    return _health(str(place), stamp(place))


def files(place: Path) -> api.LoadReport:
    """Return what became of a dataset's files; while they are read, a bar tells how far that is.

    Raises:
        DatasetError: when there is no document at all.
    """
    return _files(str(place), stamp(place))


@st.cache_resource(max_entries=8, show_spinner=False)
def _files(place: str, state: Stamp) -> api.LoadReport:
    with Bar("Reading the files …") as bar:
        return api.load_report(api.open_dataset(Path(place)), progress=bar.of_files)


def stamp(place: Path) -> Stamp:
    """Return name, time and size of every file of a dataset: what tells that it was changed."""
    files = sorted(path for path in place.rglob("*") if path.is_file())
    return tuple((str(path), *_state(path)) for path in files)


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


@st.cache_resource(max_entries=8, show_spinner="Opening the dataset …")
def _dataset(place: str, state: Stamp) -> Dataset:
    return api.open_dataset(Path(place))


@st.cache_resource(max_entries=8, show_spinner="Checking the dataset …")
def _health(place: str, state: Stamp) -> Report:
    return api.check_dataset(Path(place))


def contents(place: Path) -> tuple[Documents, tuple[Question, ...]]:
    """Return documents and questions, every quote located."""
    opened = dataset(place)
    return opened.documents(), opened.resolved() if opened.questions else ()


def run_questions(run: Run) -> dict[str, Question]:
    """Return the questions of the dataset that a run was evaluated on, by id, in the run's split.

    Raises:
        NotFoundError: when the dataset is gone or was changed since.
    """
    return _run_questions(run.id, stamp(Path(run.dataset_path)), run)


@st.cache_resource(max_entries=32, show_spinner=False)
def _run_questions(run_id: str, state: Stamp, _run: Run) -> dict[str, Question]:
    split = None if _run.split == ALL_QUESTIONS else _run.split
    return {question.id: question for question in api.dataset_of(_run).select(split)}


@st.cache_resource(max_entries=64, show_spinner="Reading the rankings …")
def in_depth(run_ids: tuple[str, ...], question_id: str, state: Stamp) -> api.QuestionInDepth:
    """Return one question with what several runs found for it."""
    return api.question_in_depth(run_ids, question_id)


def run_stamp(run: Run) -> Stamp:
    """Return the state of the files that a run was evaluated on."""
    return stamp(Path(run.dataset_path))


def losses(run: Run, cut: str) -> api.Losses:
    """Return where a run lost evidence at a cut.

    Raises:
        NotFoundError: when that was not measured in the run.
    """
    return _losses(run.id, cut, _state_of_dataset(run))


@st.cache_resource(max_entries=32, show_spinner="Reading what became of the evidence …")
def _losses(run_id: str, cut: str, state: Stamp) -> api.Losses:
    return api.losses(run_id, cut)


def _state_of_dataset(run: Run) -> Stamp:
    """Return the state of a run's dataset; a dataset that is gone has none."""
    place = Path(run.dataset_path)
    return stamp(place) if place.is_dir() else ()


def lost_by_question(run: Run, cut: str) -> dict[str, api.LostQuestion]:
    """Return what each question of a run lost at a cut; nothing where that was not measured."""
    if run.losses is None or cut not in run.losses:
        return {}
    return _lost_by_question(run.id, cut, _state_of_dataset(run), run)


@st.cache_resource(max_entries=32, show_spinner=False)
def _lost_by_question(run_id: str, cut: str, state: Stamp, _run: Run) -> dict[str, api.LostQuestion]:
    return {question.question_id: question for question in losses(_run, cut).questions()}


def holes(run: Run) -> api.Holes:
    """Return how much of what a run retrieved nobody judged.

    Raises:
        NotFoundError: when its dataset is gone or was changed since.
    """
    return _holes(run.id, _state_of_dataset(run))


@st.cache_resource(max_entries=16, show_spinner="Counting what nobody judged …")
def _holes(run_id: str, state: Stamp) -> api.Holes:
    return api.label_holes(run_id)
