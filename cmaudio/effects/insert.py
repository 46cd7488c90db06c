"""User functions in the signal chain, monitored so that none can stop the sound."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from cmaudio.callbacks import call_guarded
from cmaudio.errors import CmaudioError
from cmaudio.signal.dsp import Float

InsertFunction = Callable[[Float], Float]
_LATE_SHARE, _LATE_BLOCKS = 0.5, 4
_LOAD_SECONDS = 1.0  # time constant of the measured load
_FADE_SAMPLES = 64


class Insert:
    """One function in the chain.

    Args:
        function: takes (n, channels) float32 samples and returns the same shape; n varies from call to call. It may
            change and return the array that it is given, which is valid only during the call.
        sample_rate: Hz.
        on_notice: called with one line when it is bypassed.
        live: also bypass it when it takes over half of a block's time, four blocks in a row.

    Attributes:
        load: its share of the available time, averaged over about a second.
        problem: why it is bypassed; None while it is active.
        remove: takes it out of the chain.
        fades_in: start with a short fade, since sound was playing before it.
        removed: pass the sound through, after a short fade.
    """

    def __init__(
        self,
        function: InsertFunction,
        sample_rate: int,
        on_notice: Callable[[str], object] | None = None,
        live: bool = False,
    ) -> None:
        self.function, self.name = function, getattr(function, "__name__", type(function).__name__)
        self.load = 0.0
        self.remove: Callable[[], object] = lambda: None
        self.problem: str | None = None
        self.fades_in = self.removed = False
        self._sample_rate, self._on_notice, self._live = sample_rate, on_notice, live
        self._late = 0
        self._scratch = np.zeros((0, 0), np.float32)
        self._last: Float | None = None  # its last output, from which a bypass or a removal fades

    def process(self, block: Float) -> None:
        """Replace `block` (n, channels) by the function's output; unchanged while bypassed."""
        if self.removed:
            self._fade_out(block)
            return
        if self.problem is not None or not len(block):
            return
        if self._scratch.shape[0] < len(block) or self._scratch.shape[1] != block.shape[1]:
            self._scratch = np.zeros(block.shape, np.float32)
        given = self._scratch[: len(block)]
        given[:] = block
        began_s = time.perf_counter()
        try:
            result = np.asarray(self.function(given))
        except (Exception, SystemExit) as error:  # SystemExit would end the thread of a live instrument
            self._bypass(f"it raised {type(error).__name__}: {error}", block)
            return
        took_s = time.perf_counter() - began_s
        problem = self._problem_of(result, block) or self._lateness(took_s, len(block) / self._sample_rate)
        if problem is not None:
            self._bypass(problem, block)
            return
        if self.fades_in:
            self._fade_in(result, block)
        else:
            block[:] = result
        self._last = block[-1].copy()

    @property
    def gone(self) -> bool:
        """Whether it was removed and has faded out."""
        return self.removed and self._last is None

    def _problem_of(self, result: np.ndarray, block: Float) -> str | None:
        if result.shape == () and result.item() is None:
            return f"it returned nothing instead of the shape {block.shape}"
        if result.shape != block.shape:
            return f"it returned the shape {result.shape} for {block.shape}"
        if result.dtype.kind != "f":
            return f"it returned {result.dtype} instead of float32"
        return None if np.isfinite(result).all() else "it returned NaN or infinity"

    def _lateness(self, took_s: float, block_s: float) -> str | None:
        share = took_s / block_s
        self.load += (share - self.load) * min(1.0, block_s / _LOAD_SECONDS)
        self._late = self._late + 1 if self._live and share > _LATE_SHARE else 0
        if self._late < _LATE_BLOCKS:
            return None
        return f"it took {1000 * took_s:.1f} ms for a block of {1000 * block_s:.1f} ms, {_LATE_BLOCKS} times in a row"

    def _fade_in(self, result: np.ndarray, block: Float) -> None:
        self.fades_in = False
        count = min(_FADE_SAMPLES, len(block))
        fade = np.linspace(0, 1, count, endpoint=False, dtype=np.float32)[:, None]
        block[:count] += (result[:count] - block[:count]) * fade
        block[count:] = result[count:]

    def _fade_out(self, block: Float) -> None:
        if self._last is None or not len(block):
            return
        count = min(_FADE_SAMPLES, len(block))
        fade = np.linspace(1, 0, count, endpoint=False, dtype=np.float32)[:, None]
        block[:count] += (self._last - block[0]) * fade
        self._last = None

    def _bypass(self, problem: str, block: Float) -> None:
        """Bypass it from this block on, without a click."""
        self.problem = problem
        self._fade_out(block)
        if self._on_notice is not None:
            notice = f"the insert {self.name!r} is bypassed: {problem}; fix it and insert it again"
            call_guarded(self._on_notice, notice)


class Inserts:
    """The functions in their order. Adding and removing is allowed from any thread."""

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._chain: tuple[Insert, ...] = ()
        self._begun = False

    def __iter__(self) -> Iterator[Insert]:
        return (insert for insert in self._chain if not insert.removed)

    def add(
        self, function: InsertFunction, on_notice: Callable[[str], object] | None = None, live: bool = False
    ) -> Insert:
        """Add a function at the end; see `Insert`.

        Raises CmaudioError if `function` is not callable.
        """
        if not callable(function):
            raise CmaudioError(f"an insert is a function of (n, channels) float32 blocks, not {function!r}")
        insert = Insert(function, self._sample_rate, on_notice, live)
        insert.remove = partial(self.remove, insert)
        insert.fades_in = self._begun
        self._chain = (*self._chain, insert)
        return insert

    def remove(self, insert: Insert) -> None:
        """Take a function out; one that is not in the chain is ignored."""
        insert.removed = True
        self._chain = tuple(each for each in self._chain if not each.gone)  # the others have to fade first

    def process(self, block: Float) -> None:
        """Run all functions on `block` (n, channels), in place."""
        for insert in self._chain:
            insert.process(block)
        self._begun = self._begun or len(block) > 0
