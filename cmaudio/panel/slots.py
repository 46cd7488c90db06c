"""Two slots that each hold all controls, timbre and seed, for comparing two sounds."""

from __future__ import annotations

from collections.abc import Mapping

from cmaudio.controls.controls import Controls
from cmaudio.errors import CmaudioError
from cmaudio.panel.snapshot import Snapshot


class Slots:
    """Slots A and B; `active` is the one stored or recalled last."""

    def __init__(self) -> None:
        self._slots: dict[str, Snapshot] = {}
        self.active: str | None = None

    @property
    def filled(self) -> list[str]:
        """Names of the slots that hold something."""
        return sorted(self._slots)

    @property
    def held(self) -> Mapping[str, Snapshot]:
        """What each filled slot holds."""
        return self._slots

    def fill(self, held: Mapping[str, Snapshot], active: str | None) -> None:
        """Replace what the slots hold."""
        self._slots, self.active = dict(held), active

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
