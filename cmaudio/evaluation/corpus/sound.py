"""Sound of the held-out clips: sharpness and timing of attacks, and audibility of the frame rate.

Shapes: N samples, T frames, M mel bands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from cmaudio.evaluation.buzz import buzz_db
from cmaudio.evaluation.corpus.clips import HeldOut
from cmaudio.evaluation.corpus.copying import copy
from cmaudio.evaluation.corpus.embedding import voice_frechet
from cmaudio.evaluation.corpus.onset_times import onset_distances
from cmaudio.evaluation.setting import Figures, summary
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.networks import Synthesizer

_ATTACK_SECONDS, _BEFORE_SECONDS = 0.35, 0.01
_WINDOW_SECONDS, _RISE_MS = 0.004, 5
_RANGE_DB = 40.0
_STEADY_FROM_SECONDS, _STEADY_SECONDS = 0.3, 1.0
_LOWEST_HZ = 140.0  # below it, beating between neighbouring harmonics is close to the frame rate


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
