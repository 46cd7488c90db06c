"""An Ableton Link session: programs on one network that share tempo, beat, start and stop.

The package LinkPython-extern contains Ableton's code, which is GPL-2.0-or-later; it is imported only when a session is
opened. Its clock counts microseconds; here every time is in seconds of `time.perf_counter`.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from cmaudio.errors import CmaudioError

LINK_TEMPO_RANGE = (20.0, 999.0)
_READINGS = 5


@dataclass(frozen=True)
class SessionState:
    """A snapshot of a session.

    Attributes:
        peers: number of other programs.
        tempo: beats per minute.
        playing: whether its transport runs.
        since: when that started or ended, or will.
        beat_at: the beat at a time.
    """

    peers: int
    tempo: float
    playing: bool
    since: float
    beat_at: Callable[[float], float]


class LinkSession(Protocol):
    """A session; its methods are called by one thread at a time."""

    def state(self) -> SessionState: ...
    def set_tempo(self, tempo: float, seconds: float) -> None: ...
    def set_playing(self, playing: bool, seconds: float) -> None: ...

    def set_beat(self, beat: float, seconds: float) -> None:
        """Move the beat, for a session without peers; others are never moved."""
        ...

    def close(self) -> None: ...


class NetworkSession:
    """The session of this network.

    Args:
        tempo: beats per minute, unless others are there already.
        quantum: beats per bar: the phase within it is shared.
        start_stop: whether start and stop are shared.

    Raises:
        CmaudioError: the package is missing.
    """

    def __init__(self, tempo: float, quantum: float, start_stop: bool) -> None:
        self._link = _library().Link(min(LINK_TEMPO_RANGE[1], max(LINK_TEMPO_RANGE[0], tempo)))
        self._clock, self._quantum = self._link.clock(), quantum
        self._link.startStopSyncEnabled = start_stop
        self._link.enabled = True

    def state(self) -> SessionState:
        """The current state."""
        state, offset, quantum = self._link.captureAppSessionState(), self._offset(), self._quantum

        def beat_at(seconds: float) -> float:
            return float(state.beatAtTime(round(seconds * 1e6 + offset), quantum))

        since = (state.timeForIsPlaying() - offset) / 1e6
        return SessionState(self._link.numPeers(), state.tempo(), state.isPlaying(), since, beat_at)

    def set_tempo(self, tempo: float, seconds: float) -> None:
        """Change the tempo for all peers."""
        self._commit(lambda state, micros: state.setTempo(tempo, micros), seconds)

    def set_playing(self, playing: bool, seconds: float) -> None:
        """Start or stop all peers that share start and stop."""
        self._commit(lambda state, micros: state.setIsPlaying(playing, micros), seconds)

    def set_beat(self, beat: float, seconds: float) -> None:
        """Move the beat."""
        self._commit(lambda state, micros: state.requestBeatAtTime(beat, micros, self._quantum), seconds)

    def close(self) -> None:
        """Leave the session."""
        self._link.enabled = False

    def _commit(self, change: Callable[[Any, int], object], seconds: float) -> None:
        state = self._link.captureAppSessionState()
        change(state, round(seconds * 1e6 + self._offset()))
        self._link.commitAppSessionState(state)

    def _offset(self) -> float:
        """Microseconds of Link's clock minus those of ours; they drift if only one of them is disciplined."""
        readings = []
        for _ in range(_READINGS):
            before = time.perf_counter()
            micros = self._clock.micros()
            after = time.perf_counter()
            readings.append((after - before, micros - (before + after) / 2 * 1e6))
        return min(readings)[1]


def _library() -> Any:
    try:
        library = importlib.import_module("link")
    except ImportError as error:
        raise CmaudioError(_missing(f"which cannot be loaded ({error})")) from error
    if not hasattr(library, "Link"):
        raise CmaudioError(_missing(f"but {getattr(library, '__file__', 'something else')} is imported as `link`"))
    return library


def _missing(why: str) -> str:
    return (
        f"Ableton Link needs the package LinkPython-extern, {why}: pip install 'cmaudio[link]' "
        "(it contains Ableton's code, GPL-2.0-or-later)"
    )
