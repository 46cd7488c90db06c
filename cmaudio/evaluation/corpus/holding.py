"""Five minutes of a held note from the network alone: does its own output as context make it drift?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from cmaudio.evaluation.context import Figures, summary
from cmaudio.evaluation.corpus.free_running import stream, timbres
from cmaudio.evaluation.corpus.samplers import Sampler
from cmaudio.evaluation.drift import Drift, drift
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.excitation import harmonic_picture, semitones_to_hz
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.note_features import UNPITCHED_SEMITONES, all_note_features
from cmaudio.synthesis.sources import seen_partials, timbre_pulses

SECONDS = 300
_MOST_TIMBRES = 16
_PITCH, _VELOCITY = 60.0, 96.0
_STEADY_SECONDS = 8  # the features are constant in their second half, which is repeated
_ACTIVE_ABOVE_FLOOR = 10.0  # 20 dB


def measure_holding(synthesizer: Synthesizer, sampler: Sampler, seconds: int = SECONDS) -> Figures:
    """Sustained timbres (at most 16, spread over the list) on C4: each second's level and spectrum against the third's.

    Level is that of the mel spectrum. Returns summaries over timbres in dB, and the worst.
    """
    held = [timbre for timbre in synthesizer.model.manifest.timbres if timbre.sustained]
    held = held[:: max(1, -(-len(held) // _MOST_TIMBRES))]
    if not held:
        return {"not_measured": "the model has no sustained timbre"}
    figures = [found.metrics() for found in _drifts(synthesizer, held, sampler, seconds)]
    worst = sorted(zip(held, figures, strict=True), key=lambda pair: -pair[1]["spectrum_max_db"])[:6]
    return {
        "seconds": seconds,
        "timbres": len(held),
        **{key: summary([f[key] for f in figures]) for key in ("level_max_db", "spectrum_max_db", "spectrum_end_db")},
        "worst": [{"timbre": timbre.name, **f} for timbre, f in worst],
    }


def _drifts(synthesizer: Synthesizer, held: list[TimbreDefinition], sampler: Sampler, seconds: int) -> list[Drift]:
    manifest = synthesizer.model.manifest
    vectors = timbres(synthesizer, [timbre.name for timbre in held])
    running = stream(synthesizer, _controls(synthesizer, held), vectors, sampler, np.random.default_rng(0))
    levels, means = [], []
    for _, piece in zip(range(seconds), _seconds(running, manifest.frame_rate), strict=False):
        log_mel = (piece * synthesizer.std + synthesizer.mean).astype(np.float64)
        levels.append(10 * np.log10(np.exp(2 * log_mel).mean((1, 2))))
        means.append(log_mel.mean(1))
    active_above = float(np.log(manifest.mel.floor * _ACTIVE_ABOVE_FLOOR))
    rows = zip(np.stack(levels, 1), np.stack(means, 1), strict=True)
    return [drift(level, spectra, active_above) for level, spectra in rows]


def _seconds(blocks: Iterable[Float], frame_rate: float) -> Iterator[Float]:
    """Blocks (N, K, M) joined into (N, T, M) of about a second each, without the initial silent block."""
    pieces, frames, ends = iter(blocks), 0, frame_rate
    held: list[Float] = []
    next(pieces)
    for block in pieces:
        held.append(block)
        frames += block.shape[1]
        if frames >= ends:
            yield np.concatenate(held, 1)
            held, ends = [], ends + frame_rate


def _controls(synthesizer: Synthesizer, held: list[TimbreDefinition]) -> Iterator[Float]:
    """(N, K, C), endless: the note starts after the first block and is never released."""
    m, k = synthesizer.model.manifest, synthesizer.block_frames
    steady = int(_STEADY_SECONDS / 2 * m.sample_rate / m.hop_length) // k * k
    beginning = np.stack([_started(synthesizer, timbre, 2 * steady) for timbre in held])
    for begin in range(0, 2 * steady, k):
        yield np.ascontiguousarray(beginning[:, begin : begin + k])
    while True:
        for begin in range(steady, 2 * steady, k):
            yield np.ascontiguousarray(beginning[:, begin : begin + k])


def _started(synthesizer: Synthesizer, timbre: TimbreDefinition, frames: int) -> Float:
    """(T, C) of a note that starts at frame K."""
    model, k = synthesizer.model, synthesizer.block_frames
    rate, hop = model.manifest.sample_rate, model.manifest.hop_length
    pitch = np.array([_PITCH if timbre.pitched else UNPITCHED_SEMITONES])
    semitones = np.broadcast_to(pitch[:, None], (1, frames))
    since_onset = (np.arange(frames)[None] + 1.0 - k) * hop / rate
    life = all_note_features(since_onset, np.full((1, frames), -np.inf), semitones, pitch, np.array([_VELOCITY]))[
        0, :, : synthesizer.features
    ]
    f0 = semitones_to_hz(np.broadcast_to(pitch, frames * hop)) * timbre.pitched
    f0[: k * hop] = 0
    pulses = timbre_pulses(seen_partials(model.manifest, timbre), _PITCH, f0, rate)
    before = np.zeros(model.stft.overlap, np.float32)
    picture = harmonic_picture(model.mel(model.stft.analyse(np.concatenate([before, pulses]))))
    return np.concatenate([life, picture], 1)
