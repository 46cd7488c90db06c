"""Cuts a recorded sound into clips with a note's onset and release."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cmaudio.signal.dsp import Float
from cmaudio.synthesis.note_features import UNPITCHED_SEMITONES
from cmaudio.training.corpus.clip import Clip, Signal
from cmaudio.training.prepare.outcomes import momentary_level_db
from cmaudio.training.prepare.pitch import frame_centres, track_pitch

LEAD_HOPS = 4
_FADE_IN_SECONDS = 0.005
_RELEASE_SECONDS = 0.3
_SHORTEST_CLIP_SECONDS, _SHORTEST_TEXTURE_SECONDS = 1.0, 1.6
_START_DB, _BEFORE_START_SECONDS = -50.0, 0.002
_RELEASED_FROM_SECONDS = 0.5  # shorter sounds are not released early
_VOICED_SHARE = 0.5


@dataclass(frozen=True)
class RecordedSound:
    """Metadata of a sound.

    Attributes:
        name: of the clip.
        timbre: of the clip.
        pitched: "yes", "no", or "auto".
        loudest_db: momentary level of velocity 127.
        cut_before: whether it is a piece of something longer that continues before it.
        cut_after: whether that continues after it.
    """

    name: str
    timbre: str
    pitched: str
    loudest_db: float
    cut_before: bool = False
    cut_after: bool = False


def velocity_of(level_db: float, loudest_db: float) -> float:
    """Velocity 1..127 from a momentary level: 12 dB less is half of it, the default curve of SoundFonts."""
    return float(np.clip(127 * 10 ** ((level_db - loudest_db) / 40), 1, 127))


def clips_of_sound(audio: Float, about: RecordedSound, signal: Signal, rng: np.random.Generator) -> list[Clip]:
    """Clips of a sound (N,) at the signal's rate.

    A piece of a longer sound gives one clip, released at random in its later part. A complete sound gives one clip to
    its end and, unless it is very short, another one released earlier at random: so an instrument learns both how its
    sound ends and how to stop.
    """
    rate = signal.sample_rate
    started = audio if about.cut_before else audio[_start(audio, rate) :]
    if about.cut_before:
        started = started * np.minimum(1, np.arange(1, len(started) + 1) / (_FADE_IN_SECONDS * rate))
    if about.cut_after:
        gate = int(len(started) * rng.uniform(0.6, 0.95))
        return [_clip(_released(started, gate, rate), gate, about, signal, "")]
    clips = [_clip(started, len(started), about, signal, "")]
    if len(started) >= _RELEASED_FROM_SECONDS * rate:
        gate = int(len(started) * rng.uniform(0.1, 0.8))
        clips.append(_clip(_released(started, gate, rate), gate, about, signal, " let go"))
    return clips


def clip_of_texture(
    audio: Float,
    *,
    name: str,
    timbre: str,
    steady: bool,
    inside: bool,
    velocity: float,
    size: float,
    signal: Signal,
    rng: np.random.Generator,
) -> Clip:
    """The clip of a texture (N,), which is unpitched.

    A steady one is released at random in its later part, and faded in if it is from `inside` a recording. A one-shot
    plays to its end whenever it is released.
    """
    rate, hop = signal.sample_rate, signal.hop_length
    if inside:
        audio = audio * np.minimum(1, np.arange(1, len(audio) + 1) / (_FADE_IN_SECONDS * rate)).astype(np.float32)
    else:
        audio = audio[_start(audio, rate) :]
    gate = int(len(audio) * rng.uniform(0.7, 0.95) if steady else rng.uniform(0.02, 1) * rate)
    if steady:
        audio = _released(audio, gate, rate)
    lead = LEAD_HOPS * hop
    frames = -(-max(lead + len(audio), int(_SHORTEST_TEXTURE_SECONDS * rate)) // hop)
    padded = np.zeros(frames * hop, np.float32)
    padded[lead : lead + len(audio)] = audio
    return Clip(
        name=name,
        timbre=timbre,
        audio=padded,
        semitones=np.full(frames, UNPITCHED_SEMITONES, np.float32),
        voiced=np.zeros(frames, np.float32),
        pitch=UNPITCHED_SEMITONES,
        velocity=velocity,
        onset_samples=lead,
        release_samples=lead + gate,
        size=size,
    )


def _start(audio: Float, sample_rate: int) -> int:
    """The start of the sound: with silence before it, the network would learn to start late."""
    threshold = np.abs(audio).max() * 10 ** (_START_DB / 20)
    return max(0, int(np.argmax(np.abs(audio) >= threshold)) - int(_BEFORE_START_SECONDS * sample_rate))


def _released(audio: Float, gate: int, sample_rate: int) -> Float:
    """Released after `gate` samples: the amplitude falls along a parabola to zero."""
    length = min(len(audio) - gate, int(_RELEASE_SECONDS * sample_rate))
    ramp = np.square(np.linspace(1, 0, length, endpoint=False))
    return np.concatenate([audio[:gate], audio[gate : gate + length] * ramp]).astype(np.float32)


def _clip(audio: Float, gate: int, about: RecordedSound, signal: Signal, suffix: str) -> Clip:
    rate, hop = signal.sample_rate, signal.hop_length
    lead = LEAD_HOPS * hop
    frames = -(-max(lead + len(audio), int(_SHORTEST_CLIP_SECONDS * rate)) // hop)
    padded = np.zeros(frames * hop, np.float32)
    padded[lead : lead + len(audio)] = audio
    level = momentary_level_db(padded, rate)
    semitones = np.full(frames, UNPITCHED_SEMITONES, np.float32)
    voiced = np.zeros(frames, np.float32)
    if about.pitched != "no":
        sounding = slice(LEAD_HOPS, -(-(lead + len(audio)) // hop))
        tracked, sure = track_pitch(padded, rate, frame_centres(frames, hop))
        if sure.any() and (about.pitched == "yes" or sure[sounding].mean() >= _VOICED_SHARE):
            semitones, voiced = tracked, sure
    return Clip(
        name=about.name + suffix,
        timbre=about.timbre,
        audio=padded,
        semitones=semitones,
        voiced=voiced,
        pitch=float(np.median(semitones[voiced > 0])) if voiced.any() else UNPITCHED_SEMITONES,
        velocity=velocity_of(level, about.loudest_db),
        onset_samples=lead,
        release_samples=lead + gate,
    )
