"""Plugins: objectives, networks and corpus layouts of other packages, named by a configuration or command.

A plugin is named by its entry point (`huber`, of an installed package) or by its class path (`my_losses:Huber`, of an
importable module).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from cmaudio.errors import CmaudioError, nearest

Kind = Literal["objective", "network", "layout"]
GROUPS: Mapping[Kind, str] = {
    "objective": "cmaudio.objectives",
    "network": "cmaudio.networks",
    "layout": "cmaudio.layouts",
}


def installed(kind: Kind) -> Mapping[str, EntryPoint]:
    """The entry points of a kind of plugin, by name."""
    return {entry.name: entry for entry in entry_points(group=GROUPS[kind])}


def check_name(kind: Kind, name: str, included: Collection[str]) -> None:
    """Check that a name can be that of a plugin, without importing it.

    Args:
        kind: of the plugin.
        name: as the user wrote it.
        included: names of what comes with cmaudio.

    Raises:
        CmaudioError: it is neither a class path nor installed.
    """
    if name in included or name in installed(kind):
        return
    module, colon, attribute = name.partition(":")
    if colon and all(step.isidentifier() for step in (*module.split("."), *attribute.split("."))):
        return
    known = [*included, *sorted(installed(kind))]
    near = f"; did you mean {nearest(name, known)[0]!r}?" if known and not colon else "."
    raise CmaudioError(
        f"no {kind} {name[:100]!r}: there are {', '.join(known)}{near} One of another package is named by its entry "
        f"point (group {GROUPS[kind]}) or as module:Class"
    )


def load_plugin(kind: Kind, name: str) -> Any:
    """Import a plugin. Raises CmaudioError that says what is missing, or what its module raised."""
    entry = installed(kind).get(name)
    module, _, attribute = (entry.value if entry else name).partition(":")
    try:
        found: Any = import_module(module)
    except ModuleNotFoundError as error:
        raise CmaudioError(
            f"{kind} {name}: no module {error.name!r}; install its package, or set PYTHONPATH to the folder it is in"
        ) from error
    except Exception as error:  # whatever a user's module raises while it is imported
        raise CmaudioError(f"{kind} {name}: importing {module} failed ({_describe(error)}); correct it") from error
    for step in attribute.split("."):
        if not hasattr(found, step):
            names = [one for one in vars(found) if not one.startswith("_")]
            near = f"; did you mean {nearest(step, names)[0]!r}?" if names else ""
            raise CmaudioError(f"{kind} {name}: {module} has no {step!r}{near}")
        found = getattr(found, step)
    return found


def make_plugin(kind: Kind, name: str, given: Sequence[Any], settings: Mapping[str, Any]) -> Any:
    """An instance of a plugin.

    Args:
        kind: of the plugin.
        name: of its class or function.
        given: positional arguments, which every plugin of this kind takes.
        settings: keyword arguments.

    Raises:
        CmaudioError: it cannot be called like that, or fails.
    """
    factory = load_plugin(kind, name)
    if not callable(factory):
        raise CmaudioError(f"{kind} {name} is a {type(factory).__name__}, not a class: name one")
    check_call(f"{kind} {name}", factory, *given, **settings)
    try:
        return factory(*given, **settings)
    except CmaudioError:
        raise
    except Exception as error:
        raise CmaudioError(
            f"{kind} {name} cannot be made ({_describe(error)}); correct its settings or its code"
        ) from error


def check_call(what: str, function: Callable[..., Any], *arguments: Any, **settings: Any) -> None:
    """Raises CmaudioError if a function does not take these arguments."""
    signature = inspect.signature(function)
    try:
        signature.bind(*arguments, **settings)
    except TypeError as error:
        raise CmaudioError(f"{what}: {error}; it takes {signature}") from error


def attempt(what: str, action: Callable[[], Any]) -> Any:
    """Run part of a trial of user code. Raises CmaudioError for whatever it raises."""
    try:
        return action()
    except CmaudioError:
        raise
    except Exception as error:
        raise CmaudioError(f"{what} fails on a trial batch ({_describe(error)}); correct it") from error


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
