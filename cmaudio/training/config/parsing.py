"""YAML from users: whatever its parser raises becomes one kind of error, and its aliases are limited."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import yaml

from cmaudio.errors import CmaudioError

MAX_BYTES = 2**16  # configurations have some KB, and PyYAML takes seconds for more
_MAX_VALUES, _MAX_DEPTH, _MAX_BITS = 20_000, 40, 1024
_MAX_BRACKETS = 200
# PyYAML's constructors let these through: `2020-13-45`, `!!int ""`, `!!bool x`, `!!timestamp x`.
_LEAKED = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


class _Strict(yaml.SafeLoader):
    """PyYAML's safe loader, but duplicate keys, of which PyYAML silently keeps the last, are errors."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """A mapping of the document, before its merges."""
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen and key.value != "<<":
                raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} is given twice", key.start_mark)
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
        return node


def parse_yaml(text: str, what: str) -> Any:
    """The value of a YAML document.

    Args:
        text: the document.
        what: what messages call it.

    Raises:
        CmaudioError: not valid YAML, a duplicate key, a value that does not exist (the 45th of a month),
            large, or with aliases that contain themselves or multiply to more than 20,000 values.
    """
    if len(text) > MAX_BYTES:
        raise CmaudioError(f"{what} is larger than {MAX_BYTES >> 10} KiB, the limit; is it another file?")
    if _nesting(text) > _MAX_BRACKETS:  # PyYAML's time grows with its square
        raise CmaudioError(f"{what} is not valid: nested too deeply")
    try:
        value = yaml.load(text, _Strict)
    except yaml.YAMLError as error:
        raise CmaudioError(f"{what} is not valid YAML: {' '.join(str(error).split())[:400]}") from error
    except RecursionError as error:
        raise CmaudioError(f"{what} is not valid: nested too deeply") from error
    except _LEAKED as error:
        raise CmaudioError(f"{what} holds a value that is not valid ({error}); quote it if it is text") from error
    for count, (depth, inner) in enumerate(_walk(value)):
        if depth > _MAX_DEPTH or count > _MAX_VALUES:
            raise CmaudioError(f"{what} is too large, or its aliases contain themselves; write the values out")
        if isinstance(inner, int) and inner.bit_length() > _MAX_BITS:
            raise CmaudioError(f"{what} holds a number of more than {_MAX_BITS} bits; correct it")
    return value


def _nesting(text: str) -> int:
    """How many brackets are open at once; those inside quotation marks count too."""
    changes = ((c in "[{") - (c in "]}") for c in text)
    return max(accumulate(changes), default=0)


def _walk(value: Any) -> Iterator[tuple[int, Any]]:
    """Every value inside with its depth, aliases expanded: endless where one contains itself."""
    waiting = [(0, value)]
    while waiting:
        depth, node = waiting.pop()
        yield depth, node
        inner = [*node, *node.values()] if isinstance(node, dict) else node if isinstance(node, list | set) else ()
        waiting += [(depth + 1, each) for each in inner]
