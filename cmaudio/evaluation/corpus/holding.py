"""Five minutes of a held note from the network alone: whether its own past leads it astray."""

from __future__ import annotations

import numpy as np

from cmaudio.controls import NOTE_FEATURES, UNPITCHED_SEMITONES, note_features
from cmaudio.dsp import Float
from cmaudio.evaluation.corpus.free_running import run_controls
from cmaudio.evaluation.corpus.samplers import Sampler
from cmaudio.evaluation.drift import Drift, drift
from cmaudio.evaluation.setting import Figures, summary
from cmaudio.model import TimbreDefinition
from cmaudio.synthesis import Synthesizer

SECONDS = 300
_MOST_TIMBRES = 16
_PITCH, _VELOCITY = 60.0, 96.0
_PICTURE_SECONDS = 8  # of the harmonics: after that they repeat
_ACTIVE_ABOVE_FLOOR = 10.0  # 20 dB


def measure_holding(synthesizer: Synthesizer, sampler: Sampler, seconds: int = SECONDS) -> Figures:
    """Sustained timbres (at most 16, spread over the list) on C4: each second's level and spectrum against the third's.

    Level is that of the mel spectrum. Returns summaries over timbres in dB, and the worst.
    """
    held = [timbre for timbre in synthesizer.model.manifest.timbres if timbre.sustained]
    held = held[:: max(1, -(-len(held) // _MOST_TIMBRES))]
    if not held:
        return {"not_measured": "the model has no sustained timbre"}
    drifts = _drifts(synthesizer, held, sampler, seconds)
    figures = [found.figures() for found in drifts]
    worst = sorted(zip(held, figures, strict=True), key=lambda pair: -pair[1]["spectrum_max_db"])[:6]
    return {
        "seconds": seconds,
        "timbres": len(held),
        **{key: summary([f[key] for f in figures]) for key in ("level_max_db", "spectrum_max_db", "spectrum_end_db")},
        "worst": [{"timbre": timbre.name, **f} for timbre, f in worst],
    }


def _drifts(synthesizer: Synthesizer, timbres: list[TimbreDefinition], sampler: Sampler, seconds: int) -> list[Drift]:
    manifest = synthesizer.model.manifest
    frame_rate = manifest.sample_rate / manifest.hop_length
    frames = -(-int(seconds * frame_rate) // synthesizer.block_frames) * synthesizer.block_frames
    controls = np.stack([_controls(synthesizer, timbre.pitched, frames) for timbre in timbres])
    vectors = np.array([timbre.vector for timbre in timbres], np.float32)
    mels = run_controls(synthesizer, controls, vectors, sampler, np.random.default_rng(0))
    log_mel = mels * synthesizer.std + synthesizer.mean
    a_second = int(frame_rate)
    pieces = log_mel[:, : seconds * a_second].reshape(len(timbres), seconds, a_second, -1)
    levels = 10 * np.log10(np.exp(2 * pieces.astype(np.float64)).mean((2, 3)))
    active_above = float(np.log(manifest.mel.floor * _ACTIVE_ABOVE_FLOOR))
    means = pieces.mean(2).astype(np.float64)
    return [drift(level, spectra, active_above) for level, spectra in zip(levels, means, strict=True)]


def _controls(synthesizer: Synthesizer, pitched: bool, frames: int) -> Float:
    """(T, C): struck at frame 4, never let go."""
    from cmaudio.training.data.clip import Signal, f0_hz, harmonics

    model = synthesizer.model
    rate, hop = model.manifest.sample_rate, model.manifest.hop_length
    pitch = _PITCH if pitched else UNPITCHED_SEMITONES
    ends = (np.arange(frames)[None] - 3.0) * hop / rate
    semitones = np.full((1, frames), pitch)
    life = note_features(ends, np.full((1, frames), -np.inf), semitones, np.array([pitch]), np.array([_VELOCITY]))[0]
    shown = min(frames, int(_PICTURE_SECONDS * rate / hop))
    voiced = ((np.arange(shown) >= 4) & pitched).astype(np.float32)
    picture = harmonics(Signal(model.stft, model.mel), f0_hz(np.full(shown, pitch, np.float32), voiced))
    steady = picture[shown // 2 :]
    more = -(-(frames - shown) // len(steady))
    assert life.shape[1] == NOTE_FEATURES
    return np.concatenate([life, np.concatenate([picture, *([steady] * more)])[:frames]], 1)
