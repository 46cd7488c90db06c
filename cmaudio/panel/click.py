"""A metronome: a drum on every beat while the step sequencer plays, accented on the first of the bar."""

from __future__ import annotations

from cmaudio.synth import Synth
from cmaudio.timing.pattern import Pattern

_KEY = 37  # General MIDI's side stick
_ACCENT, _WEAK = 112, 72  # velocities


class Click:
    """Follows the sequencer of an instrument until it is closed. It is silent until it is turned on."""

    def __init__(self, synth: Synth) -> None:
        self._synth = synth
        self._on = False
        self._pattern: Pattern | None = None
        self.close = synth.sequencer.subscribe(self._follow)

    @property
    def on(self) -> bool | None:
        """Whether it is turned on; None for a model without a drum kit."""
        return self._on if self._drum else None

    def turn(self, on: bool) -> None:
        """Turn it on or off."""
        self._on = on
        self._follow()

    @property
    def _drum(self) -> str | None:
        model = self._synth.model
        kit = any(timbre.key is not None for timbre in model.manifest.timbres)
        return model.drums.get(_KEY) if kit else None

    def _follow(self) -> None:
        sequencer, clock = self._synth.sequencer, self._synth.clock
        with clock.lock:
            wanted = self._on and sequencer.playing
            if self._pattern is not None and not (wanted and clock.has(self._pattern)):
                self._pattern.stop()
                self._pattern = None
            if wanted and self._pattern is None and self._drum is not None:
                beats, bar = max(1, round(sequencer.bank.bar)), sequencer.bank.bar
                velocity = [_ACCENT, *[_WEAK] * (beats - 1)]
                self._pattern = clock.play(
                    [_KEY] * beats, quantise=bar, loop=True, timbre=self._drum, velocity=velocity, gate=0.2
                )
