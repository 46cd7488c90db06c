"""Notes to render from a SoundFont: at random in pitch, velocity, duration, vibrato or glide; or every key once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from cmaudio.model.correction import VELOCITIES
from cmaudio.score.general_midi import PERCUSSION, PROGRAMS
from cmaudio.signal.dsp import Float
from cmaudio.soundfont.notes import draw_gesture
from cmaudio.training.corpus.description import Split

EVALUATION_NOTES = 256  # seeds of `cmaudio.soundfont.notes`; no training note may equal one of them
_BASSES = range(32, 40)
_LOWEST_BASS, _HIGHEST_BASS = 24, 64
_LOWEST, _HIGHEST = 28, 100
_SOFTEST, _LOUDEST = 8, 127
_VIBRATO_BY_SECONDS = 0.3  # time to full depth
_GLIDE_FROM_SECONDS, _GLIDE_SECONDS = 0.2, 0.5
_EVERY_KEY_HELD_SECONDS, _EVERY_KEY_SECONDS = 2.1, 2.2


@dataclass(frozen=True)
class Note:
    """A note to render.

    Attributes:
        program: 0..127; None for a drum, whose `pitch` is its percussion key.
        vibrato: depth in semitones at `rate_hz`.
        glide: semitones from its pitch to its end.
    """

    serial: str
    program: int | None
    pitch: int
    velocity: int
    gate_seconds: float
    seconds: float
    vibrato: float = 0.0
    rate_hz: float = 0.0
    glide: float = 0.0

    def bend(self, since_onset: NDArray[np.float64]) -> Float:
        """(T,) seconds since the onset -> (T,) semitones away from the pitch."""
        seconds = np.maximum(since_onset, 0)
        vibrato = (
            self.vibrato * np.sin(2 * np.pi * self.rate_hz * seconds) * np.minimum(1, seconds / _VIBRATO_BY_SECONDS)
        )
        glide = self.glide * np.clip((seconds - _GLIDE_FROM_SECONDS) / _GLIDE_SECONDS, 0, 1)
        return (vibrato + glide).astype(np.float32)

    @property
    def name(self) -> str:
        """The timbre, pitch (a drum's key) and velocity in words."""
        return f"{self.timbre} p{self.pitch} v{self.velocity} {self.serial}"

    @property
    def timbre(self) -> str:
        return PERCUSSION[self.pitch] if self.program is None else PROGRAMS[self.program]

    @property
    def struck(self) -> tuple[int | None, int, int]:
        """Program, pitch and velocity."""
        return self.program, self.pitch, self.velocity


@dataclass(frozen=True)
class NoteSampler:
    """Distribution of random notes, after `given` ones.

    Most notes have a gate of 0.15 to 2.6 s in 3.41 s. `short_share` of them are released after 0.03 to 0.5 s in 1.37 s,
    to emphasise attacks; `long_share` are held for 10 to 30 s (sustained programs only), so that a network
    learns to hold a steady state; `ring_share` are struck or plucked and held for 3 to 12 s, so that it learns their
    decay; `drum_share` are drums, with equal probability for all keys.
    """

    notes: int
    held_out: int
    seed: int
    programs: Sequence[int]
    sustained: Sequence[int]
    drum_keys: Sequence[int]
    drum_share: float
    short_share: float
    long_share: float
    ring_share: float = 0.0
    given: Sequence[Note] = ()

    def draw(self) -> dict[Split, list[Note]]:
        """Training and held-out notes. No training note has program, pitch and velocity of a held-out one."""
        held_out = [self._draw("held_out", 1, index) for index in range(self.held_out)]
        taken = {note.struck for note in held_out if note.program is not None}
        gestures = map(draw_gesture, range(EVALUATION_NOTES))
        taken |= {(gesture.program, gesture.pitch, gesture.velocity) for gesture in gestures}
        random_notes = [self._draw("train", 0, index) for index in range(self.notes)]
        train = [self._other(note, taken) for note in (*self.given, *random_notes)]
        return {"train": train, "held_out": held_out}

    @property
    def _decaying(self) -> Sequence[int]:
        return [program for program in self.programs if program not in self.sustained]

    def _other(self, note: Note, taken: set[tuple[int | None, int, int]]) -> Note:
        while note.struck in taken:
            note = replace(note, velocity=_SOFTEST if note.velocity == _LOUDEST else note.velocity + 1)
        return note

    def _draw(self, split: Split, stream: int, index: int) -> Note:
        rng = np.random.default_rng([self.seed, stream, index])
        serial = f"{split.replace('_', '-')}-{index:06d}"
        velocity = int(rng.integers(_SOFTEST, _LOUDEST + 1))
        kind = rng.random()
        if self.drum_keys and (not self.programs or rng.random() < self.drum_share):
            key = int(rng.choice(self.drum_keys))
            return Note(serial, None, key, velocity, rng.uniform(0.03, 0.6), 1.37 if kind < self.short_share else 3.41)
        is_long = bool(self.sustained) and kind >= 1 - self.long_share
        rings = bool(self._decaying) and not is_long and kind >= 1 - self.long_share - self.ring_share
        program = int(rng.choice(self.sustained if is_long else self._decaying if rings else self.programs))
        keys = key_range(program)
        pitch = int(rng.integers(keys.start, keys.stop))
        gate, seconds = rng.uniform(0.15, 2.6), 3.41
        if is_long:
            gate = rng.uniform(10, 30)
            seconds = gate + 1.5
        elif rings:
            gate = rng.uniform(3, 12)
            seconds = gate + 1.5
        elif kind < self.short_share:
            gate, seconds = rng.uniform(0.03, 0.5), 1.37
        note = Note(serial, program, pitch, velocity, gate, seconds)
        return _moved(note, rng)


def key_range(program: int) -> range:
    """The keys of a program for which notes are recorded."""
    low, high = (_LOWEST_BASS, _HIGHEST_BASS) if program in _BASSES else (_LOWEST, _HIGHEST)
    return range(low, high + 1)


def _moved(note: Note, rng: np.random.Generator) -> Note:
    """A third with vibrato, a fifth with a glide, the rest straight."""
    kind = rng.random()
    if kind < 1 / 3:
        return replace(note, vibrato=rng.uniform(0.1, 0.6), rate_hz=rng.uniform(4, 7))
    return replace(note, glide=rng.uniform(-4, 4)) if kind < 1 / 3 + 1 / 5 else note


def parse_programs(text: str) -> list[int]:
    """ "1-8,41" -> [0, ..., 7, 40]. Raises ValueError outside 1..128."""
    return sorted(set(_numbers(text)))


def _numbers(text: str) -> Iterator[int]:
    for part in filter(None, (part.strip() for part in text.split(","))):
        first, _, last = part.partition("-")
        low, high = int(first), int(last or first)
        if not 1 <= low <= high <= 128:
            raise ValueError(part)
        yield from range(low - 1, high)


def every_key(programs: Sequence[int], drum_keys: Sequence[int]) -> list[Note]:
    """Each key of each program, and each drum, once at each of `VELOCITIES`, held without a bend.

    For tables of how each key sounds (`cmaudio export --correction`).
    """
    places: list[tuple[int | None, int]] = [(program, key) for program in programs for key in key_range(program)]
    places += [(None, key) for key in drum_keys]
    return [
        Note(f"every-key-{index:06d}", program, key, round(velocity), _EVERY_KEY_HELD_SECONDS, _EVERY_KEY_SECONDS)
        for index, ((program, key), velocity) in enumerate(product(places, VELOCITIES))
    ]
