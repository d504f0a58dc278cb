"""Which piece a worker takes next: what is ready and at hand first; what others are at, or know better, last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence

from pipelines.component import digest
from pipelines.execution import Claims
from pipelines.sweeps.kinds import CUTS
from pipelines.sweeps.pieces import Piece

Todo = OrderedDict[str, Piece]
"""Pieces by key. An OrderedDict gives up its first at no cost; a dict would walk over all that were taken before."""


class Turns:
    """What of some pieces is still to be done, in the order in which this worker had best take it.

    What several groups share comes first, then group by group: the group that it is in, then others that nobody is in,
    from the one end or, `backwards`, from the other. With `cut_first`, all chunkings that take no model come before
    that, so that every worker finds work. A worker that is done helps in the others' groups, from their last piece on.

    Of a kind of work that has to be got ready (its library imported, its model loaded) the first to come does all, and
    is helped only where there is nothing else to do. `ready` are the kinds that this worker has done before.
    """

    def __init__(
        self,
        pieces: Sequence[Piece],
        claims: Claims,
        ready: set[str],
        *,
        backwards: bool = False,
        cut_first: bool = False,
    ) -> None:
        self._claims, self._kinds = claims, ready
        self._left: Todo = OrderedDict((piece.key, piece) for piece in pieces)
        in_groups = [piece for piece in pieces if piece.group is not None]
        cuts = [piece for piece in in_groups if cut_first and piece.kind.startswith(CUTS)]
        self._shared: Todo = OrderedDict()
        self._cuts: Todo = OrderedDict((piece.key, piece) for piece in (reversed(cuts) if backwards else cuts))
        groups = list(dict.fromkeys(piece.group for piece in in_groups if piece.group is not None))
        self._groups = OrderedDict((group, Todo()) for group in (reversed(groups) if backwards else groups))
        for piece in pieces:
            self._place(piece).setdefault(piece.key, piece)
        self._group: str | None = None
        self._others_kinds: set[str] = set()
        self._held: set[str] = set()

    def __len__(self) -> int:
        """Return how many pieces are left."""
        return len(self._left)

    def next(self) -> Piece | None:
        """Claim a piece that waits for nothing and that nobody else is at, and return it; None where there is none."""
        found: Piece | None = None
        gone: dict[str, Piece] = {}
        tried: set[str] = set()
        for piece in self._offered():
            if piece.key in tried:
                continue
            tried.add(piece.key)
            if piece.done():
                gone[piece.key] = piece
                continue
            if not self._claims.take(piece.key):
                continue
            gone[piece.key] = piece
            if not piece.done():  # whoever held the claim before may have ended it by now
                found = piece
                break
            self._claims.give_back(piece.key)
        for piece in gone.values():
            self._remove(piece)
        return found if found is not None or not gone else self.next()

    def drop_done(self) -> None:
        """Leave out what others have done since."""
        for piece in list(self._left.values()):
            if self._waits_for_nothing(piece) and piece.done():
                self._remove(piece)

    def end(self) -> None:
        """Give back the claims on groups and kinds."""
        for claim in self._held:
            self._claims.give_back(claim)
        self._held.clear()

    def _offered(self) -> Iterator[Piece]:
        """Yield what is ready, the best first, some of it twice: it is for the caller to claim it."""
        yield from self._known(self._shared.values())
        yield from self._known(self._cuts.values())
        others: list[str] = []
        for group in self._in_order():
            if next(self._known(self._groups[group].values()), None) is None:
                continue
            if self._enters(group):
                yield from self._known(self._groups[group].values())
            else:
                others.append(group)
        for group in others:
            yield from self._known(reversed(self._groups[group].values()))
        yield from filter(self._waits_for_nothing, self._left.values())

    def _in_order(self) -> Iterator[str]:
        if self._group is not None and self._group in self._groups:
            yield self._group
        yield from (group for group in self._groups if group != self._group)

    def _known(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """Yield those that wait for nothing and are not of a kind that another worker is at home in."""
        return (piece for piece in pieces if self._waits_for_nothing(piece) and self._knows(piece.kind))

    def _waits_for_nothing(self, piece: Piece) -> bool:
        return not any(need in self._left for need in piece.needs)

    def _knows(self, kind: str) -> bool:
        if not kind or kind in self._kinds:
            return True
        if kind in self._others_kinds:
            return False
        if self._takes(digest(["kind", kind])):
            return True
        self._others_kinds.add(kind)
        return False

    def _enters(self, group: str) -> bool:
        """Make a group this worker's, in place of the one that it was in, unless another one is in it."""
        if not self._takes(digest(["group", group])):
            return False
        if self._group not in (None, group):
            before = digest(["group", self._group])
            self._claims.give_back(before)
            self._held.discard(before)
        self._group = group
        return True

    def _takes(self, claim: str) -> bool:
        if self._claims.take(claim):
            self._held.add(claim)
            return True
        return False

    def _place(self, piece: Piece) -> Todo:
        if piece.key in self._cuts:
            return self._cuts
        return self._shared if piece.group is None else self._groups[piece.group]

    def _remove(self, piece: Piece) -> None:
        """Take a piece off the list, and its group with its last."""
        del self._place(piece)[piece.key]
        del self._left[piece.key]
        if piece.group is not None and not self._groups.get(piece.group, True):
            del self._groups[piece.group]
