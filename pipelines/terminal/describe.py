"""Components, dataset checks and imports in words."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.catalog import STAGES, all_components, knobs, stage, summary
from pipelines.component import Component
from pipelines.errors import shorten
from pipelines.golden.findings import Report
from pipelines.golden.importers import ImportReport


def described_components(only: str | None) -> Iterator[str]:
    """Yield the lines that tell what there is, stage by stage.

    Raises:
        ConfigurationError: for a stage that there is not.
    """
    wanted = [stage(only)] if only else list(STAGES)
    known = all_components()
    for one in wanted:
        yield f"{one.name}: {one.purpose} (default: {one.default})"
        for component in known[one.name].values():
            yield from _described(component)
        yield ""


def _described(component: type[Component]) -> Iterator[str]:
    yield f"  {component.name}"
    yield f"      {summary(component)}"
    for knob in knobs(component):
        default = "required" if knob.required else f"default {knob.default}"
        yield f"      - {knob.name}: {knob.bounds()}; {default}. {knob.description}."


def described_report(report: Report) -> Iterator[str]:
    """Yield the lines of a dataset's check."""
    yield report.summary()
    if report.version:
        yield f"Version {report.version}"
    for finding in report.findings:
        yield f"{finding.level}: {finding.message}"
        for place in finding.where:
            yield f"    {place}"
        if finding.count > len(finding.where) > 0:
            yield f"    and {finding.count - len(finding.where)} more"


def described_import(report: ImportReport) -> Iterator[str]:
    """Yield what an import wrote, then each problem and each notice, and what that left out."""
    yield report.headline()
    for problem in report.problems:
        where = f"{problem.question_id}: " if problem.question_id else ""
        nearest = f" Nearest: {problem.nearest}" if problem.nearest else ""
        yield f"problem: {where}{problem.message}{nearest}"
    if report.left_out:
        names = shorten(", ".join(report.left_out), 300)
        yield f"left out, for want of all their evidence ({len(report.left_out)}): {names}"
    for notice in report.notices:
        yield f"note: {notice}"
