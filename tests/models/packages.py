"""Packages of the extras, which a test may want."""

from __future__ import annotations

import pytest

from pipelines.models.weights import installed


def need(package: str) -> None:
    """Skip the test where a package is missing. It is not imported: only our code knows how, without its telemetry."""
    if not installed(package):
        pytest.skip(f"the package '{package}' is missing; install its extra")
