"""What must hold of the UI's files for Streamlit and the libraries beside it."""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "workbench").rglob("*.py"))
CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())


@pytest.mark.parametrize("file", [f for f in FILES if f.stem not in ("__init__", "app")], ids=lambda f: f.stem)
def test_no_file_hides_an_installed_module(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit puts the folder of the opened script first on the path."""
    kept = [p for p in sys.path if not p.startswith(str(ROOT / "workbench")) and not p.startswith(str(ROOT / "tests"))]
    monkeypatch.setattr(sys, "path", kept)
    assert file.stem not in sys.stdlib_module_names
    assert importlib.util.find_spec(file.stem) is None


def test_only_one_place_writes_html() -> None:
    writers = {file.name for file in FILES if "st.html(" in file.read_text()}
    assert writers == {"app.py", "text.py"}
    assert not [file for file in FILES if "unsafe_allow_html" in file.read_text()]


def test_the_server_is_closed_to_the_network_and_says_nothing_to_anybody() -> None:
    assert CONFIG["server"]["address"] == "127.0.0.1"
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["client"]["showErrorDetails"] == "none"
    assert CONFIG["client"]["disableDataExport"] is True
