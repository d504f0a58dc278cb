"""Many files at once: looked up by their content, or parsed, then cleaned and put together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from hashlib import file_digest
from pathlib import Path
from typing import Any

from pipelines.cache import Cache, Codec
from pipelines.component import digest
from pipelines.errors import DatasetError, StorageError, shorten
from pipelines.progress import Progress
from pipelines.records import Document
from pipelines.stages.load import Loader
from pipelines.stages.load.bounded import parse_all
from pipelines.stages.load.duplicates import without_duplicates
from pipelines.stages.load.outcome import Failure, Loaded, Outcome, Source
from pipelines.stages.load.parser_process import broken
from pipelines.stages.load.reading import RuleError, read_bytes, reading

MOST_FILE_BYTES = 512 << 20
_STAGE = "parsed"
_FILE = "outcome.json"


def _save(outcome: Outcome, folder: Path) -> None:
    (folder / _FILE).write_text(json.dumps(outcome.as_json()), encoding="utf-8")


def _load(folder: Path) -> Outcome:
    return Outcome.from_json(json.loads((folder / _FILE).read_text(encoding="utf-8")))


_CODEC: Codec[Outcome] = Codec(_save, _load)


def outcomes(
    loader: Loader, sources: Sequence[Source], progress: Progress, cache: Cache | None
) -> list[tuple[Source, Outcome]]:
    """Read files, in their order; those of formats that are parsed in processes of their own, several at a time.

    Raises:
        StorageError: when no process can be started.
    """
    found: dict[int, Outcome] = {}
    chosen: dict[int, Loader] = {}
    keys: dict[int, str] = {}
    for i, source in enumerate(sources):
        try:
            chosen[i] = loader.loader_for(source.name if Path(source.name).suffix else source.path.name)
            known = _known(chosen[i], source, cache, keys, i)
        except DatasetError as error:
            known = Outcome(errors=(error,))
        if known is not None:
            found[i] = known
    waiting = [i for i in range(len(sources)) if i not in found]
    n_known = len(found)

    def tell(done: int, total: int) -> None:
        progress(n_known + done, len(sources))

    def done(row: int, outcome: Outcome) -> None:
        i = waiting[row]
        found[i] = outcome
        if cache is not None and outcome.certain:
            with suppress(StorageError):  # a full disk costs a second parsing, and no more
                cache.store(_STAGE, keys[i], _CODEC, outcome, 0.0)

    parse_all([_task(chosen[i], sources[i]) for i in waiting], tell, done)
    return [(source, cleaned(chosen.get(i), found[i])) for i, source in enumerate(sources)]


def _known(loader: Loader, source: Source, cache: Cache | None, keys: dict[int, str], i: int) -> Outcome | None:
    """Return what needs no process: a text read here, or what was kept of an earlier parsing."""
    _refuse_large(source)
    if not loader.bounded:
        return here(loader, source)
    if cache is None:
        return None
    keys[i] = _key(loader, source)
    return cache.load(_STAGE, keys[i], _CODEC) if cache.has(_STAGE, keys[i]) else None


def here(loader: Loader, source: Source) -> Outcome:
    """Read a file in this process."""
    try:
        return Outcome.of(loader.attempt(read_bytes(source.path), source.document_id, source.where))
    except DatasetError as error:
        return Outcome(errors=(error,))
    except (ValueError, RecursionError, LookupError) as error:
        return Outcome.failed(broken(source.where, loader.name, error))


def _refuse_large(source: Source) -> None:
    with reading(source.path):
        n_bytes = source.path.stat().st_size
    if n_bytes > MOST_FILE_BYTES:
        found = f"{source.where} holds {n_bytes >> 20:,} MB, and files of up to {MOST_FILE_BYTES >> 20} MB are read"
        raise DatasetError(f"{found}; divide it, or take it out.")


def _key(loader: Loader, source: Source) -> str:
    with reading(source.path), source.path.open("rb") as stream:
        content = file_digest(stream, "sha256").hexdigest()
    return digest({"what": "parsed", "by": loader.parsing(), "of": content, "as": [source.document_id, source.where]})


def _task(loader: Loader, source: Source) -> dict[str, Any]:
    return {
        "loader": loader.settings(),
        "path": str(source.path),
        "document_id": source.document_id,
        "where": source.where,
        "max_seconds": loader.max_seconds,
        "max_memory_mb": loader.max_memory_mb,
    }


def cleaned(loader: Loader | None, outcome: Outcome) -> Outcome:
    """Return what a file gave with its documents cleaned as `loader` says."""
    cleaning = None if loader is None else loader.cleaning()
    if not cleaning:
        return outcome
    return Outcome(tuple(map(cleaning.of, outcome.documents)), outcome.errors, outcome.notes, outcome.certain)


def gathered(loader: Loader, outcomes: Sequence[tuple[Source, Outcome]]) -> Loaded:
    """Put together what files gave: each id passes once, and duplicates are left out where that is asked for."""
    documents: dict[str, tuple[Document, Source, int]] = {}
    failures: list[Failure] = []
    n = 0
    for source, outcome in outcomes:
        failures += [Failure(source.name, error) for error in outcome.errors]
        for document in outcome.documents:
            n += 1
            first = documents.setdefault(document.id, (document, source, n))
            if first[0] is not document:
                failures.append(Failure(source.name, _twice(document.id, first[2], n)))
    notes = [(source.name, note) for source, outcome in outcomes for note in outcome.notes]
    kept = [document for document, _, _ in documents.values()]
    if loader.duplicates == "keep":
        return Loaded(tuple(kept), tuple(failures), tuple(notes))
    parting = without_duplicates(kept, loader.near_threshold if loader.duplicates == "near" else None)
    told = zip((documents[gone][1].name for gone, _, _ in parting.left_out), parting.notes(), strict=True)
    return Loaded(parting.kept, tuple(failures), (*notes, *told))


def _twice(document_id: str, first: int, second: int) -> RuleError:
    found = f"Documents {first} and {second} have the same id '{shorten(document_id, 60)}'"
    return RuleError("duplicate-document-id", f"{found}; ids must differ: rename one, or take it out.")
