"""The effects of a rack: a reverb or convolutions, a chorus and a delay. Importing this imports numba."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from cmaudio.effects.chorus import Chorus
from cmaudio.effects.convolution import Convolution
from cmaudio.effects.delay import Delay
from cmaudio.effects.reverb import Reverb
from cmaudio.effects.settings import REVERB_KINDS
from cmaudio.effects.unit_clock import PIECE_SAMPLES
from cmaudio.signal.dsp import Float

_SWITCH_SAMPLES = 2048  # between the reverb and an impulse response
_MOST_SPACES = 3


class Unit(Protocol):
    """One effect."""

    @property
    def tail(self) -> float: ...
    @property
    def silent(self) -> bool: ...
    def skip(self, samples: int) -> None: ...
    def process(self, x: Float, out: Float) -> None: ...


class Units:
    """All effects of a rack, at the same position of the clock.

    Args:
        sample_rate: Hz.
        seed: of the random modulation.
        position: sample of the clock at which they start.
    """

    def __init__(self, sample_rate: int, seed: int, position: int = 0) -> None:
        self.sample_rate, self._position = sample_rate, 0
        self.reverb, self.chorus, self.delay = Reverb(sample_rate, seed), Chorus(sample_rate, seed), Delay(sample_rate)
        self._spaces: list[Reverb | Convolution] = [self.reverb]  # the last one gets input, the others ring out
        self._switched_at = -_SWITCH_SAMPLES
        self._silence = np.zeros((PIECE_SAMPLES, 2), np.float32)
        self._fed = np.zeros((PIECE_SAMPLES, 2), np.float32)
        self._weights = np.minimum(1, np.arange(_SWITCH_SAMPLES + PIECE_SAMPLES) / _SWITCH_SAMPLES)
        self._weights = self._weights.astype(np.float32)[:, None]
        self.skip(position)

    def set(self, values: Mapping[str, float], tempo: float) -> None:
        """Apply these values of all settings, and a tempo in beats per minute."""
        self.reverb.set(
            REVERB_KINDS[round(values["reverb_kind"])],
            values["reverb_decay"],
            values["reverb_damping"],
            values["reverb_predelay"],
            values["reverb_size"],
        )
        seconds = values["delay_beats"] * 60 / tempo
        self.delay.set(seconds, values["delay_feedback"], values["delay_damping"], round(values["delay_ping_pong"]))

    def use_space(self, convolution: Convolution | None) -> None:
        """Feed a convolution, or for None the reverb, from now on; the previous one rings out."""
        space = convolution or self.reverb
        if space is self._spaces[-1]:
            return
        if space in self._spaces:
            self._spaces.remove(space)
        elif convolution is not None:
            convolution.skip(self._position)
        self._spaces = [*self._spaces, space][-_MOST_SPACES:]
        if self.reverb not in self._spaces:
            self._spaces.insert(0, self.reverb)
        self._switched_at = self._position

    @property
    def silent(self) -> bool:
        """Whether no tail is ringing."""
        return all(unit.silent for unit in (*self._spaces, self.chorus, self.delay))

    @property
    def tail(self) -> float:
        """Seconds until all input has decayed by 100 dB."""
        return max(self._spaces[-1].tail, self.chorus.tail, self.delay.tail)

    def skip(self, samples: int) -> None:
        """Advance the clock over silence."""
        self._position += samples
        for unit in (*self._spaces, self.chorus, self.delay):
            unit.skip(samples)

    def process(self, main: Float, sends: Mapping[str, Float]) -> None:
        """Add the effects of the sends, at most `PIECE_SAMPLES`, to `main` (n, 2)."""
        self._add(self.chorus, sends.get("chorus"), main)
        self._add(self.delay, sends.get("delay"), main)
        self._add_spaces(sends.get("reverb"), main)
        self._position += len(main)

    def _add_spaces(self, sent: Float | None, main: Float) -> None:
        since = self._position - self._switched_at
        for space in self._spaces[:-1]:
            fading = sent is not None and since < _SWITCH_SAMPLES and space is self._spaces[-2]
            self._add(space, self._weighted(sent, since, last=False) if fading else None, main)
        if sent is not None and since < _SWITCH_SAMPLES:
            sent = self._weighted(sent, since, last=True)
        self._add(self._spaces[-1], sent, main)
        if len(self._spaces) > 1 and since >= _SWITCH_SAMPLES:
            ended = [space for space in self._spaces[:-1] if space.silent and space is not self.reverb]
            self._spaces = [space for space in self._spaces if space not in ended]

    def _weighted(self, sent: Float | None, since: int, *, last: bool) -> Float:
        assert sent is not None
        fed, weights = self._fed[: len(sent)], self._weights[since : since + len(sent)]
        return np.multiply(sent, weights if last else 1 - weights, out=fed)

    def _add(self, unit: Unit, sent: Float | None, main: Float) -> None:
        if sent is not None:
            unit.process(sent, main)
        elif unit.silent:
            unit.skip(len(main))
        else:
            unit.process(self._silence[: len(main)], main)
