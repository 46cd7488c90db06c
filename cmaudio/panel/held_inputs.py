"""The keys, sustain pedal and self-centring controls that each client holds, released when it disconnects."""

from __future__ import annotations

from dataclasses import dataclass, field

from cmaudio.panel.instrument import PanelInstrument


@dataclass
class _Held:
    keys: set[int] = field(default_factory=set)
    controls: set[str] = field(default_factory=set)
    pedal: bool = False


class HeldInputs:
    """Combines the inputs of all clients: a key that two clients hold is lifted when the second releases it."""

    def __init__(self, synth: PanelInstrument) -> None:
        self._synth = synth
        self._held: dict[str, _Held] = {}

    def press(self, client: str, pitch: int, velocity: int) -> None:
        """Press a key."""
        self._synth.press(pitch, velocity)
        self._of(client).keys.add(pitch)

    def lift(self, client: str, pitch: int) -> None:
        """Lift a key; one that this client does not hold stays as it is."""
        keys = self._of(client).keys
        if pitch in keys:
            keys.remove(pitch)
            if not any(pitch in held.keys for held in self._held.values()):
                self._synth.lift(pitch)

    def sustain(self, client: str, down: bool) -> None:
        """Move the sustain pedal; it stays down while any client holds it."""
        self._of(client).pedal = down
        self._synth.sustain(any(held.pedal for held in self._held.values()))

    def set(self, client: str, name: str, value: float, held: bool) -> None:
        """Set a control; if `held` away from its default, it returns when the client leaves."""
        reached = self._synth.controls.set(name, value, client)
        controls = self._of(client).controls
        if held and reached != self._synth.controls.definitions[name].default:
            controls.add(name)
        else:
            controls.discard(name)

    def release(self, client: str) -> None:
        """Release everything that one client holds."""
        held = self._held.get(client)
        if held is None:
            return
        for pitch in tuple(held.keys):
            self.lift(client, pitch)
        if held.pedal:
            self.sustain(client, False)
        for name in held.controls:
            self._synth.controls.set(name, self._synth.controls.definitions[name].default)
        self._held.pop(client, None)

    def release_all(self) -> None:
        """Release everything that any client holds."""
        for client in tuple(self._held):
            self.release(client)

    def _of(self, client: str) -> _Held:
        return self._held.setdefault(client, _Held())
