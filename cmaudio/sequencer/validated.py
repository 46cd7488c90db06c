"""The base of the sequencer's data classes: immutable, strict, with errors that name the value and its location."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pydantic import ValidationError

from cmaudio.errors import CmaudioError, explain
from cmaudio.strict import Strict


class Validated(Strict):
    """Plain data; `changed` returns a copy with some fields changed.

    Raises:
        CmaudioError: an unknown field or a value out of range.
    """

    if not TYPE_CHECKING:  # so that type checkers see the fields

        def __init__(self, **fields: Any) -> None:
            try:
                super().__init__(**fields)
            except ValidationError as error:
                reason = explain(error, known=tuple(type(self).model_fields))
                raise CmaudioError(reason.replace("Value error, ", "")) from None

        __init__.__pydantic_base_init__ = True  # pydantic's own: errors of parts keep their places in the whole

    def changed(self, **fields: Any) -> Self:
        """A copy with some fields changed. Raises CmaudioError for an unknown field or a value out of range."""
        return type(self)(**{name: getattr(self, name) for name in type(self).model_fields} | fields)
