"""Whose turn a piece is: what workers of one sweep take first, what they leave to each other, where they help."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.sweeps.pieces import Piece
from pipelines.sweeps.turns import Turns


class Board:
    """Claims in memory, shared by the workers of a test; what was done is on it too."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}
        self.done: set[str] = set()


class Claims:
    """One worker's view of the board."""

    def __init__(self, board: Board, worker: str) -> None:
        self._held, self._worker = board.held, worker

    def take(self, key: str) -> bool:
        return self._held.setdefault(key, self._worker) == self._worker

    def give_back(self, key: str) -> None:
        if self._held.get(key) == self._worker:
            del self._held[key]


class Worker:
    """Takes pieces in turn and does them when it is told to."""

    def __init__(self, board: Board, name: str, pieces: Sequence[Piece], **options: bool) -> None:
        self._board, self._claims, self._ready = board, Claims(board, name), set[str]()
        self.turns = Turns(pieces, self._claims, self._ready, **options)

    def takes(self) -> str | None:
        piece = self.turns.next()
        if piece is not None:
            self._ready.add(piece.kind)
        return None if piece is None else piece.key

    def does(self) -> str | None:
        key = self.takes()
        if key is not None:
            self.ends(key)
        return key

    def ends(self, key: str) -> None:
        self._board.done.add(key)
        self._claims.give_back(key)


def pieces(board: Board, cutters: dict[str, str], n: int = 2) -> list[Piece]:
    """A load, and for each chunking its cutting, by the cutter that is named, and `n` rankings."""

    def piece(key: str, group: str | None, *needs: str, kind: str = "") -> Piece:
        stage = "retrieve" if kind == "" else "chunk"
        return Piece(
            key, stage, group, frozenset(needs), lambda run, failed: None, lambda: key in board.done, kind=kind
        )

    found = [piece("load", None)]
    for name, cutter in cutters.items():
        found.append(piece(f"{name}-cut", name, "load", kind=cutter))
        found += [piece(f"{name}-{i}", name, f"{name}-cut") for i in range(n)]
    return found


def all_of(worker: Worker) -> list[str]:
    found: list[str] = []
    while (key := worker.does()) is not None:
        found.append(key)
    return found


def test_one_worker_goes_group_by_group() -> None:
    board = Board()
    worker = Worker(board, "a", pieces(board, {"x": "chunk fixed", "y": "chunk fixed"}))
    assert all_of(worker) == ["load", "x-cut", "x-0", "x-1", "y-cut", "y-0", "y-1"]
    assert len(worker.turns) == 0
    worker.turns.end()
    assert not board.held


def test_of_several_each_cuts_first_so_that_all_find_work() -> None:
    board = Board()
    options = {"cut_first": True}
    work = pieces(board, {"x": "chunk fixed", "y": "chunk fixed"})
    assert all_of(Worker(board, "a", work, **options)) == ["load", "x-cut", "y-cut", "x-0", "x-1", "y-0", "y-1"]


def test_backwards_it_begins_at_the_other_end_but_with_what_all_share() -> None:
    board = Board()
    work = pieces(board, {"x": "chunk fixed", "y": "chunk fixed"})
    both = {"cut_first": True, "backwards": True}
    assert all_of(Worker(board, "a", work, **both)) == ["load", "y-cut", "x-cut", "y-0", "y-1", "x-0", "x-1"]


def test_a_cutting_by_a_model_keeps_its_place() -> None:
    board = Board()
    work = pieces(board, {"x": "embed minilm", "y": "embed minilm"})
    worker = Worker(board, "a", work, cut_first=True)
    assert all_of(worker) == ["load", "x-cut", "x-0", "x-1", "y-cut", "y-0", "y-1"]


def test_what_another_has_ready_is_left_to_it_while_there_is_other_work() -> None:
    board = Board()
    work = pieces(board, {"x": "chunk fixed", "y": "chunk sentence", "z": "chunk sentence"})
    leader, helper = (Worker(board, n, work, cut_first=True, backwards=n == "helper") for n in ("leader", "helper"))
    leader.does()  # the load
    assert helper.takes() == "z-cut"
    assert [leader.does() for _ in range(3)] == ["x-cut", "x-0", "x-1"]
    assert leader.takes() == "y-cut"  # nothing else is left: it helps
    helper.ends("z-cut")
    assert helper.takes() == "z-0"


def test_the_kind_is_free_for_all_who_have_it_ready() -> None:
    board = Board()
    work = pieces(board, {name: "chunk sentence" for name in "wxyz"}, n=0)
    a, b = (Worker(board, name, work, cut_first=True) for name in "ab")
    a.does()
    assert [a.takes(), b.takes()] == ["w-cut", "x-cut"]
    a.ends("w-cut")
    b.ends("x-cut")
    assert [b.takes(), a.takes()] == ["y-cut", "z-cut"]


def test_two_keep_to_groups_of_their_own_and_meet_from_the_groups_end() -> None:
    board = Board()
    work = pieces(board, {"x": "chunk fixed", "y": "chunk fixed"}, n=3)
    a, b = (Worker(board, name, work) for name in "ab")
    a.does()
    assert [a.does(), b.does()] == ["x-cut", "y-cut"]
    assert [a.takes(), b.does(), b.does(), b.does()] == ["x-0", "y-0", "y-1", "y-2"]
    assert b.takes() == "x-2"
    a.ends("x-0")
    assert a.takes() == "x-1"
    assert b.takes() is None


def test_what_others_have_done_is_dropped_with_what_hung_on_it() -> None:
    board = Board()
    work = pieces(board, {"x": "chunk fixed"})
    worker = Worker(board, "a", work)
    board.done |= {"load", "x-cut", "x-0"}
    worker.turns.drop_done()
    assert len(worker.turns) == 1
    assert worker.takes() == "x-1"


def test_a_claim_that_was_taken_in_vain_is_given_back() -> None:
    board = Board()
    worker = Worker(board, "a", pieces(board, {"x": "chunk fixed"}))
    board.done |= {"load", "x-cut", "x-0", "x-1"}
    assert worker.takes() is None
    assert len(worker.turns) == 0
    worker.turns.end()
    assert not board.held
