"""A voice that speaks a text: its clock runs along a timeline at a variable rate; pitch and energy can be steered.

Times are samples of the voice's clock as in `cmaudio.synthesis.voice`. Steering takes effect with the next block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from cmaudio.speech.features import COLUMNS, energy_step, speech_features
from cmaudio.speech.prosody import Segment
from cmaudio.speech.style import RATE_RANGE
from cmaudio.speech.timeline import Timeline, stack_moments
from cmaudio.synthesis.excitation import semitones_to_hz
from cmaudio.synthesis.params import BlockFeatures, NoteParams, VoiceSettings
from cmaudio.synthesis.trajectory import Trajectory, rows
from cmaudio.synthesis.voice import Voice

_END_FADE_SECONDS = 0.02
_WAITING_SECONDS = 1.0


@dataclass(frozen=True)
class Mark:
    """The start of a word or a phoneme.

    Attributes:
        seconds: from the start of the voice.
        kind: "word", "phoneme", or "mark" (SSML).
        text: the word as it is spoken, the phoneme in IPA, or the name of the mark.
        start: offset in the text of the source of a word ("$5" for "five" and "dollars"); -1 for phonemes.
        end: the offset after it; -1 for phonemes.
    """

    seconds: float
    kind: str
    text: str
    start: int = -1
    end: int = -1


class Utterance(Voice):
    """A text being spoken. Its timeline may still grow; until it is closed, the voice waits silently for more.

    Its pitch trajectory is in semitones relative to the intonation. Excitation that has been computed is not bent, so
    steering takes effect with the next block.

    Args:
        params: start parameters; pitch and velocity are not used.
        timbre: (Z,) vector of the speaker.
        first: the beginning of the text.
        marks: list to which words and phonemes are appended as they start; it outlives the voice.
        settings: shared by all voices of an engine.
        expression: values by name; the neutral value where none is given.
    """

    FEATURES: ClassVar[Mapping[str, int]] = COLUMNS

    def __init__(
        self,
        params: NoteParams,
        timbre: NDArray[np.float64],
        first: Segment,
        marks: list[Mark],
        settings: VoiceSettings,
        expression: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(params, timbre, 0.0, settings, expression)
        self.rate, self.pitch_range, self.energy = Trajectory(1.0), Trajectory(1.0), Trajectory(0.0)
        self.timeline = Timeline()
        self.timeline.extend(first)
        self.marks = marks  # also read after the voice has ended
        self._marked = -1  # index of the last phoneme with a mark
        self._nominal = 0.0  # nominal time at which the next frame begins
        self._features, self._frame_f0 = np.zeros((0, 0), np.float32), np.zeros(0)  # of the block's frames
        self._last_f0 = 0.0

    # -- called by the engine -----------------------------------------------------------------------------------------

    def extend(self, segment: Segment) -> None:
        """Append to the timeline."""
        self.timeline.extend(segment)

    def close(self) -> None:
        """No more text follows: the voice ends with its timeline."""
        self.timeline.close()

    @property
    def unspoken_seconds(self) -> float:
        """How much of the known text is still to be spoken, at the nominal rate."""
        return self.timeline.end - self._nominal

    @property
    def has_text(self) -> bool:
        """Whether its next block is known: more text would not change it."""
        block_seconds = (self.settings.block_frames + 1) * self.stft.hop_length / self.sample_rate
        return self.timeline.knows(self._nominal + RATE_RANGE[1] * block_seconds)

    def stop(self) -> None:
        """End after the current phoneme."""
        self.timeline.cut(self._nominal)

    def release(self, at: float) -> None:
        """A released text ends after the current phoneme."""
        self.stop()

    def catch_up(self) -> None:
        """Nothing to do: computed excitation is not changed."""

    def steer(self, name: str, at: float, value: float, over: float) -> None:
        """Change "rate", "pitch_range" or "energy"."""
        self._move_pitch(getattr(self, name), at, value, over)

    # -- called by the renderer ---------------------------------------------------------------------------------------

    @classmethod
    def block_f0(cls, voices: Sequence[Self], samples: int) -> NDArray[np.float64]:
        """(B, N) Hz for every sample of the next block, 0 where unvoiced; linear between the middles of frames."""
        hop = voices[0].stft.hop_length
        frames = samples // hop
        starts = np.array([voice.planned_end for voice in voices])[:, None]
        f0 = cls._advance(voices, starts + (np.arange(frames + 1, dtype=np.float64) + 0.5) * hop)
        known = np.column_stack([[voice._last_f0 for voice in voices], f0])
        for voice, row in zip(voices, f0, strict=True):
            voice._frame_f0, voice._last_f0 = row[:-1], float(row[-2])
        times, middles = np.arange(samples) + 0.5, (np.arange(frames + 2) - 0.5) * hop
        return np.stack([np.interp(times, middles, row) for row in known])

    @classmethod
    def block_features(cls, voices: Sequence[Self], ends: NDArray[np.int64]) -> BlockFeatures:
        """Features of the block of the last call of `block_f0`."""
        return BlockFeatures(
            np.stack([voice._features for voice in voices]), np.stack([voice._frame_f0 for voice in voices])
        )

    @classmethod
    def _advance(cls, voices: Sequence[Self], middles: NDArray[np.float64]) -> NDArray[np.float64]:
        """Advance over frames at times (B, K + 1), the last a preview, and store their features; returns all f0."""
        rates = np.where(middles >= 0, rows([voice.rate for voice in voices], middles), 0.0)
        step = voices[0].stft.hop_length / voices[0].sample_rate
        begun = np.array([voice._nominal for voice in voices])[:, None]
        nominal = begun + np.cumsum(rates * step, axis=-1) - rates * step / 2
        moments = stack_moments([voice.timeline.look(row) for voice, row in zip(voices, nominal, strict=True)])
        waiting = nominal - np.array([voice.timeline.end for voice in voices])[:, None]
        steered = np.stack([voice._sounding_pitch(row) for voice, row in zip(voices, middles, strict=True)])
        pitch_range = rows([voice.pitch_range for voice in voices], middles)
        semitones = steered + moments.pivot + pitch_range * (moments.semitones - moments.pivot)
        voiced = moments.voiced & (waiting < 0) & (middles >= 0)
        safe = np.maximum(rates, 0.05)
        since = (nominal - moments.begins) / safe
        until = np.where(waiting < 0, (moments.ends - nominal) / safe, _WAITING_SECONDS)
        energy = moments.energy + rows([voice.energy for voice in voices], middles) * energy_step(1.0)
        features = speech_features(moments.context, since, until, energy, voiced, semitones)
        for i, voice in enumerate(voices):
            voice._features = features[i, :-1]
            voice._spoken(moments.index[i], middles[i], waiting[i], float(rates[i, :-1].sum()) * step)
        return np.where(voiced, semitones_to_hz(semitones), 0.0)

    def _spoken(
        self, index: NDArray[np.int64], middles: NDArray[np.float64], waiting: NDArray[np.float64], seconds: float
    ) -> None:
        """Move on by nominal `seconds`, over frames with these phonemes (K + 1,)."""
        self._mark(index[:-1], middles[:-1], waiting[:-1])
        self.timeline.forget_before(min(self._marked, int(index[0])))
        self._nominal = min(self._nominal + seconds, max(self._nominal, self.timeline.end))
        if self.timeline.closed:
            self._end_at(middles, waiting)

    def _mark(self, index: NDArray[np.int64], middles: NDArray[np.float64], waiting: NDArray[np.float64]) -> None:
        """Append marks for words and phonemes that start in frames with these phonemes."""
        for i, time, at_end in zip(index.tolist(), middles.tolist(), (waiting >= 0).tolist(), strict=True):
            while self._marked < i and not at_end and time >= 0:
                self._marked += 1
                seconds = max(0.0, (time - 0.5 * self.stft.hop_length) / self.sample_rate)
                word = self.timeline.words.get(self._marked)
                if word is not None:
                    self.marks += [Mark(seconds, "mark", name) for name in word.marks]
                    if not word.is_pause:
                        self.marks.append(Mark(seconds, "word", word.text, word.start, word.end))
                self.marks.append(Mark(seconds, "phoneme", self.timeline.name(self._marked)))

    def _end_at(self, middles: NDArray[np.float64], waiting: NDArray[np.float64]) -> None:
        over = np.flatnonzero(waiting >= 0)
        if len(over):
            fade = _END_FADE_SECONDS * self.sample_rate
            self.fade_out(max(0.0, float(middles[over[0]])), fade)
