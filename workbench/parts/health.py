"""How sound a dataset is: figures and findings."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pipelines import api
from pipelines.golden.findings import LEVELS, Figures, Finding, Report
from workbench.text import plain, shortened

_ICONS = {"error": ":material/error:", "warning": ":material/warning:", "info": ":material/info:"}
_COLOURS = {"error": "red", "warning": "orange", "info": "gray"}


def figures(report: Report, place: api.DatasetPlace) -> None:
    """Show how much there is, and whether it can be used."""
    n = report.figures
    if report.name != place.name:
        st.text(shortened(report.name, 300))
    with st.container(horizontal=True, gap="large"):
        for label, value in _numbers(n).items():
            st.metric(label, value, width="content")
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        _verdict(report)
        origin = "bundled" if place.bundled else "yours"
        version = f"version {report.version[:8]}" if report.version else "no version: it cannot be opened"
        st.caption(plain(f"{origin}, {version}. {_shares('splits', n.by_split)}. {_shares('tags', n.by_tag)}."))


def _numbers(n: Figures) -> dict[str, str]:
    spans = n.evidence_chars
    lengths = {"Median evidence": f"{spans['median']:,} chars"} if spans else {}
    return {
        "Documents": f"{n.n_documents:,}",
        "Words": f"{n.n_words:,}",
        "Questions": f"{n.n_questions:,}",
        "Unanswerable": f"{n.by_kind.get('unanswerable', 0):,}",
        "Evidence": f"{n.n_evidence:,}",
        **lengths,
    }


def _shares(what: str, counts: Mapping[str, int]) -> str:
    told = ", ".join(f"{shortened(name, 30)} {count:,}" for name, count in list(counts.items())[:8])
    more = f" and {len(counts) - 8} more" if len(counts) > 8 else ""
    return f"{what}: {told or 'none'}{more}"


def _verdict(report: Report) -> None:
    warnings = len(report.of_level("warning"))
    if not report.ok:
        st.badge("cannot be used before its errors are mended", icon=":material/error:", color="red")
    elif not report.figures.n_questions:
        st.badge("cannot be evaluated yet: it has no questions", icon=":material/warning:", color="orange")
    elif warnings:
        kinds = "kind" if warnings == 1 else "kinds"
        st.badge(f"can be used; {warnings} {kinds} of warnings", icon=":material/warning:", color="orange")
    else:
        st.badge("sound", icon=":material/check:", color="green")


def findings(report: Report) -> None:
    """Show every finding with its places, errors first."""
    if not report.findings:
        st.success("The check found nothing to mend and nothing that would mislead an evaluation.")
    for level in LEVELS:
        for i, finding in enumerate(report.of_level(level)):
            _finding(finding, f"finding.{level}.{i}")


def _finding(finding: Finding, key: str) -> None:
    with st.container(border=True, gap="xsmall", key=key):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            icon, colour = _ICONS[finding.level], _COLOURS[finding.level]
            st.badge(f"{finding.level} · {finding.count:,}", icon=icon, color=colour)  # type: ignore[arg-type]
            st.markdown(plain(finding.message))
        if finding.where:
            more = f"\n… and {finding.count - len(finding.where):,} more" if finding.count > len(finding.where) else ""
            st.code("\n".join(finding.where) + more, language=None, wrap_lines=True, height=_height(len(finding.where)))


def _height(lines: int) -> int:
    return min(180, 36 + 21 * (lines + 1))
