"""The verbs of datasets: find, check, import, export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import DatasetError, did_you_mean, shorten
from pipelines.execution import Execution
from pipelines.golden.check import check
from pipelines.golden.dataset import Dataset
from pipelines.golden.exporters import Content, ExportReport, export_content, exporters
from pipelines.golden.findings import Report
from pipelines.golden.importers import ImportReport, import_dataset, importers
from pipelines.golden.naming import slug
from pipelines.golden.split_report import SplitReport
from pipelines.golden.splitting import parse_shares
from pipelines.golden.splitting import split_dataset as write_split
from pipelines.golden.upload import from_uploads
from pipelines.pipeline import Pipeline
from pipelines.planning.plan import plan
from pipelines.settings import dataset_folders
from pipelines.verbs.home import cache


@dataclass(frozen=True)
class DatasetPlace:
    """A dataset that can be chosen by name."""

    name: str
    path: Path
    bundled: bool


def datasets() -> list[DatasetPlace]:
    """Return the datasets that are found by name: the user's own, then the bundled ones."""
    own, bundled = dataset_folders()
    places = [(folder, folder is bundled) for folder in (own, bundled) if folder.is_dir()]
    found: dict[str, DatasetPlace] = {}
    for folder, comes_along in places:
        for path in sorted(folder.iterdir()):
            if (path / "questions.jsonl").is_file() and not path.name.startswith("."):
                found.setdefault(path.name, DatasetPlace(path.name, path, comes_along))
    return list(found.values())


def open_dataset(name_or_path: str | Path) -> Dataset:
    """Open a dataset by its folder's name, or by path.

    Raises:
        DatasetError: when there is none, or when it is not sound enough to be read.
    """
    known = {place.name: place.path for place in datasets()}
    if str(name_or_path) in known:
        return Dataset.open(known[str(name_or_path)])
    path = Path(name_or_path).expanduser()
    if not path.exists() and path.name == str(name_or_path):
        names = ", ".join(known) or "none yet"
        raise DatasetError(
            f"There is no dataset '{shorten(name_or_path)}'; known are {shorten(names, 300)}: name one of them, "
            f"or a folder's path.{did_you_mean(str(name_or_path), known)}"
        )
    return Dataset.open(path)


def check_dataset(name_or_path: str | Path) -> Report:
    """Say how sound a dataset is, and what would mislead an evaluation; errors in it do not stop the check.

    Raises:
        DatasetError: when there is no dataset folder of that name or path.
    """
    known = {place.name: place.path for place in datasets()}
    return check(known.get(str(name_or_path), Path(name_or_path).expanduser()))


def import_golden(format_name: str, source: str | Path, dest: str | Path, name: str | None = None) -> ImportReport:
    """Import a golden set of another format; see `pipelines.golden.importers`."""
    return import_dataset(format_name, source, dest, name)


def upload_dataset(
    name: str, documents: Sequence[tuple[str, bytes]], questions_csv: bytes | None, questions_jsonl: bytes | None
) -> ImportReport:
    """Write uploaded files into a dataset of the user's own; file names are never taken for paths."""
    return from_uploads(name, documents, questions_csv, questions_jsonl, dataset_folders()[0])


def import_formats() -> dict[str, str]:
    """Return the formats that can be imported, each with what its source is."""
    return {name: one.source for name, one in importers().items()}


def export_formats() -> dict[str, str]:
    """Return the formats that a dataset can be exported to, each with what is written."""
    return {name: one.about for name, one in exporters().items()}


def export_dataset(
    dataset: Dataset, dest: str | Path, format_name: str = "beir", pipeline: Pipeline | None = None
) -> ExportReport:
    """Write a dataset in another format into a folder of its own.

    With a pipeline, its chunks take the place of documents, as its loader and chunker make them.

    Raises:
        DatasetError: for an unknown format, a format without chunks, or a place that is taken.
        StorageError: when the disk refuses.
    """
    if pipeline is None:
        content = Content(dataset.manifest, dataset.documents(), dataset.resolved())
    else:
        if format_name != "beir":
            raise DatasetError(
                f"Only beir is written of a pipeline's chunks, not {shorten(format_name)}; leave it out."
            )
        made, execution = plan(pipeline, dataset, dataset.questions), Execution(cache())
        documents, chunks = execution.get(made.documents), execution.get(made.chunks)
        questions = dataset.resolved(loader=pipeline.load)
        content = Content(dataset.manifest, documents, questions, chunks, pipeline.label())
    return export_content(format_name, content, dest)


def split_dataset(
    dataset: Dataset, dest: str | Path, by: str, shares: str = "60/20/20", seed: int = 0, *, replace: bool = False
) -> SplitReport:
    """Write a dataset with its questions dealt anew to train, dev and test, and report what came of it.

    A `dest` that is a mere name becomes a folder among the user's own datasets. `by` is "question" or "document".

    Raises:
        ConfigurationError: for shares that are none, and another way to split.
        DatasetError: for a dataset that has splits already, unless `replace` says so; one that cannot be split so; and
            a place that is taken.
        StorageError: when the disk refuses.
    """
    return write_split(dataset, _own_folder(dest), by, parse_shares(shares), seed, replace=replace)


def _own_folder(dest: str | Path) -> Path:
    if not str(dest).strip():
        raise DatasetError("The new dataset has no name; give it one, or a folder's path.")
    path = Path(dest).expanduser()
    return dataset_folders()[0] / slug(str(dest)) if str(dest) == path.name else path
