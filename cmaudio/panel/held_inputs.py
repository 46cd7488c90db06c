"""The keys, pads, sustain pedal and self-centring controls that each client holds, released when it disconnects."""

from __future__ import annotations

from dataclasses import dataclass, field

from cmaudio.errors import CmaudioError
from cmaudio.score.events import PERCUSSION_CHANNEL
from cmaudio.synth import Synth

PAD_CHANNEL = PERCUSSION_CHANNEL  # each of its keys is a timbre


@dataclass
class _Held:
    keys: set[tuple[int, int]] = field(default_factory=set)
    controls: set[str] = field(default_factory=set)
    pedal: bool = False


class HeldInputs:
    """Combines the inputs of all clients: a key that two clients hold is released when the second releases it.

    `struck` is the timbre of the pad that was pressed last, None once another timbre was chosen since.
    """

    def __init__(self, synth: Synth) -> None:
        self._synth = synth
        self._held: dict[str, _Held] = {}
        self.struck: str | None = None
        self.close = synth.controls.subscribe(self._listen)

    def press(self, client: str, pitch: int, velocity: int, channel: int = 0) -> None:
        """Press a key, or a pad. Raises CmaudioError for a pad that the model lacks."""
        timbre = self._synth.model.drums.get(pitch) if channel == PAD_CHANNEL else None
        if channel == PAD_CHANNEL and timbre is None:
            raise CmaudioError(f"this model has no pad on key {pitch}")
        self._synth.press(pitch, velocity, timbre=timbre, channel=channel)
        self._of(client).keys.add((channel, pitch))
        if timbre is not None:
            self.struck = timbre

    def lift(self, client: str, pitch: int, channel: int = 0) -> None:
        """Release a key; one that this client does not hold is not changed."""
        keys, key = self._of(client).keys, (channel, pitch)
        if key in keys:
            keys.remove(key)
            if not any(key in held.keys for held in self._held.values()):
                self._synth.lift(pitch, channel)

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
        for channel, pitch in tuple(held.keys):
            self.lift(client, pitch, channel)
        if held.pedal:
            self.sustain(client, False)
        for name in held.controls:
            self._synth.controls.set(name, self._synth.controls.definitions[name].default)
        self._held.pop(client, None)

    def release_all(self) -> None:
        """Release everything that any client holds."""
        for client in tuple(self._held):
            self.release(client)

    def _listen(self, name: str, value: object, source: str) -> None:
        if name == "timbre":
            self.struck = None

    def _of(self, client: str) -> _Held:
        return self._held.setdefault(client, _Held())
