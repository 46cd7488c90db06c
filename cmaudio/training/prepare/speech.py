"""A corpus of read speech as a source of clips: one clip per utterance, one timbre per speaker."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
import soxr

from cmaudio.errors import CmaudioError
from cmaudio.files.names import as_text
from cmaudio.files.reading import is_folder
from cmaudio.signal.dsp import Float
from cmaudio.speech.language import language
from cmaudio.synthesis.note_features import UNPITCHED_SEMITONES
from cmaudio.training.corpus.clip import Clip, Signal
from cmaudio.training.corpus.description import Split
from cmaudio.training.prepare.folder import TARGET_DB, read_mono
from cmaudio.training.prepare.ljspeech import utterance_id
from cmaudio.training.prepare.outcomes import SILENT_DB, momentary_level_db
from cmaudio.training.prepare.pace import Misfit, find_misfits
from cmaudio.training.prepare.pause_onsets import with_pause_onsets
from cmaudio.training.prepare.pitch import frame_centres, track_pitch
from cmaudio.training.prepare.recorded import LEAD_HOPS, velocity_of
from cmaudio.training.prepare.source import Maker, Refused, Traits
from cmaudio.training.prepare.speech_layouts import layout_of
from cmaudio.training.prepare.spoken import phonemes_of, read_given
from cmaudio.training.prepare.utterances import Utterance, find_utterances

TAIL_SECONDS = 0.2
SHORTEST_SECONDS = 0.1
_SPEEDS = (0.5, 2.0)
_SILENT_DB = -70.0
# Relative to the loudest 0.4 s: above most breaths, below the faintest consonants at the ends of utterances.
_SPEECH_DB = -33.0
_WINDOW_SECONDS = 0.01
_F0_MAX_HZ = 800.0  # above the range of read speech, below where detectors mistake harmonics for it
# Next to confident frames: the first and last periods of a vowel and creaky voice are voiced too, and a vocoder that is
# conditioned on no pitch renders them as noise.
_LEAST_CONFIDENCE = 0.1
_LEAST_HELD_OUT, _OF_UTTERANCES = 16, 100
_LISTENED_A_SPEAKER = 24
_LOUD_PERCENTILE = 95
# Velocity 127 is this much louder than a speaker's usual utterance, which then has 96, between mf and f.
_HEADROOM_DB = 40 * float(np.log10(127 / 96))


@dataclass(frozen=True)
class SpeechSource:
    """A corpus in one of the layouts of `cmaudio.training.prepare.speech_layouts`, or in one of another package.

    Args:
        held_out_share: of the utterances, chosen by a hash of their ids; at least 16 of 100 or more.
        max_seconds: longer files are refused.
        language: of the texts, e.g. "en-us", to give clips phonemes; None for audio only.
        speeds: of additional copies of the training utterances, 0.5 to 2, each as a separate speaker: with less
            than some hours of speech a network overfits (Ko et al. 2015, "Audio Augmentation for
            Speech Recognition").
    """

    folder: Path
    layout: str
    held_out_share: float = 0.02
    max_seconds: float = 60.0
    licence: str = "not stated"
    language: str | None = None
    speeds: tuple[float, ...] = ()
    kind: str = "speech"

    def __post_init__(self) -> None:
        layout = layout_of(self.layout)
        if not is_folder(self.folder):
            raise CmaudioError(f"no folder {self.folder}: give one with {layout.expected}")
        if not self.max_seconds > 0:
            raise CmaudioError(f"--max-seconds {self.max_seconds:g} must be more than 0")
        if self.language is not None:
            language(self.language)
        for speed in self.speeds:
            if not _SPEEDS[0] <= speed <= _SPEEDS[1] or speed == 1 or self.speeds.count(speed) > 1:
                low, high = _SPEEDS
                raise CmaudioError(f"--speeds: {speed:g} is not from {low:g} to {high:g}, or is 1, or given twice")

    def __getstate__(self) -> dict[str, object]:
        """Pickle without the list of utterances, which may be large; worker processes get them one by one."""
        return {key: value for key, value in vars(self).items() if key != "utterances"}

    @property
    def name(self) -> str:
        return as_text(self.folder.resolve().name)

    @property
    def settings(self) -> Mapping[str, str | int | float | bool | None]:
        rates = Counter(utterance.sample_rate for utterance in self.utterances if utterance.sample_rate)
        return {
            "layout": self.layout,
            "held_out_share": self.held_out_share,
            "max_seconds": self.max_seconds,
            **({"language": self.language} if self.language else {}),
            **({"speeds": " ".join(f"{speed:g}" for speed in self.speeds)} if self.speeds else {}),
            "sample_rates_found": ", ".join(f"{rate} Hz ({count} files)" for rate, count in sorted(rates.items())),
        }

    @cached_property
    def utterances(self) -> list[Utterance]:
        """Everything that the corpus lists, including unusable utterances."""
        found = find_utterances(self.folder, self.layout)
        if self.language is None:
            return found
        given = {utterance_id(name): spoken for name, spoken in read_given(self.folder).items()}
        return [
            replace(utterance, phonemes=given[utterance.name][0], ends=given[utterance.name][1])
            if utterance.name in given
            else utterance
            for utterance in found
        ]

    @cached_property
    def _levels_db(self) -> dict[str, list[float]]:
        """Momentary levels of some utterances of each speaker, before the gain."""
        of_speaker: defaultdict[str, list[Utterance]] = defaultdict(list)
        for utterance in self.utterances:
            if not utterance.trouble and utterance.seconds <= self.max_seconds:
                of_speaker[utterance.speaker].append(utterance)
        levels = {}
        for speaker, spoken in of_speaker.items():
            chosen = spoken[:: -(-len(spoken) // _LISTENED_A_SPEAKER)]
            levels[speaker] = [level for level in map(self._level_db, chosen) if level > _SILENT_DB]
        return levels

    def _level_db(self, utterance: Utterance) -> float:
        try:
            audio = read_mono(self.folder / utterance.audio, 0, -1, utterance.sample_rate)
        except Refused:
            return SILENT_DB
        return momentary_level_db(audio, utterance.sample_rate)

    @property
    def gain(self) -> float:
        levels = [level for of_speaker in self._levels_db.values() for level in of_speaker]
        loudest = float(np.percentile(levels, _LOUD_PERCENTILE)) if levels else TARGET_DB
        return float(f"{10 ** ((TARGET_DB - loudest) / 20):.4g}")

    @cached_property
    def misfits(self) -> list[Misfit]:
        """The utterances whose text and audio do not match in length, the worst first.

        Raises CmaudioError if most do not.
        """
        return find_misfits(self.utterances)

    def items(self) -> Mapping[Split, Sequence[Utterance]]:
        """All utterances by split. Raises CmaudioError if most texts do not match their audio in length."""
        _ = self.misfits
        chosen = choose_held_out((u for u in self.utterances if not u.trouble), self.held_out_share)
        train = [utterance for utterance in self.utterances if utterance.name not in chosen]
        return {
            "train": train + [replace(u, speed=speed) for speed in self.speeds for u in train if not u.trouble],
            "held_out": [utterance for utterance in self.utterances if utterance.name in chosen],
        }

    def open(self, signal: Signal) -> Maker[Utterance]:
        usual = {speaker: float(np.median(levels)) for speaker, levels in self._levels_db.items() if levels}
        return lambda utterance: [self._clip(utterance, signal, usual)]

    def _clip(self, utterance: Utterance, signal: Signal, usual_db: Mapping[str, float]) -> Clip:
        if utterance.trouble:
            raise Refused(utterance.trouble)
        if utterance.seconds > self.max_seconds:
            raise Refused(f"longer than {self.max_seconds:g} s")
        phonemes = utterance.phonemes
        if self.language and not phonemes:
            phonemes = phonemes_of(utterance.text, self.language)
        audio = read_mono(self.folder / utterance.audio, 0, -1, signal.sample_rate)
        if utterance.speed != 1:
            audio = soxr.resample(audio, signal.sample_rate * utterance.speed, signal.sample_rate)
        level = momentary_level_db(audio, signal.sample_rate)
        if level < _SILENT_DB:
            raise Refused(f"silent (below {_SILENT_DB:g} dB)")
        start, end = speech_bounds(audio, signal.sample_rate)
        if end - start < SHORTEST_SECONDS * signal.sample_rate:
            raise Refused(f"less than {SHORTEST_SECONDS:g} s of speech")
        framed = frame_speech(audio, start, end, signal)
        semitones, voiced = track_pitch(
            framed, signal.sample_rate, frame_centres(len(framed) // signal.hop_length, signal.hop_length),
            f_max_hz=_F0_MAX_HZ, least_confidence=_LEAST_CONFIDENCE,
        )  # fmt: skip
        lead = LEAD_HOPS * signal.hop_length
        ends = _ends_in_clip(utterance, (lead - start) / signal.sample_rate)
        return Clip(
            name=utterance.name + _mark(utterance),
            timbre=(utterance.speaker or self.name) + _mark(utterance),
            audio=framed,
            semitones=semitones,
            voiced=voiced,
            pitch=float(np.median(semitones[voiced > 0])) if voiced.any() else UNPITCHED_SEMITONES,
            velocity=velocity_of(level, usual_db.get(utterance.speaker, level) + _HEADROOM_DB),
            onset_samples=lead,
            release_samples=lead + end - start,
            text=utterance.text,
            phonemes=phonemes,
            ends=with_pause_onsets(ends, phonemes, framed, signal.sample_rate, level + _SPEECH_DB),
        )

    def traits(self, timbre: str, voiced_share: float) -> Traits:
        """Every voice has a pitch and can be sustained."""
        return Traits(pitched=True, sustained=True)


def _ends_in_clip(utterance: Utterance, moved_seconds: float) -> tuple[float, ...]:
    """Seconds from the clip's start at which the utterance's phonemes end."""
    return tuple(round(max(0.0, at / utterance.speed + moved_seconds), 4) for at in utterance.ends)


def _mark(utterance: Utterance) -> str:
    """Suffix that distinguishes an utterance and its speaker from those at other speeds."""
    return "" if utterance.speed == 1 else f"@{utterance.speed:g}"


def choose_held_out(utterances: Iterable[Utterance], share: float) -> set[str]:
    """Names of a share of the utterances, chosen by hash; every speaker keeps at least one for training."""
    spoken = list(utterances)
    left = Counter(utterance.speaker for utterance in spoken)
    least = _LEAST_HELD_OUT if share and len(spoken) >= _OF_UTTERANCES else 0
    count = max(round(share * len(spoken)), least)
    chosen: set[str] = set()
    for utterance in sorted(spoken, key=lambda utterance: sha256(utterance.name.encode()).digest()):
        if len(chosen) < count and left[utterance.speaker] > 1:
            left[utterance.speaker] -= 1
            chosen.add(utterance.name)
    return chosen


def speech_bounds(audio: Float, sample_rate: int) -> tuple[int, int]:
    """First and last sample (exclusive) of the sound within 33 dB of the loudest 0.4 s, in windows of 10 ms."""
    window = round(_WINDOW_SECONDS * sample_rate)
    padded = np.pad(audio, (0, -len(audio) % window))
    power = np.square(padded, dtype=np.float64).reshape(-1, window).mean(1)
    threshold = 10 ** ((momentary_level_db(audio, sample_rate) + _SPEECH_DB) / 10)
    audible = np.flatnonzero(power >= threshold)
    return int(audible[0]) * window, min(int(audible[-1] + 1) * window, len(audio))


def frame_speech(audio: Float, start: int, end: int, signal: Signal) -> Float:
    """The speech with 4 hops before it and at least 0.2 s after it, (N,) with N a multiple of the hop.

    Room noise is faded in and out over these, so that a clip starts and ends in silence, like a voice that plays.
    """
    lead = LEAD_HOPS * signal.hop_length
    tail = int(TAIL_SECONDS * signal.sample_rate)
    frames = -(-(lead + end - start + tail) // signal.hop_length)
    framed = np.zeros(frames * signal.hop_length, np.float32)
    first, last = max(0, start - lead), min(len(audio), end + tail)
    at = lead - (start - first)
    framed[at : at + last - first] = audio[first:last]
    framed[:lead] *= np.linspace(0, 1, lead, endpoint=False, dtype=np.float32)
    fade_out = framed[lead + end - start :][:tail]
    fade_out *= np.linspace(1, 0, tail, dtype=np.float32)
    framed[lead + end - start + tail :] = 0
    return np.clip(framed, -1, 1)
