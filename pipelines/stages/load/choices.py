"""Knobs that several loaders share, and that `auto` hands on to each of them."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

EncodingKnob: TypeAlias = Annotated[
    Literal["auto", "utf-8", "cp1252", "iso-8859-1", "iso-8859-15", "utf-16"],
    Field(description="How bytes are letters; auto: UTF-8, or else what the text gives away, if it is certain"),
]
SheetsKnob: TypeAlias = Annotated[
    Literal["sheet", "row"], Field(description="What is a document of its own: each sheet of a table, or each row")
]
NotesKnob: TypeAlias = Annotated[bool, Field(description="Read the speaker's notes of slides too")]
MainTextKnob: TypeAlias = Annotated[
    bool, Field(description="Only the main text of a web page, without menus, sidebars and imprints")
]
