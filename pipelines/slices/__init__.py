"""Every metric by kinds of questions: by tag, metadata of the evidence's documents, length, evidence."""

from pipelines.slices.grouping import LeftOut, Slice, ways
from pipelines.slices.measure import slice_runs
from pipelines.slices.report import SliceReport, SliceRow

__all__ = ["LeftOut", "Slice", "SliceReport", "SliceRow", "slice_runs", "ways"]
