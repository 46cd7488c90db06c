"""All effects of an instrument: what channels send to reverb, chorus and delay, and the user's own functions.

The loops are loaded with the first sound that is sent, so an instrument without effects starts as fast as before. All
settings change at multiples of 64 samples of the clock: the same seed and the same events give the same samples,
whatever the sizes of the blocks.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from cmaudio.checks import in_range
from cmaudio.effects.insert import Inserts
from cmaudio.effects.settings import SETTINGS
from cmaudio.errors import CmaudioError
from cmaudio.signal.dsp import Float

if TYPE_CHECKING:
    from cmaudio.effects.convolution import Convolution
    from cmaudio.effects.units import Units

QUANTUM = 64
TEMPO = 120.0
_PIECE_SAMPLES = 4096


class EffectsRack:
    """Reverb, chorus, delay and inserts behind the voices. Everything but `inserts` belongs to the thread that mixes.

    Args:
        sample_rate: Hz.
        seed: of what moves in the effects.
        in_background: load the loops on another thread, and leave out what is sent until then; otherwise wait.

    Attributes:
        inserts: the user's functions, which come last.
    """

    def __init__(self, sample_rate: int, seed: int = 0, *, in_background: bool = False) -> None:
        self.sample_rate, self.seed = sample_rate, seed
        self.inserts = Inserts(sample_rate)
        self._values = {name: setting.default for name, setting in SETTINGS.items()}
        self._tempo = TEMPO
        self._space: Convolution | None = None
        self._pending: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._position = 0
        self._in_background = in_background
        self._loading: threading.Thread | None = None
        self._units: Units | None = None
        self._loaded: Units | None = None

    # -- settings ----------------------------------------------------------------------------------------------------

    def set(self, name: str, value: float, at: int = 0) -> None:
        """Change a setting from a sample of the clock on. Raises CmaudioError for an unknown name or value."""
        setting = SETTINGS.get(name)
        if setting is None:
            raise CmaudioError(f"no setting {name!r} of the effects; there are {', '.join(SETTINGS)}")
        checked = in_range(name, value, setting.min, setting.max, setting.unit)
        self._plan(at, lambda: self._values.__setitem__(name, float(round(checked)) if setting.whole else checked))

    def set_tempo(self, tempo: float, at: int = 0) -> None:
        """Change the tempo of the delay, in beats a minute."""

        def change() -> None:
            self._tempo = tempo

        self._plan(at, change)

    def use_space(self, convolution: Convolution | None, at: int = 0) -> None:
        """Replace the reverb by a convolution, or None for the reverb again."""

        def change() -> None:
            self._space = convolution

        self._plan(at, change)

    def _plan(self, at: int, change: Callable[[], None]) -> None:
        heapq.heappush(self._pending, (at, next(self._order), change))

    # -- sound -------------------------------------------------------------------------------------------------------

    @property
    def silent(self) -> bool:
        """Whether nothing rings."""
        return self._units is None or self._units.silent

    @property
    def tail(self) -> float:
        """Seconds until everything that was sent is 100 dB lower; 0 before anything was sent."""
        return 0.0 if self._units is None else self._units.tail

    def process(self, main: Float, sends: Mapping[str, Float]) -> None:
        """Add the effects to `main`, in place.

        Args:
            main: (n, 2) float32, the mix.
            sends: (n, 2) float32 of "reverb", "chorus" and "delay"; missing ones are silent.
        """
        done = 0
        while done < len(main):
            if self._position % QUANTUM == 0:
                self._change()
            end = min(len(main), done + _PIECE_SAMPLES, done + self._until_change())
            self._process(main[done:end], {name: sent[done:end] for name, sent in sends.items()})
            self._position += end - done
            done = end
        self.inserts.process(main)

    def _process(self, main: Float, sends: Mapping[str, Float]) -> None:
        if self._units is None and sends:
            self._load()
        if self._units is not None:
            self._units.process(main, sends)

    def _until_change(self) -> int:
        """Samples until the next setting that was planned takes effect."""
        if not self._pending:
            return _PIECE_SAMPLES
        at = -(-max(self._pending[0][0], self._position + 1) // QUANTUM) * QUANTUM
        return at - self._position

    def _change(self) -> None:
        changed = False
        while self._pending and self._pending[0][0] <= self._position:
            heapq.heappop(self._pending)[2]()
            changed = True
        if changed and self._units is not None:
            self._update(self._units)

    def _update(self, units: Units) -> None:
        units.set(self._values, self._tempo)
        units.use_space(self._space)

    # -- loading -----------------------------------------------------------------------------------------------------

    def load(self) -> None:
        """Load the loops now, and compile them if this machine never did, which takes some seconds."""
        from cmaudio.effects.compiling import are_compiled, compile_elsewhere, load
        from cmaudio.effects.units import Units

        if self._in_background and not are_compiled():
            compile_elsewhere()
        load()
        self._loaded = Units(self.sample_rate, self.seed)

    def _load(self) -> None:
        """Have the effects loaded; in the background, they join in once they are."""
        if not self._in_background:
            self.load()
        elif self._loading is None:
            self._loading = threading.Thread(target=self.load, name="cmaudio-effects", daemon=True)
            self._loading.start()
        if self._loaded is not None:
            self._loaded.skip(self._position)
            self._update(self._loaded)
            self._units = self._loaded
