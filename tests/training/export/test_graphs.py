"""Exported graphs equal the torch networks, in 32 bit and in 8."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import TinyModel

from cmaudio.engine.engine import Engine
from cmaudio.engine.mixer import VOICE_GAIN
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.excitation import harmonic_picture, semitones_to_hz
from cmaudio.synthesis.graph import Graph
from cmaudio.synthesis.networks import Synthesizer, batch_states
from cmaudio.synthesis.note_features import note_features

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from torch import nn

from cmaudio.training.export.graphs import KEEP_FLOAT, export_graphs, quantise
from cmaudio.training.networks.vocoder import VocoderNetwork

pytestmark = pytest.mark.usefixtures("one_thread")


def randomise(module: nn.Module) -> None:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, 0.7 / parameter.shape[-1] ** 0.5)


# -- ONNX ------------------------------------------------------------------------------------------------------------


def random_block(tiny: TinyModel, rng: np.random.Generator, batch: int) -> list[Float]:
    """Controls, timbre, context noise, block noise of two steps, f0."""
    k, bands = tiny.model.manifest.block_frames, tiny.model.manifest.mel.bands
    shapes = ((k, 16 + bands), (k, tiny.model.manifest.timbre_dims), (k, bands), (2, k, bands))
    f0 = rng.choice([0.0, 50.0, 440.0, 3000.0], (batch, k))
    return [*(rng.standard_normal((batch, *s), dtype=np.float32) for s in shapes), f0.astype(np.float32)]


@pytest.mark.parametrize("steps", [1, 2])
def test_onnx_equals_torch_over_a_streamed_run(tiny: TinyModel, steps: int) -> None:
    batch, rng, synthesizer = 3, np.random.default_rng(0), Synthesizer(tiny.model)
    network, vocoder, sigma = tiny.network, tiny.vocoder, tiny.model.manifest.sigma
    controls, timbre, *_ = random_block(tiny, rng, batch)
    state = batch_states([synthesizer.init_state(controls[i : i + 1], timbre[i : i + 1]) for i in range(batch)])

    with torch.no_grad():
        level, highest = torch.full((batch,), sigma.context), torch.full((batch,), sigma.max)
        frames = torch.from_numpy(np.repeat(synthesizer.silence, batch, 0))
        c = network.control_encoder(torch.from_numpy(controls), torch.from_numpy(timbre))
        context_state = network.context_encoder.init_state(batch)
        _, vocoder_state = vocoder(frames, torch.zeros(batch, 4), vocoder.init_state(batch))
        for _ in range(6):
            block = random_block(tiny, rng, batch)
            block[3] = block[3][:, :steps]
            state = synthesizer.generate(state, *block[:4])
            filters, state = synthesizer.filters(state, block[4])

            controls_t, timbre_t, context_noise, block_noise, f0 = map(torch.from_numpy, block)
            context, context_state = network.context_encoder(
                frames + sigma.context * context_noise, c, level, context_state
            )
            c = network.control_encoder(controls_t, timbre_t)
            frames = network.head(0.7 * sigma.max * block_noise[:, 0], highest, context[:, -1], c)
            if steps == 2:
                again = frames + 0.7 * sigma.fine * block_noise[:, 1]
                frames = network.head(again, torch.full((batch,), sigma.fine), context[:, -1], c)
            expected, vocoder_state = vocoder(frames, f0, vocoder_state)
            np.testing.assert_allclose(state.frames, frames, atol=1e-4)
            np.testing.assert_allclose(filters, expected, atol=1e-4)
            assert frames.std() > 0.1


# -- a whole note ----------------------------------------------------------------------------------------------------


def torch_note(tiny: TinyModel, samples: int, steps: int) -> Float:
    """One note computed offline in torch: pitch 57.3 bent up by 3 semitones within 480 samples from 3001 on, velocity
    100, morphed to another timbre from 2000 to 5200, released at 6007, seed 5."""
    m, k, hop, n_fft, rate = tiny.model, 4, 64, 256, 16_000
    blocks = -(-(samples + n_fft) // (k * hop))
    rng = np.random.Generator(np.random.PCG64(5))
    noise, context_noise, block_noise = [rng.standard_normal(k * hop, dtype=np.float32)], [], []
    for _ in range(blocks):
        context_noise.append(rng.standard_normal((k, 16), dtype=np.float32))
        block_noise.append([rng.standard_normal((k, 16), dtype=np.float32)])
        noise.append(rng.standard_normal(k * hop, dtype=np.float32))
        block_noise[-1] += [rng.standard_normal((k, 16), dtype=np.float32) for _ in range(steps - 1)]

    def semitones(times: np.ndarray) -> np.ndarray:
        return 57.3 + 3 * np.clip((times - 3001) / 480, 0, 1)

    # Excitation over the silent block before the onset and all blocks after it, harmonic by harmonic.
    times = np.arange(-k * hop, blocks * k * hop, dtype=np.float64)
    f0 = semitones_to_hz(semitones(times)) * np.clip((times + 0.5) / hop + 0.5, 0, 1)
    phase = torch.from_numpy(2 * np.pi * np.cumsum(f0 / rate))
    harmonics = torch.from_numpy(np.where(f0 > 8, np.floor(0.49 * rate / np.maximum(f0, 8)), 0))
    pulses = torch.zeros_like(phase)
    for h in range(1, int(harmonics.max()) + 1):
        pulses += torch.where(harmonics >= h, torch.cos(h * phase), 0.0)
    excitation = torch.stack([pulses / 512, torch.from_numpy(np.concatenate(noise)).double() / 768**0.5])
    window = torch.hann_window(n_fft, dtype=torch.float64)
    spectra = torch.stft(
        nn.functional.pad(excitation, (n_fft - hop, 0)), n_fft, hop, window=window, center=False, return_complex=True
    ).mT
    log_mel = (spectra[0].abs() @ torch.from_numpy(m.mel.filterbank).double()).clamp(min=3e-4).log().float().numpy()

    ends = (np.arange(len(log_mel)) + 1 - k) * hop
    pitch, place = semitones(ends - hop / 2), np.clip((ends - hop / 2 - 2000) / 3200, 0, 1)[:, None]
    features = note_features(
        ends[None] / rate, (ends[None] - 6007) / rate, pitch[None], np.array([57.3]), np.array([100.0])
    )[0]
    controls = np.concatenate([features, harmonic_picture(log_mel)], -1)
    timbre = (1 - place) * m.timbre_vector("second") + place * m.timbre_vector("third")
    hz = torch.from_numpy(np.where(ends > 0, semitones_to_hz(pitch), 0).astype(np.float32))[None]

    network, sigma = tiny.network, m.manifest.sigma
    c = network.control_encoder(torch.from_numpy(controls)[None], torch.from_numpy(timbre.astype(np.float32))[None])
    silence = (np.log(3e-4) - np.array(m.manifest.mel.mean)) / np.array(m.manifest.mel.std)
    frames = [torch.from_numpy(silence.astype(np.float32)).expand(1, k, -1)]
    state = network.context_encoder.init_state(1)
    for b in range(blocks):
        past = frames[-1] + sigma.context * torch.from_numpy(context_noise[b])
        context, state = network.context_encoder(past, c[:, b * k : (b + 1) * k], torch.tensor([sigma.context]), state)
        now = c[:, (b + 1) * k : (b + 2) * k]
        x = network.head(
            sigma.start * torch.from_numpy(block_noise[b][0])[None], torch.tensor([sigma.max]), context[:, -1], now
        )
        for more in block_noise[b][1:]:
            x = network.head(
                x + sigma.noise(sigma.fine) * torch.from_numpy(more), torch.tensor([sigma.fine]), context[:, -1], now
            )
        frames.append(x)
    # The vocoder sees all frames at once here.
    raw, _ = tiny.vocoder(torch.cat(frames, 1), hz, tiny.vocoder.init_state(1))
    log_h, phase_h, log_n, log_d, phase_d = raw[0, k:].double().chunk(5, -1)
    out = torch.polar(log_h.exp(), phase_h) * spectra[0, k:] + log_n.exp() * spectra[1, k:]
    out = out + torch.polar(log_d.exp(), phase_d)
    out[:, round(0.97 * n_fft / 2) :] = 0
    y = torch.zeros(n_fft - hop + len(out) * hop, dtype=torch.float64)
    for t, frame in enumerate(torch.fft.irfft(out, n_fft) * window / 1.5):
        y[t * hop : t * hop + n_fft] += frame
    return y[n_fft - hop :][:samples].float().numpy()


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize("onset", [0, 333])
def test_a_note_equals_its_torch_reference(tiny: TinyModel, steps: int, onset: int) -> None:
    samples = 9000
    with torch.no_grad():
        expected = torch_note(tiny, samples, steps)
    engine = Engine(tiny.model, channels=1, steps=steps, gain_db=-40)
    note = engine.note_on(57.3, 100, timbre="second", seed=5, at=onset)
    note.bend(3, 0.03, at=onset + 3001)
    note.morph("third", 0.2, at=onset + 2000)
    note.off(at=onset + 6007)
    found = engine.read(engine.latency_samples + onset + samples)[engine.latency_samples :]
    np.testing.assert_array_equal(found[:onset], 0)
    found = found[onset:] / VOICE_GAIN * 100
    assert np.abs(expected).max() > 0.01
    np.testing.assert_allclose(found, expected, atol=1e-4 * max(1.0, float(np.abs(expected).max())))


# -- 8 bit -----------------------------------------------------------------------------------------------------------


def feeds_of(graph: Graph, count: int, batch: int) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)

    def draw(name: str) -> np.ndarray:
        shape = (batch, *graph.shapes[name][1:])
        return np.full(shape, 0.1, np.float32) if name == "sigma" else rng.standard_normal(shape, dtype=np.float32)

    return [{name: draw(name) for name in graph.input_names} for _ in range(count)]


@pytest.mark.parametrize("name", ["context", "head", "vocoder"])
def test_quantised_graph_is_smaller_close_and_independent_of_the_batch(tiny: TinyModel, name: str) -> None:
    torch.manual_seed(2)
    from cmaudio.training.networks.consistency import ConsistencyNetwork

    network = ConsistencyNetwork(
        mel_bands=16, controls=32, timbres=3, timbre_dims=5, width=128, context_depth=2, head_depth=2, conditioning=64
    )
    randomise(network)
    vocoder = VocoderNetwork(mel_bands=16, bins=33, width=128, depth=3)
    content = export_graphs(network, vocoder)[name]
    graph = Graph(name, content)
    feeds = feeds_of(graph, 12, 4)
    small = quantise(content, feeds, KEEP_FLOAT[name])
    assert len(small) < 0.75 * len(content)
    quantised = Graph(name, small)
    assert quantised.input_names == graph.input_names
    for feed in feeds[:4]:
        exact, rough = graph(*feed.values())[0], quantised(*feed.values())[0]
        assert 0 < np.sqrt(np.mean(np.square(rough - exact)) / np.mean(np.square(exact))) < 0.05
        for row in range(4):
            alone = quantised(*(value[row : row + 1] for value in feed.values()))
            for whole, part in zip(quantised(*feed.values()), alone, strict=True):
                np.testing.assert_array_equal(whole[row : row + 1], part)


@pytest.mark.parametrize("name", ["controls", "context", "head", "vocoder"])
def test_rows_of_the_embedded_model_are_independent_of_the_batch(model: Model, name: str) -> None:
    graph = Graph(name, model.graph(name))
    (feed,) = feeds_of(graph, 1, 16)
    together = graph(*feed.values())
    for row, batch in ((0, 1), (5, 1), (3, 2), (8, 8)):
        apart = graph(*(value[row : row + batch] for value in feed.values()))
        for whole, part in zip(together, apart, strict=True):
            np.testing.assert_array_equal(whole[row : row + batch], part)
