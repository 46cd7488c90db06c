"""A sound and how it was played: the common output of all data sources, and the only input of training.

Shapes: N samples (a multiple of the hop), T = N / hop_length frames, M mel bands. Frame t covers hop t and ends with
sample (t + 1) * hop_length - 1; its pitch is that at the centre of the hop.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cmaudio.model.partials import Partials
from cmaudio.signal.dsp import Float, Mel, Stft
from cmaudio.synthesis.excitation import harmonic_picture, semitones_to_hz
from cmaudio.synthesis.note_features import NOTE_KINDS, all_note_features
from cmaudio.synthesis.sources import timbre_pulses


@dataclass(frozen=True)
class Signal:
    """Transforms of a corpus and of the models trained on it."""

    stft: Stft
    mel: Mel

    @property
    def sample_rate(self) -> int:
        return self.mel.sample_rate

    @property
    def hop_length(self) -> int:
        return self.stft.hop_length


@dataclass(frozen=True)
class Clip:
    """A sound at the corpus's sample rate.

    Attributes:
        name: unique in its corpus, e.g. "violin/a4 p60 v96 000123".
        timbre: its label, one of the corpus's timbres.
        audio: (N,) float32, at most 1 in magnitude.
        semitones: (T,) MIDI note number of each frame, held or interpolated where nothing is voiced; 60 throughout for
            unpitched sound.
        voiced: (T,) 1 where voiced, else 0.
        pitch: MIDI note number; of recordings the median.
        velocity: 1 to 127; of recordings from the level.
        onset_samples: when the key is pressed.
        release_samples: when it is released.
        text: transcript of speech.
        phonemes: of the text, starting with the silence before it (`cmaudio.speech.phonemes`).
        ends: seconds from the clip's start at which each phoneme ends; empty where unknown.
        size: octaves by which a texture was slowed down; None for other sounds.
    """

    name: str
    timbre: str
    audio: Float
    semitones: Float
    voiced: Float
    pitch: float
    velocity: float
    onset_samples: int
    release_samples: int
    text: str = ""
    phonemes: tuple[str, ...] = ()
    ends: tuple[float, ...] = ()
    size: float | None = None


def log_mel(signal: Signal, audio: Float, gain: float) -> Float:
    """(N,) samples -> (T, M) log-mel of the samples times the corpus's gain."""
    before = np.zeros(signal.stft.overlap, np.float32)
    return signal.mel(signal.stft.analyse(np.concatenate([before, audio * np.float32(gain)])))


def f0_hz(semitones: Float, voiced: Float) -> Float:
    """(T,) Hz, 0 where unvoiced."""
    return (semitones_to_hz(semitones.astype(np.float64)) * (voiced > 0)).astype(np.float32)


def sample_f0(f0: Float, hop_length: int) -> np.ndarray:
    """(T,) Hz per frame -> (T * hop,) Hz per sample, linear between the frames' centres."""
    frames = len(f0)
    centres = (np.arange(frames * hop_length) + 0.5) / hop_length - 0.5
    return np.interp(centres, np.arange(frames), f0)


def harmonics(signal: Signal, f0: Float, partials: Partials | None = None, key: float = 60.0) -> Float:
    """(T,) Hz -> (T, M) mel spectrum of the harmonics, or of a timbre's own partials, as the network reads it."""
    hz = sample_f0(f0, signal.hop_length)
    pulses = timbre_pulses(partials, key, hz, signal.sample_rate)
    before = np.zeros(signal.stft.overlap, np.float32)
    return harmonic_picture(signal.mel(signal.stft.analyse(np.concatenate([before, pulses]))))


def life_features(
    signal: Signal,
    semitones: Float,
    pitch: float,
    velocity: float,
    onset_samples: int,
    release_samples: int,
    features: str = "note-1",
) -> Float:
    """(T, C) features of the phase of a note (attack, hold, release), of a kind (`cmaudio.synthesis.note_features`)."""
    ends = (np.arange(len(semitones))[None] + 1.0) * signal.hop_length
    rows = all_note_features(
        (ends - onset_samples) / signal.sample_rate,
        (ends - release_samples) / signal.sample_rate,
        semitones[None].astype(np.float64),
        np.array([pitch]),
        np.array([velocity]),
    )
    return rows[0, :, : NOTE_KINDS[features]]
