"""What nobody judged: its share, what it could change, and the judging of it by people."""

from pipelines.judging.holes import Bound, Holes, UnjudgedShare, holes
from pipelines.judging.judgments import Judgment, JudgmentFile, named_judge
from pipelines.judging.publish import Published, publish
from pipelines.judging.queue import DEPTH, Queue, QueueItem, queue_of
from pipelines.judging.spreadsheet import Filled, from_csv, to_csv

__all__ = [
    "DEPTH", "Bound", "Filled", "Holes", "Judgment", "JudgmentFile", "Published", "Queue", "QueueItem", "UnjudgedShare",
    "from_csv", "holes", "named_judge", "publish", "queue_of", "to_csv",
]  # fmt: skip
