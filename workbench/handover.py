"""What pages pass to one another, through the URL: everything that defines a view, so that a link opens it again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from workbench.text import plain, shortened

PAGES = {
    "data": "views/data.py",
    "build": "views/builder.py",
    "sweep": "views/sweep.py",
    "finetune": "views/finetune.py",
    "runs": "views/runs.py",
    "compare": "views/compare.py",
    "what_if": "views/what_if.py",
    "question": "views/question.py",
    "judge": "views/judge.py",
}
Value = str | Sequence[str] | None
_PAGE = "handover.page"
_LASTING = {
    "data/dataset": "dataset", "build/dataset": "dataset", "sweep.new/dataset": "dataset",
    "finetune.new/dataset": "dataset", "finetune/dataset": "dataset",
    "build/split": "split", "sweep.new/split": "split",
}  # fmt: skip


def begin(page: str) -> None:
    """Enter a page: coming from another one, its widgets begin with what the URL says, not with what they held."""
    if st.session_state.get(_PAGE) == page:
        return
    st.session_state[_PAGE] = page
    for held in [name for name in st.session_state if str(name).startswith(f"{page}/")]:
        del st.session_state[held]


def key(name: str) -> str:
    """Return the key of this page's widget for `name`."""
    return f"{st.session_state.get(_PAGE, '')}/{name}"


def hand_over(name: str, value: str) -> None:
    """Choose `value` on this page, whatever the URL says, and for the rest of the session where it says nothing."""
    st.session_state[key(name)] = value
    _remember(key(name))


def _remember(own: str) -> None:
    """Hold on to what was chosen, not to what was there by default, for pages whose URL names none."""
    if own in _LASTING:
        st.session_state[f"handover.last.{_LASTING[own]}"] = st.session_state[own]


def _last(own: str) -> str | None:
    return st.session_state.get(f"handover.last.{_LASTING[own]}") if own in _LASTING else None


def asked(name: str) -> str | None:
    """Return what the URL says of `name`."""
    return st.query_params.get(name) or None


def asked_all(name: str) -> list[str]:
    """Return every value that the URL gives `name`, each once."""
    return list(dict.fromkeys(value for value in st.query_params.get_all(name) if value))


def keep(**values: Value) -> None:
    """Write values into the URL; what is None or empty is taken out of it."""
    for name, value in values.items():
        wanted = [value] if isinstance(value, str) else list(value or ())
        wanted = [one for one in wanted if one]
        if wanted == st.query_params.get_all(name):
            continue
        if wanted:
            st.query_params[name] = wanted
        else:
            st.query_params.pop(name, None)


def go(page: str, **values: Value) -> None:
    """Open another page with this view."""
    st.switch_page(PAGES[page], query_params=_given(values))


def link(page: str, label: str, icon: str | None = None, disabled: bool = False, **values: Value) -> None:
    """Show a link to another page with this view."""
    st.page_link(PAGES[page], label=plain(label, 90), icon=icon, disabled=disabled, query_params=_given(values))


def _given(values: dict[str, Value]) -> dict[str, str | list[str]]:
    return {name: value if isinstance(value, str) else list(value) for name, value in values.items() if value}


def choose(
    label: str,
    options: Sequence[str],
    name: str,
    *,
    shown: Callable[[str], object] = str,
    default: str | None = None,
    quiet: bool = False,
    **widget: Any,
) -> str | None:
    """Show a select box that begins with what the URL says and keeps its choice there.

    A quiet one leaves the URL alone while nothing else than the default was chosen: writing it makes an entry in the
    browser's history, so that the way back from a page just opened would lead to the same page.
    """
    own = key(name)
    _seed(own, name, options, default if default in options else (options[0] if options else None), label)
    chosen = st.selectbox(
        label,
        options,
        key=own,
        format_func=lambda o: shortened(shown(o)),
        on_change=_remember,
        args=(own,),
        **widget,
    )
    usual = default if default in options else next(iter(options), None)
    if not (quiet and chosen == usual and asked(name) is None):
        keep(**{name: chosen})
    return chosen


def _seed(own: str, name: str, options: Sequence[str], default: str | None, label: str) -> None:
    if st.session_state.get(own) in options:
        return
    wanted = asked(name)
    if wanted is not None and wanted not in options and own not in st.session_state:
        _say_absent(label, [wanted])
    if wanted in options:
        st.session_state[own] = wanted
        _remember(own)
        return
    last = _last(own) if wanted is None else None
    st.session_state[own] = last if last in options else default


def choose_many(
    label: str,
    options: Sequence[str],
    name: str,
    *,
    shown: Callable[[str], object] = str,
    default: Sequence[str] = (),
    **widget: Any,
) -> list[str]:
    """Show a select box of several, which begins with what the URL says and keeps its choice there."""
    own = key(name)
    held = st.session_state.get(own)
    if held is None:
        wanted = asked_all(name)
        if absent := [one for one in wanted if one not in options]:
            _say_absent(label, absent)
        held = [one for one in wanted or default if one in options]
    most = widget.get("max_selections") or len(options)
    st.session_state[own] = [one for one in held if one in options][:most]
    chosen = st.multiselect(label, options, key=own, format_func=lambda o: shortened(shown(o), 60), **widget)
    keep(**{name: chosen})
    return list(chosen)


def _say_absent(label: str, absent: Sequence[str]) -> None:
    names, asked_for = ", ".join(f"'{shortened(one, 60)}'" for one in absent[:5]), label.partition(" (")[0]
    st.warning(
        plain(f"The link names {names} for '{asked_for}', and nothing of that name is offered here; choose another.")
    )


def choose_view(views: Sequence[str], name: str, default: str | None = None, quiet: bool = False) -> str:
    """Show a row of views of which one is open; names are ours, never users' text. Quiet ones are as in `choose`."""
    own = key(name)
    if st.session_state.get(own) not in views:
        wanted = asked(name)
        st.session_state[own] = wanted if wanted in views else default or views[0]
    st.segmented_control(name, views, key=own, required=True, label_visibility="collapsed")
    chosen = str(st.session_state[own] or default or views[0])
    if not (quiet and chosen == (default or views[0]) and asked(name) is None):
        keep(**{name: chosen})
    return chosen


def search(label: str, name: str, **widget: Any) -> str:
    """Show a search box, its label inside it, that begins with what the URL says."""
    own = key(name)
    if own not in st.session_state:
        st.session_state[own] = asked(name) or ""
    same: dict[str, Any] = {"placeholder": label, "label_visibility": "collapsed", "icon": ":material/search:"}
    found = st.text_input(label, key=own, **{**same, **widget}).strip()
    keep(**{name: found})
    return found
