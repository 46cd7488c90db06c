"""What a timbre plays, as a function of its table and its point: one block deep, so that all blocks are one batch.

A sound is first played free-running by the engine's own networks. Every block is then recomputed in torch from the
context it had, so gradients reach the prior's prediction and the block's own sample, but not earlier blocks. What the
vocoder's noise adds to the log-mel of the audio is measured once, on takes with nothing sampled, and added to every
take.

Shapes: B takes, N blocks, K frames of a block, T = N K frames, M mel bands, A ages, Z timbre dimensions.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from cmaudio.learning.lesson import Lesson
from cmaudio.learning.table import rounded
from cmaudio.model.file import load_model
from cmaudio.model.learned import Learned
from cmaudio.model.manifest import TimbreDefinition, with_timbre
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.texture_features import TAKE_DIMS, TEXTURE_KINDS
from cmaudio.synthesis.texture_voice import TAKE_SPREAD
from cmaudio.training.tuning.onnx_module import OnnxModule

_NEPERS = np.log(10) / 20
_MEASURED_TAKES = 16


class TimbreParameters(nn.Module):
    """What is tuned: offsets (A, M) and widening (M,) of the first spectrum in nepers, and the point (Z,)."""

    def __init__(self, timbre: TimbreDefinition) -> None:
        super().__init__()
        assert timbre.learned is not None
        spectrum = timbre.learned.spectra[0]
        self.timbre, self.ages = timbre, np.array(spectrum.ages_s)
        self.offsets = nn.Parameter(_NEPERS * torch.tensor(spectrum.offsets_db))
        self.widening = nn.Parameter(_NEPERS * torch.tensor(spectrum.spread_db))
        self.point = nn.Parameter(torch.tensor(timbre.vector))

    def at(self, ages: np.ndarray) -> Tensor:
        """(T, M) offsets at ages (T,), as they are interpolated while playing."""
        place = np.interp(ages, self.ages, np.arange(len(self.ages)))
        low = np.minimum(place.astype(int), len(self.ages) - 1)
        share = torch.from_numpy((place - low)[:, None].astype(np.float32))
        return (1 - share) * self.offsets[low] + share * self.offsets[np.minimum(low + 1, len(self.ages) - 1)]

    @torch.no_grad()
    def definition(self) -> TimbreDefinition:
        """The timbre as it is now; its other spectra, at other pitches, stay as they were."""
        assert self.timbre.learned is not None
        first, *rest = self.timbre.learned.spectra
        offsets, widening = (part.double().numpy() / _NEPERS for part in (self.offsets, self.widening))
        spectrum = rounded(first.key, self.ages, offsets, widening)
        vector = [round(value, 5) for value in self.point.tolist()]
        return self.timbre.model_copy(update={"vector": vector, "learned": Learned(spectra=[spectrum, *rest])})


class Playing:
    """Plays a timbre of a lesson for so many frames, a multiple of the block."""

    def __init__(self, lesson: Lesson, timbre: TimbreDefinition, frames: int) -> None:
        assert timbre.learned is not None
        networks, manifest = lesson.networks, lesson.model.manifest
        k = networks.block_frames
        self._lesson, self._blocks = lesson, frames // k
        graphs = load_model(lesson.model.path)
        self._controls, self._head, self._prior = (OnnxModule(graphs.graph(n)) for n in ("controls", "head", "prior"))
        key = timbre.learned.spectra[0].key
        self.ages = np.arange(1, frames + 1) / manifest.frame_rate
        before = (np.arange(k) - (k - 1)) / manifest.frame_rate
        self._frame_controls = lesson.expectation.controls(timbre, self.ages.reshape(-1, k), key)  # (N, K, C + M)
        self._controls_before = lesson.expectation.controls(timbre, before[None], key)
        self._std, self._mean = torch.from_numpy(networks.std), torch.from_numpy(networks.mean)
        self._floor = float(np.log(manifest.mel.floor))
        self._takes = TAKE_DIMS if manifest.features in TEXTURE_KINDS else 0
        self._added = self._measured(timbre, frames)

    def _measured(self, timbre: TimbreDefinition, frames: int) -> Float:
        """(takes, T, M) log-mel of a timbre played at humanity 0, minus the prior's prediction."""
        takes = [mel[:frames] for mel in self._lesson.hear(timbre, range(100, 100 + _MEASURED_TAKES), humanity=0.0)]
        parameters = TimbreParameters(timbre)
        with torch.no_grad():
            predicted = self._predict(parameters, torch.from_numpy(self._frame_controls))[0] * self._std + self._mean
        missing = frames - len(takes[0])
        padded = [np.pad(mel, ((0, missing), (0, 0)), mode="edge") for mel in takes]
        return np.stack(padded) - np.maximum(predicted.reshape(frames, -1).numpy(), np.float32(self._floor))

    def _predict(self, parameters: TimbreParameters, controls: Tensor) -> tuple[Tensor, Tensor]:
        """Median and spread (..., N, K, M), normalised, for controls (..., N, K, C)."""
        shape = controls.shape[:-1]
        flat = controls.flatten(0, -3)
        point = parameters.point.expand(*flat.shape[:2], -1)
        median, spread = (part.reshape(*shape, -1) for part in self._prior(flat, point))
        offsets = (parameters.at(self.ages) / self._std).reshape(*shape[-2:], -1)
        return median + offsets, spread * torch.exp(parameters.widening)

    def __call__(self, parameters: TimbreParameters, takes: int, rng: np.random.Generator) -> Tensor:
        """(B, T, M) log-mels, not normalised."""
        controls = np.repeat(self._frame_controls[None], takes, 0)
        if self._takes:  # as in `take_of`, of a timbre without recordings of its own
            end = self._lesson.networks.features
            take = TAKE_SPREAD * rng.standard_normal((takes, 1, 1, self._takes))
            controls[..., end - self._takes : end] = take
        noise, pasts = self._played(parameters.definition(), controls, rng)
        networks, known = self._lesson.networks, torch.from_numpy(controls)
        median, spread = self._predict(parameters, known)
        k, rows = noise.shape[2], takes * self._blocks
        point = parameters.point.expand(rows, k, -1)
        conditioning = self._controls(torch.cat([known, median], -1).flatten(0, 1), point)[0]
        residual = self._head(
            torch.from_numpy(noise * np.float32(networks.sigma.start)).flatten(0, 1),
            torch.full((rows,), networks.sigma.max),
            torch.from_numpy(pasts).flatten(0, 1),
            conditioning,
        )[0].reshape(median.shape)
        frames = ((median + spread * residual) * self._std + self._mean).clamp(min=self._floor).flatten(1, 2)
        added = self._added[rng.integers(0, len(self._added), takes)]
        return (frames + torch.from_numpy(added)).clamp(min=self._floor)

    def _played(self, timbre: TimbreDefinition, controls: Float, rng: np.random.Generator) -> tuple[Float, Float]:
        """The noise (B, N, K, M) of every block and its context (B, N, D), for controls (B, N, K, C)."""
        model = replace(self._lesson.model, manifest=with_timbre(self._lesson.model.manifest, timbre))
        networks = self._lesson.networks.with_model(model)
        takes, k, bands = len(controls), networks.block_frames, networks.bands
        vector = model.timbre_vector(timbre.name).astype(np.float32)
        vectors = np.broadcast_to(vector, (takes, k, len(vector)))
        noise = rng.standard_normal((takes, self._blocks, k, bands), dtype=np.float32)
        state = networks.init_state(np.repeat(self._controls_before, takes, 0), vectors)
        pasts = []
        for i in range(self._blocks):
            near = rng.standard_normal((takes, k, bands), np.float32)
            given = networks.condition(state, controls[:, i], vectors, near)
            residual = given.denoiser(networks)(noise[:, i] * np.float32(networks.sigma.start), networks.sigma.max)
            state = given.next_state(residual, state.vocoder)
            pasts.append(given.context)
        return noise, np.stack(pasts, 1)
