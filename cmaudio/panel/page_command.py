"""The base class of all commands that a page may send."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from cmaudio.strict import Strict


class PageCommand(Strict, strict=True):
    """`gesture` names the drag that a command belongs to: the commands of one drag are undone together."""

    gesture: Annotated[str, Field(max_length=40)] = ""
