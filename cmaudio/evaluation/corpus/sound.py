"""Sound of the held-out clips: sharpness and timing of attacks, audibility of the frame rate, likeness of voices.

Shapes: N samples, T frames, M mel bands.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import soxr

from cmaudio.evaluation.buzz import buzz_db
from cmaudio.evaluation.context import Figures, summary
from cmaudio.evaluation.corpus.clips import HeldOut
from cmaudio.evaluation.corpus.copying import copy
from cmaudio.evaluation.held_out import frechet_of_features
from cmaudio.evaluation.libraries import librosa_module
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.networks import Synthesizer

_ATTACK_SECONDS, _BEFORE_SECONDS = 0.35, 0.01
_WINDOW_SECONDS, _RISE_MS = 0.004, 5
_RANGE_DB = 40.0
_STEADY_FROM_SECONDS, _STEADY_SECONDS = 0.3, 1.0
_LOWEST_HZ = 140.0  # below it, beating between neighbouring harmonics is close to the frame rate
_EMBEDDING_RATE = 16_000
_EMBEDDINGS_A_SECOND = 4
_ONSET_HOP_SAMPLES = 128


def measure_sound(
    synthesizer: Synthesizer, clips: Sequence[HeldOut], mels: Mapping[str, Sequence[Float]], speech: bool
) -> Figures:
    """Recordings beside the vocoder's output for each sampler's mels: one row per label, summaries over clips.

    Keys:
        onset_db_per_ms: steepest rise of the attack.
        onset_apart_ms: distance of the first onset from the recording's.
        frame_rate_db: modulation at the frame rate relative to its neighbourhood, for notes held long enough.
        voice_frechet: for speech, Fréchet distance of voice embeddings to the recordings'.
    """
    model = synthesizer.model
    rate = model.manifest.sample_rate
    sounds = {"recording": [clip.audio for clip in clips]}
    for label, made in mels.items():
        sounds[label] = [copy(synthesizer, replace(clip, mel=mel)) for clip, mel in zip(clips, made, strict=True)]
    rows: Figures = {}
    for label, clips_of in sounds.items():
        slopes = [onset_slope(_attack(sound, model), rate) for sound in clips_of]
        lines = [_frame_rate_line(clip, sound, model) for clip, sound in zip(clips, clips_of, strict=True)]
        rows[label] = {
            "onset_db_per_ms": summary([slope for slope in slopes if slope is not None]),
            "frame_rate_db": summary([line for line in lines if line is not None]),
        }
        rows[label]["onset_apart_ms"] = onset_distances(clips_of, sounds["recording"], rate)
        if speech:
            rows[label]["voice_frechet"] = voice_frechet(clips_of, sounds["recording"], rate)
    return rows


def _attack(sound: Float, model: Model) -> Float:
    """From 10 ms before the onset, which is one block after the clip's start, to 0.35 s after it."""
    rate, onset = model.manifest.sample_rate, model.manifest.block_samples
    return sound[max(0, onset - round(_BEFORE_SECONDS * rate)) : onset + round(_ATTACK_SECONDS * rate)]


def onset_slope(attack: Float, sample_rate: int) -> float | None:
    """Steepest rise of the level (windows of 4 ms) within 5 ms, in dB per millisecond; None for silence.

    More than 40 dB below the loudest window counts as silence, so the result is at most 8 dB/ms.
    """
    window, step = round(_WINDOW_SECONDS * sample_rate), max(1, sample_rate // 1000)
    energy = np.concatenate([[0.0], np.cumsum(np.square(attack, dtype=np.float64))])
    power = (energy[window:] - energy[:-window])[::step] / window
    if len(power) <= _RISE_MS or power.max() < 1e-12:
        return None
    level = 10 * np.log10(np.maximum(power, power.max() * 10 ** (-_RANGE_DB / 10)))
    return float((level[_RISE_MS:] - level[:-_RISE_MS]).max() / _RISE_MS)


def _frame_rate_line(clip: HeldOut, sound: Float, model: Model) -> float | None:
    """`buzz_db` over a second of a held note, None if it is too short, too low, silent, or the rate too high."""
    rate, hop = model.manifest.sample_rate, model.manifest.hop_length
    onset = model.manifest.block_samples
    released = clip.controls[:, 1] > 0
    held = (int(released.argmax()) if released.any() else len(released)) * hop
    start = onset + round(_STEADY_FROM_SECONDS * rate)
    end = start + round(_STEADY_SECONDS * rate)
    voiced = clip.f0[clip.f0 > 0]
    low = len(voiced) > 0 and float(voiced.min()) < _LOWEST_HZ
    return None if low or end > min(held, len(sound)) else buzz_db(sound[start:end], rate, rate / hop)


def first_onset_seconds(sound: Float, sample_rate: int) -> float | None:
    """The first onset of (N,) samples by librosa's detector on the spectral flux; None if there is none."""
    found = librosa_module().onset.onset_detect(y=sound, sr=sample_rate, hop_length=_ONSET_HOP_SAMPLES, units="time")
    return float(found[0]) if len(found) else None


def onset_distances(ours: Sequence[Float], recorded: Sequence[Float], sample_rate: int) -> Figures:
    """Milliseconds between the first onset and the recording's, over the clips that have one in both.

    `mean` is signed (positive: ours is late); `missing` counts clips with an onset in the recording only.
    """
    pairs = [
        (first_onset_seconds(a, sample_rate), first_onset_seconds(b, sample_rate))
        for a, b in zip(ours, recorded, strict=True)
    ]
    late = [1000 * (a - b) for a, b in pairs if a is not None and b is not None]
    return {
        **summary([abs(ms) for ms in late]),
        "mean": round(float(np.mean(late)), 3) if late else None,
        "missing": sum(a is None for a, b in pairs if b is not None),
    }


def voice_frechet(ours: Sequence[Float], recorded: Sequence[Float], sample_rate: int) -> float | str:
    """Fréchet distance of two sets of utterances (N,), embedded in windows of 1.6 s; the reason if it is not measured.

    Wan, Wang, Papir, Lopez Moreno: "Generalized End-to-End Loss for Speaker Verification" (2018, arXiv 1710.10467), as
    trained and published in Resemblyzer.
    """
    try:
        resemblyzer = importlib.import_module("resemblyzer")
    except ModuleNotFoundError:
        return "not measured: pip install resemblyzer"
    encoder = resemblyzer.VoiceEncoder("cpu", verbose=False)

    def embed(sounds: Sequence[Float]) -> np.ndarray:
        at_rate = [soxr.resample(sound, sample_rate, _EMBEDDING_RATE) for sound in sounds]
        windows = [encoder.embed_utterance(x, return_partials=True, rate=_EMBEDDINGS_A_SECOND)[1] for x in at_rate]
        return np.concatenate(windows).astype(np.float64)

    return round(frechet_of_features(embed(ours), embed(recorded)), 4)
