"""Bootstrap means and intervals of many columns at once: what a run shows of itself, and what a comparison builds on."""

from pipelines.resampling.means import Interval, Intervals, mean_intervals

__all__ = ["Interval", "Intervals", "mean_intervals"]
