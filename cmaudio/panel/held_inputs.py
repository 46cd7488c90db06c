"""What each client holds: keys, pedal, controls that spring back. Whoever goes away lets go of all of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from cmaudio.synth import Synth


@dataclass
class _Held:
    keys: set[int] = field(default_factory=set)
    controls: set[str] = field(default_factory=set)
    pedal: bool = False


class HeldInputs:
    """The hands of all clients on one instrument. A key that two of them hold goes up with the last."""

    def __init__(self, synth: Synth) -> None:
        self._synth = synth
        self._held: dict[str, _Held] = {}

    def press(self, client: str, pitch: int, velocity: int) -> None:
        """A key goes down."""
        self._synth.press(pitch, velocity)
        self._of(client).keys.add(pitch)

    def lift(self, client: str, pitch: int) -> None:
        """A key goes up; one that this client does not hold stays as it is."""
        keys = self._of(client).keys
        if pitch in keys:
            keys.remove(pitch)
            if not any(pitch in held.keys for held in self._held.values()):
                self._synth.lift(pitch)

    def pedal(self, client: str, down: bool) -> None:
        """The sustain pedal; it is down while anybody's foot is."""
        self._of(client).pedal = down
        self._synth.sustain(any(held.pedal for held in self._held.values()))

    def set(self, client: str, name: str, value: float, held: bool) -> None:
        """Move a control, that springs back if it is `held` away from its default."""
        moved = self._synth.controls.set(name, value, client)
        controls = self._of(client).controls
        if held and moved != self._synth.controls.definitions[name].default:
            controls.add(name)
        else:
            controls.discard(name)

    def release(self, client: str) -> None:
        """A client went away."""
        held = self._held.get(client)
        if held is None:
            return
        for pitch in tuple(held.keys):
            self.lift(client, pitch)
        if held.pedal:
            self.pedal(client, False)
        for name in held.controls:
            self._synth.controls.set(name, self._synth.controls.definitions[name].default)
        self._held.pop(client, None)

    def release_all(self) -> None:
        """All of them went away."""
        for client in tuple(self._held):
            self.release(client)

    def _of(self, client: str) -> _Held:
        return self._held.setdefault(client, _Held())
