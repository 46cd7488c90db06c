"""A snapshot of everything that a page can set about the sound: for slots, undo and the session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated

from pydantic import ConfigDict, Field

from cmaudio.controls.controls import Controls
from cmaudio.controls.routes import modulators_of
from cmaudio.modulation.settings import MAX_ROUTES, Route
from cmaudio.score.ranges import SEED_LIMIT
from cmaudio.sequencer.bank import PatternBank

SWITCH_SECONDS = 0.02
_PLACE = ("timbre_x", "timbre_y")
_OTHERS = ("seed", "space", "routes", "patterns")
Finite = Annotated[float, Field(allow_inf_nan=False)]
Place = Annotated[float, Field(ge=-1, le=1)]


@dataclass(frozen=True)
class Snapshot:
    """Controls, timbre and seed at one moment.

    Attributes:
        values: of the controls by name, without the position on the map.
        timbre: a mix, or a vector (Z,).
        place: on the map, -1..1.
        seed: of new notes; None gives each a different one.
        space: the impulse response that replaces the reverb, a sound file.
        patterns: of the step sequencer, for undo; None does not change them.
        routes: modulation routes.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    values: dict[str, Finite]
    timbre: dict[str, Finite] | list[Finite]
    place: tuple[Place, Place]
    seed: Annotated[int | None, Field(ge=0, le=SEED_LIMIT)] = None
    space: str | None = None
    patterns: PatternBank | None = None
    routes: Annotated[list[Route], Field(max_length=MAX_ROUTES)] = field(default_factory=list)

    @classmethod
    def of(cls, controls: Controls, space: str | None = None) -> Snapshot:
        """The present state of the controls."""
        values = controls.values()
        x, y = (values.pop(name) for name in _PLACE)
        mix = controls.timbre
        return cls(
            values,
            controls.vector.tolist() if mix is None else mix,
            (x, y),
            controls.seed,
            space,
            routes=list(controls.routes),
        )

    def apply(self, controls: Controls, source: str = "") -> None:
        """Restore controls, timbre and seed; sounding notes follow at once."""
        for name, value in self.values.items():
            if controls[name] != value:
                controls.set(name, value, source)
        if self.timbre == controls.timbre_map.mix(*self.place):
            controls.go_to(*self.place, SWITCH_SECONDS, source)
        elif self.timbre != Snapshot.of(controls).timbre:
            controls.set_timbre(self.timbre, SWITCH_SECONDS, source)
        if controls.seed != self.seed:
            controls.set_seed(self.seed, source)
        controls.set_routes(self.routes, source)

    def changes_to(self, other: Snapshot) -> list[str]:
        """The differences to another: names of controls, "timbre", "seed", "space", "routes" and "patterns"."""
        found = [name for name, value in other.values.items() if self.values.get(name, value) != value]
        if (self.timbre, self.place) != (other.timbre, other.place):
            found.append("timbre")
        return found + [name for name in _OTHERS if getattr(self, name) != getattr(other, name)]

    def taking(self, names: list[str], other: Snapshot) -> Snapshot:
        """This one, with the named parts (see `changes_to`) of another."""
        values = self.values | {name: value for name, value in other.values.items() if name in names}
        timbre, place = (other.timbre, other.place) if "timbre" in names else (self.timbre, self.place)
        rest = {name: getattr(other, name) for name in _OTHERS if name in names}
        return replace(self, values=values, timbre=timbre, place=place, **rest)


def compatible_part(snapshot: Snapshot, controls: Controls) -> Snapshot:
    """The part of a snapshot from a file that the instrument has, with values clamped to their ranges."""
    values: Mapping[str, float] = snapshot.values
    definitions = {name: known for name, known in controls.definitions.items() if name in values}
    limited = {name: min(known.max, max(known.min, values[name])) for name, known in definitions.items()}
    movable = [route for route in snapshot.routes if route.modulator in modulators_of(route.control)]
    kept = [route for route in movable if route.control in controls.definitions]
    return replace(snapshot, values=limited, routes=[_limited(route, controls) for route in kept])


def _limited(route: Route, controls: Controls) -> Route:
    known = controls.definitions[route.control]
    most = known.max - known.min
    return route.model_copy(update={"amount": min(most, max(-most, route.amount))})
