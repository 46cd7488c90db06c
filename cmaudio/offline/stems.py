"""Stems: the parts of a rendering, each in its own file.

FOLDER/01-flute.wav     MIDI channel 1, named after its first timbre
FOLDER/effects.wav      the output of the effects, if any

They are 32-bit float files that start together, have the same length, and add up to the mix before the limiter.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import numpy as np

from cmaudio.engine.buses import EFFECTS_STEM
from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.files.audio_file import AudioFileWriter
from cmaudio.files.names import file_stem
from cmaudio.files.reading import as_path, reason
from cmaudio.score.events import PERCUSSION_CHANNEL, Event, NoteOn
from cmaudio.signal.dsp import Float

_SUFFIX = ".wav"
_SILENCE_SAMPLES = 2**16


class StemFiles:
    """A context manager that follows an engine. A stem's file starts with its first sound.

    Args:
        folder: created if it is missing; it must not hold sound files yet.
        engine: a stereo engine.

    Raises:
        CmaudioError: a folder that cannot be used, or a mono engine.
    """

    def __init__(self, folder: str | Path, engine: Engine) -> None:
        self._folder, self._engine = as_path(folder).expanduser(), engine
        self._pending: dict[int, list[Float]] = {}  # made and not written yet
        self._writers: dict[int, AudioFileWriter] = {}
        self._names: dict[int, str] = {}
        self._made = self._written = 0
        engine.take_stems(self._take)  # refuses a mono engine, before a folder is created
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            known = sorted(self._folder.glob(f"*{_SUFFIX}"))
        except OSError as error:
            raise CmaudioError(
                f"{folder}: is not a folder and cannot become one ({reason(error)}). Choose another folder for stems."
            ) from error
        if known:
            raise CmaudioError(f"{folder} holds {known[0].name} already. Choose a new folder for the stems.")
        engine.allocator.listeners.subscribe(self._name)

    def __enter__(self) -> StemFiles:
        self._files = ExitStack()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.take_stems(None)
        self._files.__exit__(kind, error, trace)

    def expect(self, frames: int) -> None:
        """Announce how many frames will be written. Raises CmaudioError, before the work, if they do not fit."""
        if frames > (room := self._new_writer(EFFECTS_STEM).room_frames):
            hours = room / self._engine.sample_rate / 3600
            raise CmaudioError(
                f"{self._folder}: stems are WAV files of 4 GiB at most, {hours:.1f} hours. Render the piece in parts, "
                "or without stems."
            )

    def write(self, samples: int) -> None:
        """Write the next samples of all stems; the engine must have made them."""
        for channel, blocks in self._pending.items():
            whole = np.concatenate(blocks)
            self._writer(channel).write(whole[:samples])
            self._pending[channel] = [whole[samples:]]
        self._written += samples

    def _take(self, count: int, stems: Mapping[int, Float]) -> None:
        for channel in stems.keys() | self._pending.keys():
            missing = self._made - self._written
            blocks = self._pending.setdefault(channel, [np.zeros((missing, 2), np.float32)])
            blocks.append(stems[channel] if channel in stems else np.zeros((count, 2), np.float32))
        self._made += count

    def _name(self, at: int, event: Event) -> None:
        if isinstance(event, NoteOn) and event.channel not in self._names:
            is_drum = event.channel == PERCUSSION_CHANNEL
            self._names[event.channel] = "drums" if is_drum else self._engine.model.programs.get(event.program, "")

    def _writer(self, channel: int) -> AudioFileWriter:
        if channel not in self._writers:
            writer = self._files.enter_context(self._new_writer(channel))
            self._writers[channel] = writer
            for start in range(0, self._written, _SILENCE_SAMPLES):
                writer.write(np.zeros((min(_SILENCE_SAMPLES, self._written - start), 2), np.float32))
        return self._writers[channel]

    def _new_writer(self, channel: int) -> AudioFileWriter:
        return AudioFileWriter(self._path(channel), self._engine.sample_rate, "FLOAT", self._engine.channels)

    def _path(self, channel: int) -> Path:
        if channel == EFFECTS_STEM:
            return self._folder / f"effects{_SUFFIX}"
        name = self._names.get(channel)
        return self._folder / f"{channel + 1:02d}-{file_stem(name) if name else 'part'}{_SUFFIX}"
