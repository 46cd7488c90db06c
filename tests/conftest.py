"""Fixtures that more than one test file uses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fixtures.browser import BROWSERS
from fixtures.jack import JackServer, running_jack_server
from fixtures.shared_models import share
from hypothesis import settings

from cmaudio.model.file import Model, load_model
from cmaudio.model.manifest import Manifest
from cmaudio.model.saving import save_model
from cmaudio.speech.features import SPEECH_FEATURES
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.note_features import NOTE_FEATURES

if TYPE_CHECKING:
    from cmaudio.training.networks.consistency import ConsistencyNetwork
    from cmaudio.training.networks.vocoder import VocoderNetwork

settings.register_profile("cmaudio", deadline=None)  # a busy machine is no fault of what is tested
settings.load_profile("cmaudio")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--browser", choices=BROWSERS, default="chromium", help="in which the panel's page is tested")


@pytest.fixture(scope="session", autouse=True)
def shared_models() -> Iterator[None]:
    """Model files are read once."""
    with pytest.MonkeyPatch.context() as patch:
        share(patch)
        yield


@pytest.fixture
def jack_server() -> Iterator[JackServer]:
    """A running JACK server with a dummy device, gone after the test."""
    yield from running_jack_server()


@pytest.fixture(scope="session")
def model() -> Model:
    """The embedded model."""
    return load_model()


@pytest.fixture(scope="module")
def textures() -> Model:
    """The embedded model of textures."""
    return load_model("textures")


@pytest.fixture(scope="module")
def networks(textures: Model) -> Synthesizer:
    """Those of the textures."""
    return Synthesizer(textures)


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """One thread: the tests' tensors are too small to gain from more."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@dataclass(frozen=True)
class TinyModel:
    """A small random float model, as torch modules and as a loaded model file."""

    network: ConsistencyNetwork
    vocoder: VocoderNetwork
    model: Model


def make_tiny_model(
    folder: Path,
    *,
    seed: int = 0,
    block_frames: int = 4,
    bands: int = 16,
    width: int = 24,
    conditioning: int = 20,
    timbre_dims: int = 5,
    vocoder_width: int = 28,
    hop_length: int = 64,
    symbols: Sequence[str] = (),
) -> TinyModel:
    """Random networks at 16 kHz, exported and loaded; with `symbols` a voice. Skips where torch or onnx is missing."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from cmaudio.training.export.graphs import export_graphs, export_prosody
    from cmaudio.training.networks.consistency import ConsistencyNetwork
    from cmaudio.training.networks.prosody import ProsodyNetwork
    from cmaudio.training.networks.vocoder import VocoderNetwork

    torch.manual_seed(seed)
    network = ConsistencyNetwork(
        mel_bands=bands,
        block_frames=block_frames,
        controls=(SPEECH_FEATURES if symbols else NOTE_FEATURES) + bands,
        timbres=3,
        timbre_dims=timbre_dims,
        width=width,
        context_depth=3,
        head_depth=2,
        conditioning=conditioning,
        symbols=len(symbols),
    )
    vocoder = VocoderNetwork(mel_bands=bands, bins=2 * hop_length + 1, width=vocoder_width, depth=4)
    with torch.no_grad():
        for parameter in network.parameters():  # zero-initialised weights would hide a wrong mapping
            parameter.normal_(0, 0.7 / max(1, parameter.shape[-1]) ** 0.5)
        vocoder.out.weight.normal_(0, 0.3 / vocoder_width**0.5)
    rng = np.random.default_rng(seed)
    timbres = [
        {"name": name, "vector": rng.normal(size=timbre_dims).tolist(), "program": program, "sustained": program > 0}
        for program, name in enumerate(("first", "second", "third"))
    ]
    manifest = Manifest.model_validate(
        {
            "format_version": 1,
            "name": "tiny",
            "description": "random",
            "licence": "none",
            "sample_rate": 16_000,
            "hop_length": hop_length,
            "n_fft": 4 * hop_length,
            "block_frames": block_frames,
            "mel": {
                "bands": bands,
                "f_min_hz": 20.0,
                "f_max_hz": 8_000.0,
                "floor": 3e-4,
                "mean": rng.normal(-5, 1, bands).tolist(),
                "std": rng.uniform(1, 2, bands).tolist(),
            },
            "sigma": {"min": 0.002, "max": 80.0, "data": 1.0, "fine": 1.0, "context": 0.1, "temperature": 0.7},
            "features": "speech-2" if symbols else "note-1",
            "speech": {"language": "en-us", "symbols": list(symbols)} if symbols else None,
            "controls": [],
            "timbre_dims": timbre_dims,
            "timbres": timbres,
            "default_timbre": "first",
            "weights": "float32",
            "sha256": {},
        }
    )
    path = folder / "tiny.cmaudio"
    graphs = export_graphs(network, vocoder)
    if symbols:
        prosody = ProsodyNetwork(symbols=len(symbols), timbre_dims=timbre_dims, width=16, depth=2).eval()
        torch.nn.init.normal_(prosody.out.weight, 0, 0.1)
        graphs["prosody"] = export_prosody(prosody)
    save_model(path, manifest, graphs, "A random model.")
    return TinyModel(network.eval(), vocoder.eval(), load_model(path))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyModel:
    """The small random float model."""
    return make_tiny_model(tmp_path_factory.mktemp("tiny"))


# What the English front end gives, and the pauses.
_SOUNDS = "p b t d k ɡ f v θ ð s z ʃ ʒ h m n ŋ l ɹ w j t͡ʃ d͡ʒ i ɪ ɛ æ ɑ ɔ ʊ u ʌ ə ɚ eɪ aɪ ɔɪ aʊ oʊ"
ENGLISH = ("", ",", ".", "?", "!", *re.split(" ", _SOUNDS))


@pytest.fixture(scope="session")
def tiny_voice(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A small random voice with three speakers."""
    return make_tiny_model(tmp_path_factory.mktemp("voice"), symbols=ENGLISH).model
