"""Two places for a whole surface, to go back and forth between them and hear which is better."""

from __future__ import annotations

from dataclasses import dataclass

from cmaudio.controls.surface import Surface
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Timbre

SWITCH_SECONDS = 0.02
_OF_THE_TIMBRE = ("timbre_x", "timbre_y")


@dataclass(frozen=True)
class Snapshot:
    """All that a surface holds: its controls, timbre and seed."""

    values: dict[str, float]
    timbre: Timbre
    place: tuple[float, float]
    seed: int | None

    @classmethod
    def of(cls, surface: Surface) -> Snapshot:
        """As it is now."""
        values = surface.values()
        x, y = (values.pop(name) for name in _OF_THE_TIMBRE)
        mix = surface.timbre
        return cls(values, surface.vector if mix is None else mix, (x, y), surface.seed)

    def apply(self, surface: Surface, source: str = "") -> None:
        """Set the surface as it was; what sounds follows at once."""
        for name, value in self.values.items():
            if surface[name] != value:
                surface.set(name, value, source)
        if self.timbre == surface.timbre_map.mix(*self.place):
            surface.go_to(*self.place, SWITCH_SECONDS, source)
        else:
            surface.set_timbre(self.timbre, SWITCH_SECONDS, source)
        if surface.seed != self.seed:
            surface.set_seed(self.seed, source)


class Slots:
    """A and B. `active` is the one that was stored or gone to last."""

    def __init__(self) -> None:
        self._slots: dict[str, Snapshot] = {}
        self.active: str | None = None

    @property
    def filled(self) -> list[str]:
        """Which of them hold something."""
        return sorted(self._slots)

    def store(self, name: str, surface: Surface) -> None:
        """Keep the surface as it is."""
        self._slots[name] = Snapshot.of(surface)
        self.active = name

    def recall(self, name: str, surface: Surface, source: str = "") -> None:
        """Go to what a slot holds. Raises CmaudioError for an empty one."""
        if name not in self._slots:
            raise CmaudioError(f"slot {name} is empty; store something in it first")
        self._slots[name].apply(surface, source)
        self.active = name
