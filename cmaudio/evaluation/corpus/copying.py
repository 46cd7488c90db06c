"""Copy-synthesis: recorded mels through the vocoder, compared with the recordings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cmaudio.evaluation.context import Figures
from cmaudio.evaluation.corpus.clips import HeldOut
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float, split_filters, white_noise
from cmaudio.synthesis.block_vocoder import used_bins
from cmaudio.synthesis.excitation import nearest_key
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.sources import base_hz, timbre_pulses

_PESQ_RATE = 16_000


def copy(synthesizer: Synthesizer, clip: HeldOut, seed: int = 0) -> Float:
    """(N,) samples from the clip's own mel and pitch."""
    from cmaudio.training.corpus.clip import sample_f0

    model = synthesizer.model
    stft, k = model.stft, synthesizer.block_frames
    before = np.zeros(stft.overlap, np.float32)
    partials = model.timbres[clip.timbre].partials
    hz = sample_f0(clip.f0, stft.hop_length)
    pulses = timbre_pulses(partials, nearest_key(clip.f0), hz, model.manifest.sample_rate)
    base = base_hz(partials, clip.f0)
    noise = white_noise(np.random.default_rng(seed), len(pulses))
    harmonic, noisy = (stft.analyse(np.concatenate([before, x])) for x in (pulses, noise))
    state, rows = synthesizer.vocoder.init_state(1), []
    for start in range(0, len(clip.mel), k):
        block = slice(start, start + k)
        raw, *state = synthesizer.vocoder(clip.mel[None, block], base[None, block], state=state)
        rows.append(raw[0])
    h, n, d = split_filters(np.concatenate(rows))
    spectra = h * harmonic + n * noisy + d
    spectra[:, used_bins(stft) :] = 0
    return stft.overlap_add(spectra)[stft.overlap :]


def measure_copying(synthesizer: Synthesizer, clips: Sequence[HeldOut], speech: bool) -> Figures:
    """Multi-resolution log10-mel L1 (`training.tasks.mel_loss`), mean over clips; of speech also PESQ (P.862.2)."""
    import torch

    from cmaudio.training.tasks.mel_loss import MultiResolutionMelLoss

    model = synthesizer.model
    distance = MultiResolutionMelLoss(model.manifest.sample_rate)
    # The last frames, whose overlap is incomplete, are excluded.
    pairs = [(copy(synthesizer, c)[: -model.stft.overlap], c.audio[: -model.stft.overlap]) for c in clips]
    pairs = [(a, b) for a, b in pairs if len(a) >= max(distance.lengths)]
    distances = [float(distance(torch.from_numpy(a)[None], torch.from_numpy(b)[None])) for a, b in pairs]
    figures: Figures = {"clips": len(pairs), "mel_l1": round(float(np.mean(distances)), 4) if pairs else None}
    return figures | ({"pesq": _pesq(pairs, model)} if speech else {})


def _pesq(pairs: Sequence[tuple[Float, Float]], model: Model) -> float | str:
    try:
        from pesq import PesqError, pesq
    except ModuleNotFoundError:
        return "not measured: pip install pesq"
    import soxr

    scores = []
    for ours, recorded in pairs:
        a, b = (soxr.resample(x, model.manifest.sample_rate, _PESQ_RATE) for x in (ours, recorded))
        score = pesq(_PESQ_RATE, b, a, "wb", on_error=PesqError.RETURN_VALUES)
        if score > 0:  # -1 if it found no utterance
            scores.append(score)
    return round(float(np.mean(scores)), 3) if scores else "not measured: no utterance found"
