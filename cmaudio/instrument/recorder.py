"""What was played, remembered: the last minutes of sound with their events, to keep after the fact; and takes.

The recorder stands between the engine and the player: what is read from it is what the engine made, and is remembered.
Remembering copies a chunk and appends to a queue; files are written by other threads, at their own pace.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path

import numpy as np

from cmaudio.checks import in_range
from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.files.audio_file import AudioFileWriter
from cmaudio.output.source import Source
from cmaudio.score.events import Event, NoteOff, NoteOn
from cmaudio.score.track import MidiTrackFile
from cmaudio.signal.dsp import Float

MEMORY_SECONDS = 300.0
_SPARE_SECONDS = 10.0  # that may be overwritten while the memory is being read
_EVENTS = 200_000
_CHUNK_SECONDS = 1.0


class Recorder(Source):
    """The engine as a source for a `Player`, whose sound is remembered for `seconds`."""

    def __init__(self, engine: Engine, seconds: float = MEMORY_SECONDS) -> None:
        self.engine, self.sample_rate = engine, engine.sample_rate
        self.seconds = in_range("seconds", seconds, 1, 3600, "of sound to remember")
        self._ring = np.zeros(round((self.seconds + _SPARE_SECONDS) * self.sample_rate), np.float32)
        self.heard = 0  # samples made so far
        self._events: deque[tuple[int, Event]] = deque(maxlen=_EVENTS)
        self._listeners: tuple[Callable[[int, Event], object], ...] = ()
        engine.allocator.on_event = self._remember

    def read(self, n: int, /) -> Float:
        """The engine's next n samples."""
        out = self.engine.read(n)
        at = self.heard % len(self._ring)
        first = out[: len(self._ring) - at]
        self._ring[at : at + len(first)] = first
        self._ring[: len(out) - len(first)] = out[len(first) :]
        self.heard += len(out)
        return out

    def prepare(self) -> bool:
        """Use time to spare; see `Engine.prepare`."""
        return self.engine.prepare()

    def on_overload(self) -> None:
        """Tell the engine that it falls behind."""
        self.engine.on_overload()

    def subscribe(self, listener: Callable[[int, Event], object]) -> Callable[[], None]:
        """Have `listener(at, event)` called with all that happens, and its sample in `heard`. Returns what ends it.

        It is called on the synthesis thread, up to a fraction of a second before its time: it may append to a queue,
        and do no more.
        """
        self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            self._listeners = tuple(known for known in self._listeners if known is not listener)

        return unsubscribe

    def _remember(self, at: int, event: Event) -> None:
        heard_at = at + self.engine.latency_samples
        self._events.append((heard_at, event))
        for listener in self._listeners:
            listener(heard_at, event)

    def samples(self, start: int, end: int) -> Iterator[Float]:
        """Samples `start` to `end` of all that was made, in chunks; they must still be remembered."""
        step = round(_CHUNK_SECONDS * self.sample_rate)
        for first in range(start, end, step):
            places = np.arange(first, min(first + step, end)) % len(self._ring)
            yield self._ring[places]

    def events(self, start: int, end: int) -> list[tuple[int, Event]]:
        """What happened in samples `start` to `end`, in order."""
        # The engine tells of events nearly in order, a fraction of a second at most before their time.
        earliest = start - _SPARE_SECONDS * self.sample_rate
        late = takewhile(lambda pair: pair[0] >= earliest, reversed(tuple(self._events)))
        return sorted((pair for pair in reversed(list(late)) if start <= pair[0] < end), key=lambda pair: pair[0])

    def keep(self, path: str | Path, seconds: float | None = None) -> Path:
        """Write the last `seconds` (all that is remembered by default) to a .wav or .flac, and their events to a .mid.

        Notes that began earlier are heard in the sound and missing in the MIDI file. Returns the sound file's path.
        Raises CmaudioError for a file that cannot be written, and where nothing was played yet.
        """
        wanted = self.seconds if seconds is None else in_range("seconds", seconds, 0.1, self.seconds, "remembered")
        end = self.heard
        start = max(0, end - round(wanted * self.sample_rate))
        if start == end:
            raise CmaudioError("nothing was played yet: there is nothing to keep")
        path = Path(path)
        events = self.events(start, end)
        with AudioFileWriter(path, self.sample_rate) as file:
            for chunk in self.samples(start, end):
                file.write(chunk)
        with MidiTrackFile(path.with_suffix(".mid")) as track:
            sounding: set[tuple[int, int]] = set()
            for at, event in events:
                add_whole(track, (at - start) / self.sample_rate, event, sounding)
            end_notes(track, (end - start) / self.sample_rate, sounding)
        return path


def add_whole(track: MidiTrackFile, seconds: float, event: Event, sounding: set[tuple[int, int]]) -> None:
    """Add an event, unless it ends a note that is not `sounding` in the file."""
    match event:
        case NoteOn(channel, pitch):
            sounding.add((channel, pitch))
        case NoteOff(channel, pitch):
            if (channel, pitch) not in sounding:
                return
            sounding.remove((channel, pitch))
    track.add(seconds, event)


def end_notes(track: MidiTrackFile, seconds: float, sounding: set[tuple[int, int]]) -> None:
    """End what still sounds, and the file."""
    for channel, pitch in sorted(sounding):
        track.add(seconds, NoteOff(channel, pitch))
    sounding.clear()
    track.flush(seconds)
