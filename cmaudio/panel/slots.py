"""Two slots that each hold all controls, timbre and seed, for comparing two sounds."""

from __future__ import annotations

from dataclasses import dataclass

from cmaudio.controls.controls import Controls
from cmaudio.errors import CmaudioError
from cmaudio.model.timbres import Timbre

SWITCH_SECONDS = 0.02
_PLACE = ("timbre_x", "timbre_y")


@dataclass(frozen=True)
class Snapshot:
    """Controls, timbre and seed at one moment."""

    values: dict[str, float]
    timbre: Timbre
    place: tuple[float, float]
    seed: int | None

    @classmethod
    def of(cls, controls: Controls) -> Snapshot:
        values = controls.values()
        x, y = (values.pop(name) for name in _PLACE)
        mix = controls.timbre
        return cls(values, controls.vector if mix is None else mix, (x, y), controls.seed)

    def apply(self, controls: Controls, source: str = "") -> None:
        """Restore the controls; sounding notes follow at once."""
        for name, value in self.values.items():
            if controls[name] != value:
                controls.set(name, value, source)
        if self.timbre == controls.timbre_map.mix(*self.place):
            controls.go_to(*self.place, SWITCH_SECONDS, source)
        else:
            controls.set_timbre(self.timbre, SWITCH_SECONDS, source)
        if controls.seed != self.seed:
            controls.set_seed(self.seed, source)


class Slots:
    """Slots A and B; `active` is the one stored or recalled last."""

    def __init__(self) -> None:
        self._slots: dict[str, Snapshot] = {}
        self.active: str | None = None

    @property
    def filled(self) -> list[str]:
        """Names of the slots that hold something."""
        return sorted(self._slots)

    def store(self, name: str, controls: Controls) -> None:
        """Store the current controls."""
        self._slots[name] = Snapshot.of(controls)
        self.active = name

    def recall(self, name: str, controls: Controls, source: str = "") -> None:
        """Recall a slot. Raises CmaudioError if it is empty."""
        if name not in self._slots:
            raise CmaudioError(f"slot {name} is empty; store something in it first")
        self._slots[name].apply(controls, source)
        self.active = name
