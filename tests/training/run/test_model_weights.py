"""Networks back out of a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import TinyModel, make_tiny_model

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from torch import Tensor, nn

from cmaudio.errors import CmaudioError
from cmaudio.model.file import load_model
from cmaudio.model.saving import save_model
from cmaudio.speech.features import SPEECH_FEATURES
from cmaudio.training.export.eight_bit import record_feeds
from cmaudio.training.export.graphs import KEEP_FLOAT, export_graphs, export_prosody, quantise
from cmaudio.training.networks.consistency import ConsistencyNetwork, PhonemeControlEncoder
from cmaudio.training.networks.prosody import ProsodyNetwork
from cmaudio.training.run.checkpoint import save_tensors
from cmaudio.training.run.model_weights import weights_of
from cmaudio.training.run.weights import can_start_from, read_statistics, save_weights, start_from


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyModel:
    """A model in which no two arrays are alike, as after training: the exporter keeps one of those that are."""
    return distinct(make_tiny_model(tmp_path_factory.mktemp("distinct")))


def distinct(model: TinyModel, **more: nn.Module) -> TinyModel:
    torch.manual_seed(3)
    with torch.no_grad():
        for module in (model.network, model.vocoder, *more.values()):
            for parameter in module.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
    graphs = export_graphs(model.network, model.vocoder)
    graphs |= {name: export_prosody(module) for name, module in more.items() if isinstance(module, ProsodyNetwork)}
    save_model(model.model.path, model.model.manifest, graphs, "")
    return TinyModel(model.network, model.vocoder, load_model(model.model.path))


@pytest.mark.parametrize("network", ["network", "vocoder"])
def test_float_weights_come_back_exactly(tiny: TinyModel, network: str) -> None:
    module = getattr(tiny, network)
    found = weights_of(tiny.model, module)
    wanted = module.state_dict()
    assert found.keys() == wanted.keys()
    for name, tensor in wanted.items():
        if name != "timbres.weight":  # a model's timbres are those of its manifest
            torch.testing.assert_close(found[name], tensor, rtol=0, atol=0)
    if network == "network":
        vectors = torch.tensor([timbre.vector for timbre in tiny.model.manifest.timbres])
        torch.testing.assert_close(found["timbres.weight"], vectors)


def test_eight_bit_weights_are_dequantised(tiny: TinyModel, tmp_path: Path) -> None:
    feeds = record_feeds(tiny.model, rounds=2)
    graphs = export_graphs(tiny.network, tiny.vocoder)
    small = {name: quantise(graph, feeds[name], KEEP_FLOAT[name]) for name, graph in graphs.items()}
    save_model(tmp_path / "small.cmaudio", tiny.model.manifest, small, "")
    found = weights_of(load_model(tmp_path / "small.cmaudio"), tiny.vocoder)
    for name, tensor in tiny.vocoder.state_dict().items():
        step = tensor.abs().amax(-1, keepdim=True) / 127 if tensor.dim() == 2 else torch.zeros(1)
        assert ((found[name] - tensor).abs() <= 0.51 * step + 1e-7).all(), name
    assert any(not torch.equal(found[name], tensor) for name, tensor in tiny.vocoder.state_dict().items())


def test_a_stage_starts_from_a_model_file_with_timbres_by_name(tiny: TinyModel) -> None:
    torch.manual_seed(1)
    network = ConsistencyNetwork(
        **{**_shape(tiny.network), "timbres": 2},
    )
    assert start_from(tiny.model.path, network, ["second", "new"]) == 1
    second, new = network.timbres.weight
    torch.testing.assert_close(second, torch.tensor(tiny.model.timbres["second"].vector, dtype=torch.float32))
    mean = np.mean([timbre.vector for timbre in tiny.model.manifest.timbres], 0)
    np.testing.assert_allclose(new.detach(), mean, rtol=1e-5)
    torch.testing.assert_close(read_statistics(tiny.model.path).mean, torch.tensor(tiny.model.manifest.mel.mean))


def test_tensors_of_another_shape_are_named(tiny: TinyModel) -> None:
    network = ConsistencyNetwork(**{**_shape(tiny.network), "head_depth": 3, "timbres": 3})
    with pytest.raises(CmaudioError, match=r"does not fit the networks of this configuration: .*head\.convs\.2"):
        start_from(tiny.model.path, network, ["first", "second", "third"])


def test_a_network_that_the_model_lacks_is_named(tiny: TinyModel) -> None:
    prosody = ProsodyNetwork(symbols=5, timbre_dims=4, width=16, depth=2)
    with pytest.raises(CmaudioError, match="has no prosody network"):
        start_from(tiny.model.path, prosody, [])


def test_embedded_models_are_known_by_name() -> None:
    assert can_start_from(Path("english"))
    assert not can_start_from(Path("nobody"))


def test_prosody_weights_are_read_from_a_voice(tmp_path: Path) -> None:
    voice = make_tiny_model(tmp_path, symbols=("", "a", "b"))
    shape = {"symbols": 3, "timbre_dims": voice.model.manifest.timbre_dims, "width": 16, "depth": 2}
    prosody, other = ProsodyNetwork(**shape).eval(), ProsodyNetwork(**shape)
    start_from(distinct(voice, prosody=prosody).model.path, other, [])
    for name, tensor in prosody.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], tensor, rtol=0, atol=0)


def test_a_prosody_network_may_start_from_one_without_kinds_of_sentences(tmp_path: Path) -> None:
    network = ProsodyNetwork(symbols=3, timbre_dims=4, width=16, depth=2)
    new = network.unknown_columns()
    known = {name: torch.ones_like(tensor) for name, tensor in network.state_dict().items() if name not in new}
    save_tensors(tmp_path / "prosody.safetensors", known, {"timbres": [], "symbols": []})
    start_from(tmp_path / "prosody.safetensors", network, [])
    assert not any(table.weight.any() for table in network.tables)
    assert network.symbol.weight.min() == 1


def test_a_voice_in_another_language_starts_with_shared_phonemes(tmp_path: Path) -> None:
    tiny = make_tiny_model(tmp_path, symbols=("", "a", "b"))
    prosody = ProsodyNetwork(symbols=3, timbre_dims=tiny.model.manifest.timbre_dims, width=16, depth=2)
    voice = distinct(tiny, prosody=prosody)
    rows = _phonemes(voice.network)
    shape = _shape(voice.network)
    network = ConsistencyNetwork(**{**shape, "timbres": 3, "symbols": 4})
    start_from(voice.model.path, network, ["first", "second", "third"], ["", "b", "c", "d"])
    new = _phonemes(network)
    torch.testing.assert_close(new[[0, 1]], rows[[0, 2]])
    torch.testing.assert_close(new[2], rows.mean(0))
    weights = tmp_path / "student.safetensors"
    statistics = read_statistics(voice.model.path)
    save_weights(weights, network, statistics, ["first", "second", "third"], {}, ["", "b", "c", "d"])
    back = ConsistencyNetwork(**{**shape, "timbres": 3, "symbols": 2})
    start_from(weights, back, ["first", "second", "third"], ["", "c"])
    torch.testing.assert_close(_phonemes(back)[1], new[2])


def test_widening_the_phoneme_context_does_not_change_the_output(tmp_path: Path) -> None:
    voice = make_tiny_model(tmp_path, symbols=("", "a", "b"))
    encoder = voice.network.control_encoder
    assert isinstance(encoder, PhonemeControlEncoder)
    new = [i for i, column in enumerate(encoder.others) if 14 <= column < SPEECH_FEATURES]
    dims = encoder.symbols.embedding_dim
    gone = [*range(3 * dims, 5 * dims), *(5 * dims + i for i in new)]
    first = "control_encoder.mlp.0.weight"
    wide = voice.network.state_dict()[first].clone()
    kept = [i for i in range(wide.shape[1]) if i not in gone]
    wide[:, gone] = 0
    torch.testing.assert_close(encoder.widened(wide[:, kept]), wide, rtol=0, atol=0)
    assert encoder.widened(wide) is wide
    tensors = voice.network.state_dict() | {first: wide[:, kept].clone()}
    weights = tmp_path / "student.safetensors"
    names, symbols = ["first", "second", "third"], ["", "a", "b"]
    save_tensors(weights, tensors, {"timbres": names, "symbols": symbols})
    network = ConsistencyNetwork(**{**_shape(voice.network), "timbres": 3, "symbols": 3})
    start_from(weights, network, names, symbols)
    torch.testing.assert_close(network.state_dict()[first], wide, rtol=0, atol=0)


def _phonemes(network: ConsistencyNetwork) -> Tensor:
    assert isinstance(network.control_encoder, PhonemeControlEncoder)
    return network.control_encoder.symbols.weight


def _shape(network: ConsistencyNetwork) -> dict[str, Any]:
    encoder, head = network.context_encoder, network.head
    return {
        "mel_bands": encoder.mel_bands,
        "block_frames": head.block_frames,
        "controls": network.control_encoder.control_width,
        "timbre_dims": network.timbres.embedding_dim,
        "width": head.width,
        "context_depth": len(encoder.mlps),
        "head_depth": len(head.mlps),
        "conditioning": network.control_encoder.width,
    }
