"""A recorder that always runs: it keeps the last minutes of sound and events, which can be written to files afterwards.

It sits between the engine and the player. During a read it only copies a chunk and appends to a queue; files are
written by other threads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path

import numpy as np

from cmaudio.checks import in_range
from cmaudio.engine.engine import Engine
from cmaudio.engine.listeners import Listeners
from cmaudio.errors import CmaudioError
from cmaudio.files.audio_file import AudioFileWriter
from cmaudio.files.names import check_unused
from cmaudio.files.reading import expanded
from cmaudio.instrument.whole_notes import WholeNotes
from cmaudio.output.source import Source
from cmaudio.score.events import Event, NoteOff, NoteOn
from cmaudio.score.track import MidiTrackFile
from cmaudio.signal.dsp import Float
from cmaudio.signal.pairs import sum_of_pairs

MEMORY_SECONDS = 300.0
_SPARE_SECONDS = 10.0  # may be overwritten while the rest is being read
_EVENTS = 200_000
_CHUNK_SECONDS = 1.0


class Recorder(Source):
    """The engine as a source for a `Player`, with a memory of its recent sound and events.

    Attributes:
        recorded_channels: of the recording, 1 or 2; with several output pairs it is their sum.
        seconds: how much sound is kept in memory.
        made_samples: number of samples the engine has produced; positions in the recording count from the first.
    """

    def __init__(self, engine: Engine, seconds: float = MEMORY_SECONDS) -> None:
        self.engine, self.sample_rate = engine, engine.sample_rate
        self.seconds = in_range("seconds", seconds, 1, 3600, "of sound to keep")
        self.channels, self.recorded_channels = engine.outputs, engine.channels
        length = round((self.seconds + _SPARE_SECONDS) * self.sample_rate)
        self._ring = np.zeros(length if self.channels == 1 else (length, self.recorded_channels), np.float32)
        self.made_samples = 0
        self._events: deque[tuple[int, Event]] = deque(maxlen=_EVENTS)
        self._listeners = Listeners(engine.faults)
        engine.allocator.listeners.subscribe(self._remember)

    def read(self, n: int, /) -> Float:
        """The engine's next n samples."""
        out = self.engine.read(n)
        at = self.made_samples % len(self._ring)
        mix = sum_of_pairs(out)
        first = mix[: len(self._ring) - at]
        self._ring[at : at + len(first)] = first
        self._ring[: len(mix) - len(first)] = mix[len(first) :]
        self.made_samples += len(out)
        return out

    def prepare(self) -> bool:
        """Work ahead; see `Engine.prepare`."""
        return self.engine.prepare()

    def on_overload(self) -> None:
        """Pass an overload on to the engine."""
        self.engine.on_overload()

    def subscribe(self, listener: Callable[[int, Event], object]) -> Callable[[], None]:
        """Call `listener(at, event)` for every event; `at` is its sample. Returns a function that unsubscribes.

        It is called on the synthesis thread, up to a fraction of a second before the event sounds, and should only
        append to a queue.
        """
        return self._listeners.subscribe(listener)

    def _remember(self, at: int, event: Event) -> None:
        heard_at = at + self.engine.latency_samples
        self._events.append((heard_at, event))
        self._listeners.notify(heard_at, event)

    def samples(self, start: int, end: int) -> Iterator[Float]:
        """Samples `start` to `end`, in chunks; they must still be in memory."""
        step = round(_CHUNK_SECONDS * self.sample_rate)
        for first in range(start, end, step):
            places = np.arange(first, min(first + step, end)) % len(self._ring)
            yield self._ring[places]

    def events(self, start: int, end: int) -> list[tuple[int, Event]]:
        """The events of samples `start` to `end`, in order."""
        # The engine reports events nearly in order, at most a fraction of a second early.
        earliest = start - _SPARE_SECONDS * self.sample_rate
        late = takewhile(lambda pair: pair[0] >= earliest, reversed(tuple(self._events)))
        return sorted((pair for pair in reversed(list(late)) if start <= pair[0] < end), key=lambda pair: pair[0])

    def notes_down(self, at: int) -> list[NoteOn]:
        """The notes whose keys are down just before sample `at`, if their start is in memory."""
        down: dict[tuple[int, int], NoteOn] = {}
        earlier = (pair for pair in tuple(self._events) if pair[0] < at)
        for _, event in sorted(earlier, key=lambda pair: pair[0]):
            match event:
                case NoteOn(channel, pitch):
                    down[channel, pitch] = event
                case NoteOff(channel, pitch):
                    down.pop((channel, pitch), None)
        return list(down.values())

    def keep(self, path: str | Path, seconds: float | None = None) -> Path:
        """Write the most recent sound to a sound file, and its events to a .mid file of the same name.

        Notes that started earlier and are still held start with the MIDI file.

        Args:
            path: of the sound file.
            seconds: how much; by default all that is in memory.

        Returns:
            The path of the sound file.

        Raises:
            CmaudioError: a file that exists or cannot be written, or nothing has been played yet.
        """
        wanted = self.seconds if seconds is None else in_range("seconds", seconds, 0.1, self.seconds, "remembered")
        end = self.made_samples
        start = max(0, end - round(wanted * self.sample_rate))
        if start == end:
            raise CmaudioError("nothing has been played yet, so there is nothing to keep")
        path = expanded(path)
        check_unused(path, path.with_suffix(".mid"))
        events = self.events(start, end)
        with AudioFileWriter(path, self.sample_rate, channels=self.recorded_channels) as file:
            for chunk in self.samples(start, end):
                file.write(chunk)
        with MidiTrackFile(path.with_suffix(".mid")) as track:
            notes = WholeNotes(track, self.notes_down(start))
            for at, event in events:
                notes.add((at - start) / self.sample_rate, event)
            notes.end((end - start) / self.sample_rate)
        return path
