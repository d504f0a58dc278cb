"""The sessions that this process holds open: two at most, those used last."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from pipelines.cache import Cache
from pipelines.runs.record import Run
from pipelines.whatif.session import WhatIf

MOST_OPEN = 2
_open: OrderedDict[tuple[object, ...], WhatIf] = OrderedDict()
_opening = threading.Lock()


def opened(run: Run, cache: Cache) -> WhatIf:
    """Return the run's session, opened when it is not; a process holds two at most, those used last.

    Raises:
        NotFoundError: as `WhatIf.open` does.
    """
    key = (run.id, cache.root, _stamp(Path(run.dataset_path)))
    with _opening:
        if key not in _open:
            while len(_open) >= MOST_OPEN:
                _open.popitem(last=False)
            _open[key] = WhatIf.open(run, cache)
        _open.move_to_end(key)
        return _open[key]


def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return name, time and size of every file: what tells that a dataset was changed."""
    found = [(path, path.stat()) for path in sorted(folder.rglob("*")) if path.is_file()]
    return tuple((str(path), state.st_mtime_ns, state.st_size) for path, state in found)


def forget_all() -> None:
    """Close every session of this process."""
    with _opening:
        _open.clear()
