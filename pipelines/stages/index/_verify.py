"""Is a Chroma index whole? Run as a process: `python -m pipelines.stages.index._verify FOLDER N_VECTORS`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

_SAMPLE = 50
_PAGE = 5_000


def _problem(folder: Path, n_vectors: int) -> str:
    from pipelines.stages.index.chroma import COLLECTION, open_client

    collection = open_client(folder).get_collection(COLLECTION, embedding_function=None)
    if collection.count() != n_vectors:
        return f"it counts {collection.count()} vectors instead of {n_vectors}"
    for at in range(0, n_vectors, _PAGE):
        ids = [str(i) for i in range(at, min(at + _PAGE, n_vectors))]
        page = collection.get(ids=ids, include=["embeddings"])
        if len(page["ids"]) != len(ids) or len(page["embeddings"]) != len(ids):
            return "some ids have no vector"
    return _finds_itself(collection, n_vectors)


def _finds_itself(collection: Any, n_vectors: int) -> str:
    """Search for vectors of the index. A sparse graph misses many, which the run will tell; a broken one misses all."""
    if n_vectors == 0:
        return ""
    sample = np.unique(np.linspace(0, n_vectors - 1, min(_SAMPLE, n_vectors)).astype(int))
    own = collection.get(ids=[str(i) for i in sample], include=["embeddings"])
    answer = collection.query(query_embeddings=own["embeddings"], n_results=min(10, n_vectors), include=[])
    found = sum(own_id in ids for own_id, ids in zip(own["ids"], answer["ids"], strict=True))
    return "" if found else f"none of {len(sample)} vectors finds itself"


if __name__ == "__main__":
    try:
        answer = _problem(Path(sys.argv[1]), int(sys.argv[2]))
    except Exception as error:
        answer = f"{type(error).__name__}: {error}"
    sys.stdout.write(answer)
    sys.exit(1 if answer else 0)
