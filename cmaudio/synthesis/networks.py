"""One block step for B voices: controls and noise in, log-mel frames and vocoder filters out, state in and out.

Shapes: B voices, K frames of a block, M mel bands, C control channels, Z timbre dimensions, E conditioning width,
F STFT bins. A voice's state is its row of the arrays of its batch (`cmaudio.synthesis.state_rows`).
Every row is computed independently of the others: batching does not affect the sound of a voice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.graph import Graph, load_graph
from cmaudio.synthesis.prior import NoPrediction, Prediction, Prior
from cmaudio.synthesis.trial import try_out

STEPS = (1, 2)
_Shapes = dict[str, tuple[int, ...]]  # by input or output, without the voice axis


@dataclass
class NetworkState:
    """The streaming state of a batch of voices.

    frames (B, K, M): normalised log-mel of the last block; residual (B, K, M): the head's sample of it, the same as
    `frames` without a prior; conditioning (B, K, E) of that block; streaming states of context encoder and vocoder.
    A new batch also has level (B, K, 1): nepers to add to the vocoder's output for `frames`; None for 0.
    """

    frames: Float
    residual: Float
    conditioning: Float
    context: list[Float]
    vocoder: list[Float]
    level: Float | None = None

    @property
    def arrays(self) -> list[Float]:
        """Everything that the next block depends on, except for the vocoder's state."""
        return [self.frames, self.residual, self.conditioning, *self.context]

    @classmethod
    def of(cls, arrays: list[Float], vocoder: list[Float]) -> NetworkState:
        """The inverse of `arrays`."""
        frames, residual, conditioning, *context = arrays
        return cls(frames, residual, conditioning, context, vocoder)


def stack(arrays: Sequence[Float]) -> Float:
    """Join per-voice arrays along a new leading axis, without a copy where there is one voice."""
    return arrays[0][None] if len(arrays) == 1 else np.stack(arrays)


def batch_states(states: Sequence[NetworkState]) -> NetworkState:
    """Join states into one of all their voices."""
    arrays = [np.concatenate(of_all) for of_all in zip(*(state.arrays for state in states), strict=True)]
    vocoder = [np.concatenate(of_all) for of_all in zip(*(state.vocoder for state in states), strict=True)]
    return NetworkState.of(arrays, vocoder)


@dataclass(frozen=True)
class Condition:
    """Inputs of the head for the next block: context of the past (B, D + 2M), and conditioning (B, K, E).

    `prediction` is the prior's for the block; `state` is the context encoder's after it.
    """

    prediction: Prediction
    context: Float
    conditioning: Float
    state: list[Float]

    def denoiser(self, synthesizer: Synthesizer) -> Callable[[Float, float], Float]:
        """D(x, sigma) for the next block."""
        return lambda noisy, sigma: synthesizer.denoise(noisy, sigma, self.context, self.conditioning)

    def next_state(self, residual: Float, vocoder: list[Float], humanity: Float | None = None) -> NetworkState:
        """The state after a residual (B, K, M) was sampled for this block, with the given vocoder state.

        `humanity` (B, K, 1) scales the residual of models with a prior; None: 1, as trained.
        """
        frames = self.prediction.frames(residual, np.float32(1) if humanity is None else humanity)
        return NetworkState(frames, residual, self.conditioning, self.state, vocoder, self.prediction.level)


class Synthesizer:
    """The networks of a model, loaded and warm.

    Args:
        model: the model file.
        trusted: load it without a trial in a separate process.
    Raises:
        CmaudioError: graphs that do not fit each other or the manifest, or that need too many resources.
    """

    def __init__(self, model: Model, trusted: bool = False) -> None:
        if not trusted:
            try_out(model)
        self.model = model
        manifest = model.manifest
        self.block_frames = manifest.block_frames
        self.bands = manifest.mel.bands
        self.mean = np.array(manifest.mel.mean, np.float32)
        self.std = np.array(manifest.mel.std, np.float32)
        self.sigma = manifest.sigma
        with ThreadPoolExecutor(2) as pool:  # unpacking and loading release the interpreter lock
            self.controls, self.context, self.head, self.vocoder = pool.map(
                lambda name: load_graph(model, name), ("controls", "context", "head", "vocoder")
            )
        width = self.controls.shapes.get("controls", ["?"])[-1]
        # Beside the features, the controls network reads log-mel of the excitation, and the prior's median.
        self._spectral_inputs = self.bands * (2 if manifest.prior else 1)
        self.features = width - self._spectral_inputs if isinstance(width, int) else 0  # C
        self._check_shapes()
        self.prior = self._load_prior() if manifest.prior else None

    def _load_prior(self) -> Prior:
        graph, manifest = load_graph(self.model, "prior"), self.model.manifest
        frames = (self.block_frames, self.bands)
        shapes: _Shapes = {
            "controls": (self.block_frames, self.features + self.bands),
            "timbre": (self.block_frames, manifest.timbre_dims),
            "median": frames,
            "spread": frames,
        }
        self._refuse_misfits([(graph, shapes)])
        return Prior(graph, self.model, self.silence)

    def _check_shapes(self) -> None:
        """Graphs must fit the manifest: a file assembled from two exports is refused here, not while it plays."""
        k, bands = self.block_frames, self.bands
        conditioning = (k, self.head.shapes.get("conditioning", ["?"])[-1])
        context = (self.head.shapes.get("context", ["?"])[-1],)
        controls: _Shapes = {
            "controls": (k, max(1, self.features) + self._spectral_inputs),
            "timbre": (k, self.model.manifest.timbre_dims),
            "conditioning": conditioning,
        }
        self._refuse_misfits(
            [
                (self.controls, controls),
                (self.context, {"frames": (k, bands), "conditioning": conditioning, "sigma": (), "context": context}),
                (self.head, {"noisy": (k, bands), "sigma": (), "conditioning": conditioning, "denoised": (k, bands)}),
                (self.vocoder, {"mel": (k, bands), "f0": (k,), "filters": (k, 5 * self.model.stft.bins)}),
            ]
        )

    def _refuse_misfits(self, expected: Sequence[tuple[Graph, _Shapes]]) -> None:
        wrong = [graph.misfit(name, shape) for graph, shapes in expected for name, shape in shapes.items()]
        if any(wrong):
            raise CmaudioError(
                f"{self.model.path}: graphs and manifest disagree ({'; '.join(filter(None, wrong))}); "
                "export the model again"
            )

    def update_timbres(self) -> None:
        """Include timbres that were added to the model since it was loaded."""
        if self.prior is not None:
            self.prior.set_timbres(self.model)

    def with_model(self, model: Model) -> Synthesizer:
        """The same networks for a model with other learned timbres; both may be in use."""
        other = copy(self)
        other.model, other.prior = model, copy(self.prior)
        other.update_timbres()
        return other

    def with_corrected_level(self, frames: Float, controls: Float, timbre: Float) -> Float:
        """Frames (B, K, M) with the level that the correction adds after the vocoder."""
        correction = self.prior.correction if self.prior else None
        return frames if correction is None else correction.with_level(frames, controls, timbre)

    @cached_property
    def silence(self) -> Float:
        """(1, K, M) normalised frames of silence, as before a note."""
        frame = (np.log(np.float32(self.model.manifest.mel.floor)) - self.mean) / self.std
        return np.broadcast_to(frame, (1, self.block_frames, self.bands)).astype(np.float32)

    @cached_property
    def _silent_vocoder(self) -> list[Float]:
        f0 = np.zeros((1, self.block_frames), np.float32)
        return self.vocoder(self.silence, f0, state=self.vocoder.init_state(1))[1:]

    def encode(self, controls: Float, timbre: Float) -> Float:
        """(B, T, C') controls, (B, T, Z) timbre -> (B, T, E) conditioning."""
        return self.controls(controls, timbre[..., : self.model.manifest.timbre_dims])[0]

    def predict(self, controls: Float, timbre: Float) -> Prediction:
        """The prior's prediction for a block; controls (B, K, C), timbre (B, K, Z)."""
        return NoPrediction(controls) if self.prior is None else self.prior(controls, timbre)

    def init_state(self, controls: Float, timbre: Float) -> NetworkState:
        """State of B voices before their onset; (B, K, C) controls, (B, K, Z) timbre of the silent block before it."""
        batch = len(controls)
        silent = [np.repeat(array, batch, axis=0) for array in (self.silence, *self._silent_vocoder)]
        prediction = self.predict(controls, timbre)
        conditioning = self.encode(prediction.controls, timbre)
        residual = prediction.residual_of_silence(silent[0])
        return NetworkState(silent[0], residual, conditioning, self.context.init_state(batch), silent[1:])

    def generate(
        self,
        state: NetworkState,
        controls: Float,
        timbre: Float,
        context_noise: Float,
        block_noise: Float,
        humanity: Float | None = None,
    ) -> NetworkState:
        """The next K frames of B voices, in one evaluation of the head for each block of noise.

        Args:
            state: of the batch.
            controls: (B, K, C).
            timbre: (B, K, Z).
            context_noise: (B, K, M) standard normal, added to the last block at the model's context level.
            block_noise: (B, S, K, M) standard normal, S = 1 (one step) or 2 ("fine": a second step from sigma.fine).
            humanity: (B, K, 1), scale of the sampled residual of models with a prior; None: 1, as trained.
        Returns:
            the state with new `frames`; its vocoder part is unchanged.
        """
        condition = self.condition(state, controls, timbre, context_noise)
        denoise = condition.denoiser(self)
        residual = denoise(block_noise[:, 0] * np.float32(self.sigma.start), self.sigma.max)
        for step in range(1, block_noise.shape[1]):
            noise = np.float32(self.sigma.noise(self.sigma.fine)) * block_noise[:, step]
            residual = denoise(residual + noise, self.sigma.fine)
        return condition.next_state(residual, state.vocoder, humanity)

    def condition(self, state: NetworkState, controls: Float, timbre: Float, context_noise: Float) -> Condition:
        """The conditioning of the next block, for any sampler; arguments as for `generate`."""
        level = np.full(len(controls), self.sigma.context, np.float32)
        past = state.residual + level[0] * context_noise
        context, *context_state = self.context(past, state.conditioning, level, state=state.context)
        prediction = self.predict(controls, timbre)
        return Condition(prediction, context, self.encode(prediction.controls, timbre), context_state)

    def denoise(self, noisy: Float, sigma: float, context: Float, conditioning: Float) -> Float:
        """D(x, sigma): (B, K, M) block at noise level sigma -> (B, K, M) clean block."""
        return self.head(noisy, np.full(len(noisy), sigma, np.float32), context, conditioning)[0]

    def filters(self, state: NetworkState, f0: Float) -> tuple[Float, NetworkState]:
        """Vocoder filters (B, K, 5F) for the state's frames at f0 (B, K) Hz, and the state after them."""
        filters, *vocoder = self.vocoder(state.frames, f0, state=state.vocoder)
        return filters, replace(state, vocoder=vocoder)
