"""Recording to disk: a sound file and a MIDI file that are valid after every write, even if the program crashes."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
import soundfile

from cmaudio.callbacks import call_guarded
from cmaudio.errors import CmaudioError
from cmaudio.files.atomic import atomic_file
from cmaudio.files.names import check_unused, sound_path
from cmaudio.files.reading import expanded
from cmaudio.instrument.recorder import Recorder
from cmaudio.instrument.wav_parts import WavParts
from cmaudio.instrument.whole_notes import WholeNotes
from cmaudio.score.track import MidiTrackFile
from cmaudio.signal.dsp import Float

_EVERY_SECONDS = 0.4
_BYTES = 3  # 24 bit
_SUFFIXES = (".wav", ".flac")


class Take:
    """One recording. It starts when it is created and ends with `stop`, or as a context manager.

    Sound is written as 24-bit WAV, with the header updated at every write; .flac is compressed at the end, and until
    then the sound is in a .wav file of the same name. At 4 GiB the recording continues in another file, with -2 added
    to its name, with a notice. Events are written to a .mid file of the same name, which starts with the notes that are
    already held. A later error (a full disk) ends the take, keeps what was written, and is raised by `stop`; the
    instrument plays on.

    Args:
        recorder: the recorder to follow.
        path: the sound file, .wav or .flac; it must not exist yet.
        on_notice: called with one line if the recording ends early or continues in another file.

    Raises:
        CmaudioError: another extension, a file that exists, or one that cannot be written.
    """

    def __init__(self, recorder: Recorder, path: str | Path, on_notice: Callable[[str], None] | None = None) -> None:
        self.path = expanded(path)
        if self.path.suffix.lower() not in _SUFFIXES:
            raise CmaudioError(f"{path}: a recording must be .wav or .flac, not {self.path.suffix or 'no extension'!r}")
        is_wav = self.path.suffix.lower() == ".wav"
        self._wav = self.path if is_wav else self.path.with_suffix(".wav")
        self._mid = self.path.with_suffix(".mid")
        check_unused(self.path, self._wav, self._mid)
        self._recorder, self._on_notice = recorder, on_notice
        self._written = self._start = recorder.made_samples
        self._error: CmaudioError | None = None
        self._raised = False
        self._files = ExitStack()
        self._sound = self._open_sound()
        try:
            self._track = self._files.enter_context(MidiTrackFile(self._mid))
        except CmaudioError:
            self._sound.delete()
            raise
        self._notes = WholeNotes(self._track, recorder.notes_down(self._start))
        self._files.callback(self._sound.close)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="cmaudio-take", daemon=True)
        self._thread.start()
        atexit.register(self._stop_at_exit)

    def __enter__(self) -> Take:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def seconds(self) -> float:
        """How many seconds are in the files so far."""
        return (self._written - self._start) / self._recorder.sample_rate

    @property
    def running(self) -> bool:
        """Whether it is still recording."""
        return self._thread.is_alive()

    def stop(self) -> Path:
        """End the take; returns the path of the sound file. Raises CmaudioError if it could not be written."""
        self._ending.set()
        self._thread.join()
        atexit.unregister(self._stop_at_exit)
        if self._error is not None:
            self._raised = True
            raise self._error
        return self.path

    def finish(self) -> None:
        """Like `stop`, for closing the instrument; an error that was raised before is not raised again."""
        if not (self._raised and not self.running):
            self.stop()

    def _stop_at_exit(self) -> None:
        """A script may end without stopping: the end of the sound, and FLAC, remain to be written."""
        with suppress(CmaudioError):  # already reported
            self.stop()

    def _open_sound(self) -> WavParts:
        try:
            recorder = self._recorder
            return WavParts(self._wav, recorder.recorded_channels, recorder.sample_rate, _BYTES, self._report_next)
        except (OSError, ValueError) as error:
            raise self._failure(error) from error

    def _report_next(self, path: Path) -> None:
        if self._on_notice and self.path == self._wav:
            call_guarded(
                self._on_notice,
                f"{self._sound.paths[-2].name} is full (4 GiB); the recording continues in {path.name}",
            )

    def _follow(self) -> None:
        try:
            with self._files:
                while not self._ending.wait(_EVERY_SECONDS):
                    self._write()
                self._write()
                self._notes.end(self.seconds)
            if self.path != self._wav:
                self._compress()
        except Exception as error:  # any error ends the take, with a notice
            self._error = error if isinstance(error, CmaudioError) else self._failure(error)
            if self._on_notice:
                call_guarded(self._on_notice, f"the recording ended after {self.seconds:.1f} s: {self._error}")

    def _write(self) -> None:
        """Append the events and samples since the last write."""
        end, rate = self._recorder.made_samples, self._recorder.sample_rate
        for at, event in self._recorder.events(self._written, end):
            self._notes.add((at - self._start) / rate, event)
        for chunk in self._recorder.samples(self._written, end):
            self._sound.write(_packed(chunk))  # updates the header too
            self._written += len(chunk)
        self._track.flush(self.seconds)

    def _compress(self) -> None:
        if self._written == self._start:
            raise CmaudioError(
                f"{self.path}: nothing was recorded, and FLAC has no empty files; {self._wav.name} is there instead"
            )
        recorder, frames = self._recorder, 0
        with atomic_file(self.path) as part:
            target = (sound_path(part), "w", recorder.sample_rate, recorder.recorded_channels, "PCM_24")
            with soundfile.SoundFile(*target, format="FLAC") as compressed:
                for path in self._sound.paths:
                    with soundfile.SoundFile(sound_path(path)) as sound:
                        for block in sound.blocks(recorder.sample_rate, dtype="int32"):
                            compressed.write(block)
                            frames += len(block)
            # libsndfile reports no error if the last of it does not fit on the disk.
            if soundfile.info(sound_path(part)).frames != frames:
                raise OSError("the end of the file was not written")
        for path in self._sound.paths:
            path.unlink()

    def _failure(self, error: Exception) -> CmaudioError:
        return CmaudioError(f"{self._wav}: cannot be written ({error}). Free some space, or record elsewhere.")


def _packed(samples: Float) -> bytes:
    """24 bit, little endian, sides interleaved."""
    whole = np.round(np.clip(samples, -1, 1).astype(np.float64) * (2**23 - 1)).astype("<i4")
    return whole.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
