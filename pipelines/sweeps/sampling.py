"""One batch of configurations from an Optuna sampler: asked of a study in memory that is rebuilt from what was told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pipelines.component import digest
from pipelines.errors import ConfigurationError
from pipelines.sweeps.domains import Domain, Drawn, Pick
from pipelines.sweeps.quiet import quiet
from pipelines.sweeps.rebuilt import rebuilt
from pipelines.sweeps.space import Choice
from pipelines.sweeps.spec import SweepSpec
from pipelines.sweeps.told import Told

if TYPE_CHECKING:
    import optuna

_ASKS = 20
"""Questions to the sampler for each trial that is wanted; what is lacking then is drawn by chance."""
_LISTED = 20_000


@dataclass(frozen=True)
class Asked:
    """A configuration that was drawn; `refused` says why its values do not go together, where they do not."""

    choice: Choice
    refused: str | None = None


class Ask:
    """Draws one batch. Equal `earlier` gets an equal batch: the sampler is new, its seed made of spec and position."""

    def __init__(self, spec: SweepSpec, earlier: Sequence[Told]) -> None:
        self._spec, self._earlier = spec, earlier
        self._seed = int(digest(["batch", spec.search.seed, len(earlier)])[:8], 16)
        self._known: set[str] = set()
        self._n_sound = 0
        self._batch: list[Asked] = []
        for one in earlier:
            self._enter(self._decided(one.drawn))

    def draw(self, n: int) -> list[Asked]:
        """Return `n` configurations that were not drawn before, fewer where there are no more."""
        with quiet():
            study = rebuilt(self._spec, self._earlier, self._seed)
            for _ in range(_ASKS * n):
                if not self._wants(n):
                    break
                self._ask(study)
        for choice in self._by_chance(n):
            if not self._wants(n):
                break
            self._take(choice)
        return self._batch

    def _wants(self, n: int) -> bool:
        size = self._spec.space.size()
        return len(self._batch) < n and (size is None or self._n_sound < size)

    def _ask(self, study: optuna.Study) -> None:
        """Ask for one configuration. What is known already stays open in the study, as all that is proposed does.

        TPE keeps away from open trials. Told again with its value, a known one draws it back: on a space of 480 that
        took 10 asks a trial in place of 4, and the later trials were worse.
        """
        self._take(self._suggested(study.ask()))

    def _suggested(self, trial: optuna.Trial) -> Choice:
        def pick(name: str, domain: Domain) -> Drawn:
            return domain.suggest(trial, name)

        return self._drawn(pick)

    def _drawn(self, pick: Pick) -> Choice:
        """Draw what the configuration needs; for NSGA-II, which crosses only what all trials have, everything."""
        if self._spec.search.strategy != "nsga2":
            return self._spec.space.decide(pick)
        return self._decided({name: pick(name, domain) for name, domain in self._spec.space.domains.items()})

    def _decided(self, drawn: Mapping[str, Drawn]) -> Choice:
        choice = self._spec.space.decide(lambda name, _: drawn[name])
        return Choice(choice.settings, choice.params, dict(drawn))

    def _take(self, choice: Choice) -> None:
        identity, refused = self._identity(choice)
        if identity not in self._known:
            self._enter(choice)
            self._batch.append(Asked(choice, refused))

    def _enter(self, choice: Choice) -> None:
        identity, refused = self._identity(choice)
        self._n_sound += refused is None and identity not in self._known
        self._known.add(identity)

    def _identity(self, choice: Choice) -> tuple[str, str | None]:
        try:
            return self._spec.space.identity(choice), None
        except ConfigurationError as error:
            return digest(choice.settings), str(error)

    def _by_chance(self, n: int) -> Iterator[Choice]:
        """Yield uniform draws, then, where the space is small, all that there is, in random order."""
        rng = np.random.default_rng([self._seed, 1])
        for _ in range(_ASKS * n):
            yield self._drawn(lambda _, domain: domain.uniform(rng.random()))
        size = self._spec.space.size_listed()
        if size is not None and size <= _LISTED:
            listed = list(self._spec.space.configurations())
            for i in rng.permutation(len(listed)):
                yield self._drawn(partial(_completed, listed[i].drawn))


def _completed(drawn: Mapping[str, Drawn], name: str, domain: Domain) -> Drawn:
    return drawn[name] if name in drawn else domain.ends()[0]
