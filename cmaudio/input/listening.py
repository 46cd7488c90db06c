"""Recording a sound from an input: wait for it, record until silence, trim, level and write it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cmaudio.callbacks import call_guarded
from cmaudio.checks import in_range, whole_number
from cmaudio.errors import CmaudioError
from cmaudio.files.audio_file import AudioFileWriter
from cmaudio.files.names import check_unused
from cmaudio.files.reading import expanded
from cmaudio.input.finish import checked_level, clipped_samples, levelled, trimmed
from cmaudio.input.stream import Inputs, InputStream, OpenInput
from cmaudio.input.trigger import FLOOR_DB, Trigger, peak_db
from cmaudio.signal.loudness import loudness_lufs
from cmaudio.signal.sound import Sound

SUFFIXES = (".wav", ".flac")
MOST_CHANNELS = 32
_READ_SECONDS = 0.2
_DEAD_SECONDS = 3.0  # without a block


@dataclass(frozen=True)
class Listening:
    """Settings of a recording.

    Attributes:
        channels: of the take.
        sample_rate: in Hz; if the device refuses it, the device's own.
        threshold_db: peak in dBFS above which the take starts.
        silence: seconds below the threshold, by 6 dB, that end it.
        longest: maximum length in seconds.
        wait: seconds to wait for the start.
        level: "peak" (-1 dB), "loudness" (-18 LUFS, at most the same peak) or "none".

    Raises:
        CmaudioError: a value out of range.
    """

    channels: int = 1
    sample_rate: int = 48_000
    threshold_db: float = -45.0
    silence: float = 1.0
    longest: float = 30.0
    wait: float = 30.0
    level: str = "peak"

    def __post_init__(self) -> None:
        whole_number("channels", self.channels, 1, MOST_CHANNELS)
        whole_number("sample_rate", self.sample_rate, 8_000, 192_000)
        in_range("threshold_db", self.threshold_db, -90, -1, "dB of full scale")
        in_range("silence", self.silence, 0.05, 60, "seconds")
        in_range("longest", self.longest, 0.1, 600, "seconds")
        in_range("wait", self.wait, 0.1, 86_400, "seconds")
        checked_level(self.level)


@dataclass(frozen=True)
class RecordedSound:
    """A take from an input.

    Attributes:
        sound: samples (N,) or (N, C), trimmed and levelled.
        path: its file, if requested.
        peak_db: peak of the input.
        loudness_lufs: loudness of `sound`.
        gain_db: gain applied to set the level.
        clipped: number of clipped input samples.
        gaps: how often the input lost samples.
        ended: whether silence ended it, rather than the maximum length.
    """

    sound: Sound
    path: Path | None
    peak_db: float
    loudness_lufs: float
    gain_db: float
    clipped: int
    gaps: int
    ended: bool


def listen(
    path: str | Path | None = None,
    how: Listening | None = None,
    device: str | int | None = None,
    *,
    open_input: OpenInput | None = None,
    on_notice: Callable[[str], object] = lambda _text: None,
    on_state: Callable[[str], object] = lambda _text: None,
) -> RecordedSound:
    """Record a sound from an input; returns when it has ended.

    Args:
        path: a new .wav or .flac file; None keeps the sound in memory.
        how: threshold, lengths and level.
        device: name (or part of it) or index of an input from `cmaudio devices --inputs`.
        open_input: opens it.
        on_notice: called with problems of the take: clipping, gaps, its length.
        on_state: called when it waits and when it records.

    Raises:
        CmaudioError: no input, another kind of file or one that exists, nothing was heard, a device that vanishes.
    """
    how = how or Listening()
    file = None if path is None else _checked_file(path, how)
    stream = (open_input or Inputs())(device, how.channels, how.sample_rate)
    try:
        on_state(f"{stream.device_name}: waiting for sound above {how.threshold_db:g} dB")
        trigger, gaps = _record(stream, how, lambda: on_state("recording"))
    finally:
        stream.close()
    take = _finished(trigger, stream.sample_rate, how, file, gaps)
    if file is not None:
        with AudioFileWriter(file, stream.sample_rate, channels=how.channels) as writer:
            writer.write(np.asarray(take.sound))
    for text in _problems(take, how):
        call_guarded(on_notice, text)
    return take


def _checked_file(path: str | Path, how: Listening) -> Path:
    file = expanded(path)
    if file.suffix.lower() not in SUFFIXES:
        raise CmaudioError(f"{path}: a take must be .wav or .flac, not {file.suffix or 'no extension'!r}")
    check_unused(file)
    AudioFileWriter(file, how.sample_rate, channels=how.channels)  # raises now, before the sound is lost
    return file


def _record(stream: InputStream, how: Listening, begun: Callable[[], object]) -> tuple[Trigger, int]:
    trigger = Trigger(stream.sample_rate, how.threshold_db, how.silence, how.longest)
    gaps, last = 0, time.monotonic()
    while not trigger.done:
        waiting, block = not trigger.begun, stream.read(_READ_SECONDS)
        if block is None:
            if time.monotonic() - last > _DEAD_SECONDS:
                raise CmaudioError(f"{stream.device_name} sends nothing: check the sound server, or use another device")
            continue
        last = time.monotonic()
        trigger.feed(np.nan_to_num(block.samples, nan=0.0, posinf=1.0, neginf=-1.0))
        gaps += block.gap and trigger.begun
        if waiting and trigger.begun:
            begun()
        elif waiting and trigger.waited_seconds >= how.wait:
            raise CmaudioError(_nothing_heard(stream.device_name, trigger, how))
    return trigger, gaps


def _nothing_heard(name: str, trigger: Trigger, how: Listening) -> str:
    if trigger.loudest_db <= FLOOR_DB:
        return (
            f"{name} was digitally silent for {how.wait:g} s: it is muted or unplugged, or the system forbids this "
            "program to use it"
        )
    return (
        f"nothing above {how.threshold_db:g} dB came from {name} within {how.wait:g} s, the loudest was "
        f"{trigger.loudest_db:.0f} dB: raise its gain, or lower the threshold"
    )


def _finished(trigger: Trigger, sample_rate: int, how: Listening, file: Path | None, gaps: int) -> RecordedSound:
    taken = trigger.samples()
    sound, gain_db = levelled(trimmed(taken, sample_rate, how.threshold_db), sample_rate, checked_level(how.level))
    return RecordedSound(
        sound=Sound(sound[:, 0] if how.channels == 1 else sound, sample_rate),
        path=file,
        peak_db=peak_db(taken),
        loudness_lufs=loudness_lufs(sound, sample_rate),
        gain_db=gain_db,
        clipped=clipped_samples(taken),
        gaps=gaps,
        ended=trigger.silent,
    )


def _problems(take: RecordedSound, how: Listening) -> list[str]:
    problems = []
    if take.clipped:
        problems.append(f"{take.clipped} samples clip: lower the gain of the input, and record it again")
    if take.gaps:
        problems.append(f"the input lost samples {take.gaps} times, since the machine was busy: record it again")
    if not take.ended:
        problems.append(f"it still sounded after {how.longest:g} s, where the take ends")
    return problems
