"""Bootstrap means and intervals of many columns at once: a run shows them, and a comparison builds on them."""

from pipelines.resampling.means import Interval, Intervals, mean_intervals

__all__ = ["Interval", "Intervals", "mean_intervals"]
