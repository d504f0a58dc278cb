"""What goes wrong becomes one sentence on the page: never a traceback, never Markdown of somebody else's making."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from pipelines.errors import WorkbenchError
from workbench.text import plain

_log = logging.getLogger("rag_workbench.ui")


@contextmanager
def told() -> Iterator[None]:
    """Show what is raised inside as one sentence; the page goes on below.

    Streamlit's own signals (rerun, stop) are no errors and pass.
    """
    try:
        yield
    except WorkbenchError as error:
        say(error)
    except Exception:
        number = uuid.uuid4().hex[:8]
        _log.exception("error %s", number)
        st.error(f"Something went wrong inside the workbench (error {number}); the server's log has the details.")


def say(error: object) -> None:
    """Show one sentence of an error, as it is."""
    st.error(plain(error))
