"""Where evidence was lost: for every character of it, and every cut of the ranking, the first stage that lost it."""

from pipelines.losses.fates import Fates
from pipelines.losses.shares import LossesByCut, Lost
from pipelines.losses.stages import LABELS, STAGES, stages_at
from pipelines.losses.traced import cuts_of, fates

__all__ = ["LABELS", "STAGES", "Fates", "LossesByCut", "Lost", "cuts_of", "fates", "stages_at"]
