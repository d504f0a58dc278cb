"""Which configurations of a sweep differ in one knob only: the matched sets from which its effect is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from pipelines.records import DoubleArray, LongArray
from pipelines.runs.table import Cell

Params: TypeAlias = Mapping[str, Cell]
Key: TypeAlias = tuple[str, str | float]
# Positions of configurations: the members of a group are averaged, then the groups.
Members: TypeAlias = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Matched:
    """One knob's matched sets: `cells` [n_levels][n_sets] lists the configurations of each level in each set.

    A set is one setting of all other knobs, met by every level. Where another knob exists at some levels of this one
    only (an alpha for hybrid alone), a level meets a set with several configurations, which are averaged.
    `n_configurations` have the knob; `n_unmatched` of them are in no set, `levels_left_out` in none at all.
    """

    knob: str
    levels: tuple[Cell, ...]
    cells: tuple[tuple[Members, ...], ...]
    n_configurations: int
    n_unmatched: int
    levels_left_out: tuple[Cell, ...]

    @property
    def n_sets(self) -> int:
        """How many settings of the other knobs every level has met."""
        return len(self.cells[0])

    def used(self, level: int) -> LongArray:
        """Return the positions of a level's configurations."""
        return np.array([i for members in self.cells[level] for group in members for i in group], dtype=np.int64)

    def averages(self, values: DoubleArray) -> DoubleArray:
        """Return float64 [n_levels, n_sets, n]: the rows of `values` [n_configurations, n] averaged in each cell."""
        return np.stack([[_average(values, members) for members in row] for row in self.cells])


def matched(params: Sequence[Params], knob: str) -> Matched | None:
    """Match the configurations that have `knob`; None where it has one level, or no two levels share a setting.

    Where some levels lack partners, levels are given up, those met in the fewest settings first, as long as more
    configurations can be compared that way: a level is never favoured for having met easier partners.
    """
    having = [i for i, knobs in enumerate(params) if knob in knobs]
    shown = dict(sorted({_key(params[i][knob]): params[i][knob] for i in having}.items()))
    conditional = _conditional(params, having, knob)
    between = {name for name, n in conditional.items() if n > 1 and _shared(params, having, knob, name)}
    sets: dict[tuple[object, ...], dict[Key, list[int]]] = {}
    for i in having:
        others = _setting(params[i], params[i].keys() - conditional.keys() - {knob})
        sets.setdefault(others, {}).setdefault(_key(params[i][knob]), []).append(i)
    paired = [_partners(params, sets[others], between) for others in sorted(sets)]
    levels = _kept(list(shown), [set(found) for found in paired])
    full = [found for found in paired if levels and set(levels) <= set(found)]
    if not full:
        return None
    cells = tuple(tuple(_members(params, found[level], between) for found in full) for level in levels)
    n_used = sum(len(group) for row in cells for members in row for group in members)
    left_out = tuple(value for key, value in shown.items() if key not in levels)
    return Matched(knob, tuple(shown[k] for k in levels), cells, len(having), len(having) - n_used, left_out)


def _average(values: DoubleArray, members: Members) -> DoubleArray:
    return np.asarray(np.mean([values[list(group)].mean(axis=0) for group in members], axis=0))


def _key(value: Cell) -> Key:
    """Return what sorts values of any type, numbers by size; True and 1 stay apart."""
    if isinstance(value, bool) or value is None:
        return ("", str(value))
    return ("number", float(value)) if isinstance(value, int | float) else ("text", value)


def _setting(knobs: Params, names: set[str]) -> tuple[tuple[str, Key], ...]:
    return tuple(sorted((name, _key(knobs[name])) for name in names if name in knobs))


def _conditional(params: Sequence[Params], having: Sequence[int], knob: str) -> dict[str, int]:
    """Return the knobs that exist at some levels of `knob` only, each with the number of these levels."""
    at: dict[Key, set[str]] = {}
    for i in having:
        at.setdefault(_key(params[i][knob]), set()).update(params[i])
    counts = Counter(name for names in at.values() for name in names)
    return {name: n for name, n in counts.items() if n < len(at)}


def _shared(params: Sequence[Params], having: Sequence[int], knob: str, name: str) -> bool:
    """Return whether the levels of `knob` that have the knob `name` met a common value of it: else nothing matches."""
    at: dict[Key, set[Key]] = {}
    for i in having:
        if name in params[i]:
            at.setdefault(_key(params[i][knob]), set()).add(_key(params[i][name]))
    return bool(set.intersection(*at.values()))


def _partners(params: Sequence[Params], found: Mapping[Key, list[int]], between: set[str]) -> dict[Key, list[int]]:
    """Keep, in each level of a set, the settings of the knobs `between` levels that all levels with these knobs met."""
    met: dict[frozenset[str], list[set[object]]] = {}
    for rows in found.values():
        by_names: dict[frozenset[str], set[object]] = {}
        for i in rows:
            by_names.setdefault(frozenset(between & params[i].keys()), set()).add(_setting(params[i], between))
        for names, settings in by_names.items():
            met.setdefault(names, []).append(settings)
    common = {names: set.intersection(*settings) for names, settings in met.items()}
    kept = {
        level: [i for i in rows if _setting(params[i], between) in common[frozenset(between & params[i].keys())]]
        for level, rows in found.items()
    }
    return {level: rows for level, rows in kept.items() if rows}


def _members(params: Sequence[Params], rows: Sequence[int], between: set[str]) -> Members:
    groups: dict[object, list[int]] = {}
    for i in rows:
        groups.setdefault(_setting(params[i], between), []).append(i)
    return tuple(tuple(group) for group in groups.values())


def _kept(levels: list[Key], sets: Sequence[set[Key]]) -> list[Key]:
    """Return the levels to compare: those with the most levels x full sets, of what is left when the rarest go first.

    What a single setting has met is tried too, for rarity alone would not tell which levels belong together.
    """
    by_rarity = sorted(levels, key=lambda level: sum(level in found for found in sets))
    choices = [set(by_rarity[first:]) for first in range(len(levels) - 1)]
    choices += [set(found) for found in sorted({tuple(sorted(found)) for found in sets if len(found) > 1})]
    sizes = [(len(kept) * sum(kept <= found for found in sets), len(kept)) for kept in choices]
    best = max(range(len(choices)), key=sizes.__getitem__, default=None)
    return [level for level in levels if best is not None and sizes[best][0] and level in choices[best]]
