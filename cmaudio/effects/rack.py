"""All effects of an instrument: reverb, chorus and delay on sends, and the user's inserts.

The loops are loaded when something is first sent, so an instrument without effects starts as fast as before. All
settings change at multiples of 64 samples of the clock: the same seed and the same events give the same samples,
whatever the block sizes.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from cmaudio.effects.insert import Inserts
from cmaudio.effects.settings import SETTINGS, TEMPO, checked_setting
from cmaudio.effects.unit_clock import PIECE_SAMPLES, QUANTUM
from cmaudio.faults import Faults
from cmaudio.signal.dsp import Float

if TYPE_CHECKING:
    from cmaudio.effects.convolution import Convolution
    from cmaudio.effects.units import Units

_Planned = tuple[int, int, Callable[[], None]]
MODULATED_SAMPLES = 512
_JITTER = 1e-3  # of a tempo
_FADE_SAMPLES = 256  # until a silenced rack is silent
_REST_SECONDS = 1.0  # after a failure, so that one that persists costs little


class EffectsRack:
    """Reverb, chorus, delay and inserts after the voices. Settings may be scheduled from any thread; one thread mixes.

    Args:
        sample_rate: Hz.
        seed: of the random modulation in the effects.
        in_background: load the loops on another thread and skip the effects until then; otherwise wait.
        faults: receives an error of loading them in the background.

    Attributes:
        inserts: the user's functions, which come last.
        in_background: see above.
        modulation: returns offsets of settings at a sample of the clock; called at multiples of `MODULATED_SAMPLES`.
    """

    def __init__(
        self, sample_rate: int, seed: int = 0, *, in_background: bool = False, faults: Faults | None = None
    ) -> None:
        self.sample_rate, self.seed = sample_rate, seed
        self.inserts = Inserts(sample_rate)
        self._values = {name: setting.default for name, setting in SETTINGS.items()}
        self._tempo = TEMPO
        self._space: Convolution | None = None
        self._inbox: deque[_Planned] = deque()  # append is atomic, so senders need no lock
        self._pending: list[_Planned] = []
        self._order = itertools.count()
        self._position = self._block_end = self._resumes_at = 0
        self._fade_left = 0
        self._faults = faults or Faults()
        self.in_background = in_background
        self._loading: threading.Thread | None = None
        self._units: Units | None = None
        self._loaded = False
        self.modulation: Callable[[int], Mapping[str, float]] | None = None

    # -- settings ----------------------------------------------------------------------------------------------------

    def set(self, name: str, value: float, at: int | None = None) -> None:
        """Change a setting from a sample of the clock on, None for now.

        Raises CmaudioError for an unknown name or a value out of range.
        """
        checked = checked_setting(name, value)
        self._plan(at, lambda: self._values.__setitem__(name, checked))

    def set_tempo(self, tempo: float, at: int | None = None) -> None:
        """Change the tempo of the delay, in beats per minute; changes due to clock jitter are ignored."""

        def change() -> None:
            if abs(tempo / self._tempo - 1) > _JITTER:
                self._tempo = tempo

        self._plan(at, change)

    def use_space(self, convolution: Convolution | None, at: int | None = None) -> None:
        """Replace the reverb by a convolution; None restores the reverb."""

        def change() -> None:
            self._space = convolution

        self._plan(at, change)

    def silence(self, at: int | None = None) -> None:
        """Fade out all tails within 5 ms, and restart from silence."""

        def begin() -> None:
            self._fade_left = _FADE_SAMPLES if self._units is not None else 0

        self._plan(at, begin)

    def _plan(self, at: int | None, change: Callable[[], None]) -> None:
        self._inbox.append((0 if at is None else at, next(self._order), change))

    # -- sound -------------------------------------------------------------------------------------------------------

    @property
    def silent(self) -> bool:
        """Whether no tail is ringing."""
        return self._units is None or self._units.silent

    @property
    def tail(self) -> float:
        """Seconds until everything that was sent has decayed by 100 dB; 0 before anything was sent."""
        return 0.0 if self._units is None else self._units.tail

    def process(self, main: Float, sends: Mapping[str, Float]) -> None:
        """Add the effects to `main`, in place.

        Args:
            main: (n, 2) float32, the mix.
            sends: (n, 2) float32 of "reverb", "chorus" and "delay"; missing ones are silent.
        """
        done, self._block_end = 0, self._position + len(main)
        while done < len(main):
            if self._position % QUANTUM == 0:
                self._change()
            end = min(len(main), done + PIECE_SAMPLES, done + self._until_change())
            if self._fade_left:
                end = min(end, done + self._fade_left)
                self._fade(main[done:end])
            else:
                self._process(main[done:end], {name: sent[done:end] for name, sent in sends.items()})
            self._position += end - done
            done = end
        self.inserts.process(main)

    def _process(self, main: Float, sends: Mapping[str, Float]) -> None:
        if self._units is None and sends and self._position >= self._resumes_at:
            self._load()
        if self._units is not None:
            self._units.process(main, sends)

    def recover(self) -> None:
        """The last call of `process` failed: leave its block, and start again from silence after a second."""
        self._position, self._units, self._fade_left = self._block_end, None, 0
        self._resumes_at = self._position + round(_REST_SECONDS * self.sample_rate)

    def _fade(self, main: Float) -> None:
        """Add the fading tails; after that all effects are new."""
        assert self._units is not None
        wet = np.zeros_like(main)
        self._units.process(wet, {})
        main += wet * ((self._fade_left - np.arange(len(main))) / _FADE_SAMPLES).astype(np.float32)[:, None]
        self._fade_left -= len(main)
        if not self._fade_left:
            self._units = self._begin(self._position + len(main))

    def _until_change(self) -> int:
        """Samples until the next scheduled or modulated setting takes effect."""
        most = PIECE_SAMPLES
        if self.modulation is not None:
            most = MODULATED_SAMPLES - self._position % MODULATED_SAMPLES
        if not self._pending:
            return most
        at = -(-max(self._pending[0][0], self._position + 1) // QUANTUM) * QUANTUM
        return min(most, at - self._position)

    def _change(self) -> None:
        changed = False
        while self._inbox:
            heapq.heappush(self._pending, self._inbox.popleft())
        while self._pending and self._pending[0][0] <= self._position:
            heapq.heappop(self._pending)[2]()
            changed = True
        changed |= self.modulation is not None and self._position % MODULATED_SAMPLES == 0
        if changed and self._units is not None:
            self._update(self._units)

    def _update(self, units: Units) -> None:
        units.set(self._modulated_values(), self._tempo)
        units.use_space(self._space)

    def _modulated_values(self) -> Mapping[str, float]:
        """All settings including modulation, clamped to their ranges."""
        if self.modulation is None:
            return self._values
        added = self.modulation(self._position - self._position % MODULATED_SAMPLES)
        limits = {name: SETTINGS[name] for name in added}
        moved = {n: min(of.max, max(of.min, self._values[n] + added[n])) for n, of in limits.items()}
        return self._values | moved

    # -- loading -----------------------------------------------------------------------------------------------------

    def expect(self) -> None:
        """Load the loops soon, if that happens in the background, since something will be sent."""
        if self.in_background and self._loading is None:
            self._loading = threading.Thread(
                target=self._faults.attempt,
                args=("reverb, chorus and delay stay silent", self._load_elsewhere),
                name="cmaudio-effects",
                daemon=True,
            )
            self._loading.start()

    def _load(self) -> None:
        """Start loading the effects; in the background, they join in once they are loaded."""
        self.expect()
        if not self.in_background:
            from cmaudio.effects.compiling import load

            load()
            self._loaded = True
        if self._loaded:
            self._units = self._begin(self._position)

    def _load_elsewhere(self) -> None:
        from cmaudio.effects.compiling import are_compiled, compile_elsewhere, load

        if not are_compiled():
            compile_elsewhere()
        load()
        self._loaded = True

    def _begin(self, position: int) -> Units:
        """Silent effects with the current settings, at a sample of the clock."""
        from cmaudio.effects.units import Units

        units = Units(self.sample_rate, self.seed, position)
        self._update(units)
        return units
