"""Validation of routes from modulators to controls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import ValidationError

from cmaudio.checks import in_range
from cmaudio.effects.settings import SETTINGS
from cmaudio.errors import CmaudioError, explain
from cmaudio.model.manifest import ControlDefinition
from cmaudio.modulation.settings import MAX_ROUTES, MODULATORS, OSCILLATORS, Route
from cmaudio.score.expression import EXPRESSIONS
from cmaudio.synthesis.modulated import PLACE

RouteLike = Route | tuple[str, str, float]
_EFFECTS = tuple(name for name, setting in SETTINGS.items() if not setting.whole)
_NOTE_CONTROLS = ("bend", "gain", *PLACE, *(name for name, each in EXPRESSIONS.items() if not each.partial))


def modulators_of(control: str) -> tuple[str, ...]:
    """The modulators that can move a control: none, only the LFOs (for effects), or all."""
    if control in _NOTE_CONTROLS:
        return MODULATORS
    return OSCILLATORS if control in _EFFECTS else ()


def checked_routes(routes: Iterable[RouteLike], definitions: Mapping[str, ControlDefinition]) -> tuple[Route, ...]:
    """The routes with a non-zero amount, sorted by name.

    Raises CmaudioError for an unknown name, a control that cannot be modulated, an amount out of range, two routes of
    the same modulator to the same control, or too many.
    """
    by_key = dict[tuple[str, str], Route]()
    for each in routes:
        route = _checked(each, definitions)
        if route.key in by_key:
            raise CmaudioError(f"{route.modulator} is routed to {route.control} twice; give one amount")
        by_key[route.key] = route
    active = tuple(sorted((route for route in by_key.values() if route.amount), key=lambda route: route.key))
    if len(active) > MAX_ROUTES:
        raise CmaudioError(f"{len(active)} routes are more than {MAX_ROUTES}; remove some")
    return active


def _checked(each: RouteLike, definitions: Mapping[str, ControlDefinition]) -> Route:
    try:
        route = each if isinstance(each, Route) else Route(**dict(zip(Route.model_fields, each, strict=True)))  # type: ignore[arg-type]
    except ValidationError as error:
        raise CmaudioError(f"not a route: {explain(error)}") from error
    except (TypeError, ValueError) as error:
        raise CmaudioError(f"a route is a modulator, a control and an amount, not {each!r}") from error
    known = definitions.get(route.control)
    movable = [name for name in definitions if modulators_of(name)]
    if known is None or route.control not in movable:
        problem = "no control" if known is None else "nothing modulates"
        raise CmaudioError(f"{problem} {route.control!r}; what can be modulated: {', '.join(movable)}")
    if route.modulator not in modulators_of(route.control):
        raise CmaudioError(
            f"{route.modulator} modulates notes, and {route.control} belongs to the effects: use "
            f"{' or '.join(OSCILLATORS)}"
        )
    most = known.max - known.min
    in_range(f"amount of {route.modulator} to {route.control}", route.amount, -most, most, known.unit)
    return route
