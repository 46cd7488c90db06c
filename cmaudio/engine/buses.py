"""The buses of a stereo mix: main, effect sends, stems of the separate parts, and output pairs.

Voices are added as rows left and right, (2, N); effects process (N, 2), the layout of sound files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from cmaudio.checks import whole_number
from cmaudio.errors import CmaudioError
from cmaudio.signal.dsp import Float

_Key = TypeVar("_Key", int, str)
EFFECTS_STEM = -1  # the effects' contribution to the sum of the stems
OnStems = Callable[[int, Mapping[int, Float]], object]
"""Called with N and the stems of every mix, (N, 2) by MIDI channel or `EFFECTS_STEM`; silent ones may be missing.

They add up to the input of the limiter.
"""


ProcessMix = Callable[[Float, Mapping[str, Float]], object]
"""`Effects.process`."""
MAX_PAIRS = 32


@dataclass(frozen=True)
class Outputs:
    """The number of output pairs, and the number (from 1) of the pair that plays the mix and the effects."""

    pairs: int = 1
    main: int = 1

    @classmethod
    def checked(cls, pairs: int, main: int, channels: int) -> Outputs:
        """The outputs of an engine. Raises CmaudioError for numbers out of range, and for pairs of a mono engine."""
        outputs = cls(whole_number("pairs", pairs, 1, MAX_PAIRS), whole_number("pair", main, 1, pairs))
        if channels == 1 and pairs > 1:
            raise CmaudioError("a mono instrument has no output pairs; use channels=2")
        return outputs

    def checked_pair(self, pair: int | None) -> int | None:
        """`pair` if it exists, or None for the mix. Raises CmaudioError for any other."""
        if pair is not None and (isinstance(pair, bool) or pair not in range(1, self.pairs + 1)):
            raise CmaudioError(
                f"there is no output pair {pair!r}: {self.pairs} are open; open more with pairs= or --pairs"
            )
        return pair


MAIN_ONLY = Outputs()


class Effects(Protocol):
    """The processing between the mixer and the limiter."""

    @property
    def silent(self) -> bool:
        """Whether all tails have died away."""

    def process(self, main: Float, sends: Mapping[str, Float]) -> None:
        """Change `main` (N, 2) in place, or (N, 1) without sends; N is any multiple of 64.

        A missing send bus is silent. Every sample of the engine's clock passes once, in order; the result must not
        depend on the block sizes.
        """

    def recover(self) -> None:
        """The last call of `process` failed, and its block was left dry: continue from silence."""


class Buses:
    """Silent buses of N samples. Sends, stems and output pairs are created when something is added to them.

    Args:
        samples: N.
        with_stems: also keep the channels separate.
        outputs: the output pairs that `finish` fills.
    """

    def __init__(self, samples: int, with_stems: bool = False, outputs: Outputs = MAIN_ONLY) -> None:
        self._outputs = outputs
        self._direct: dict[int, Float] = {}
        self._main = np.zeros((2, samples), np.float32)
        self._sends: dict[str, Float] = {}
        self._stems: dict[int, Float] | None = {} if with_stems else None

    def add(self, channel: int, start: int, samples: Float, pair: int | None = None) -> None:
        """Add a voice's samples (2, n) from sample `start` on, to the main mix or to an output pair."""
        bus = self._main
        if pair is not None and pair != self._outputs.main:
            bus = self._bus(self._direct, pair)
        _add(bus, start, samples)
        if self._stems is not None:
            _add(self._bus(self._stems, channel), start, samples)

    def send(self, name: str, start: int, samples: Float) -> None:
        """Add a voice's samples (2, n) to the bus of an effect, from sample `start` on."""
        _add(self._bus(self._sends, name), start, samples)

    def _bus(self, buses: dict[_Key, Float], key: _Key) -> Float:
        if key not in buses:
            buses[key] = np.zeros_like(self._main)
        return buses[key]

    def finish(self, level: float, process: ProcessMix | None, gain: Float | float, on_stems: OnStems | None) -> Float:
        """The mix (N, 2 pairs): voices at `level`, effects in the main pair, then the master gain, a number or (N,)."""
        main, scale = self._out(self._main, level), gain if isinstance(gain, float) else gain[:, None]
        dry = main.copy() if self._stems is not None else main
        if process is not None:
            process(main, {name: self._out(bus, level) for name, bus in self._sends.items()})
        if self._stems is not None and on_stems is not None:
            stems = {channel: self._out(bus, level) * scale for channel, bus in self._stems.items()}
            added = main - dry
            if added.any():
                stems[EFFECTS_STEM] = added * scale
            on_stems(len(main), stems)
        main *= scale
        return main if self._outputs.pairs == 1 else self._all_pairs(main, level, scale)

    def _all_pairs(self, main: Float, level: float, scale: Float | float) -> Float:
        """(N, 2 pairs)"""
        out = np.zeros((len(main), self._outputs.pairs, 2), np.float32)
        out[:, self._outputs.main - 1] = main
        for pair, bus in self._direct.items():
            out[:, pair - 1] = self._out(bus, level) * scale
        return out.reshape(len(main), -1)

    @staticmethod
    def _out(bus: Float, level: float) -> Float:
        """(2, N) -> (N, 2)"""
        return np.ascontiguousarray((bus * np.float32(level)).T)


def _add(bus: Float, start: int, samples: Float) -> None:
    """`bus[:, start:end] += samples` would look up and store the part as well."""
    part = bus[:, start : start + samples.shape[1]]
    part += samples
