"""What if: a change behind the vectors, evaluated on all questions from memory in well under a second, logged nowhere.

It computes the nodes that a run computes, so the numbers are, to the bit, those of the run that is logged afterwards.
"""

from pipelines.whatif.answer import Answer, CostlyChange, Origin, OutputsGone
from pipelines.whatif.opened import forget_all, opened
from pipelines.whatif.session import FIXED, RESAMPLES, WhatIf

__all__ = ["FIXED", "RESAMPLES", "Answer", "CostlyChange", "Origin", "OutputsGone", "WhatIf", "forget_all", "opened"]
