"""Vocoder training: the signal in torch equals `cmaudio.signal.dsp`, and the losses teach a small vocoder a sound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from cmaudio.errors import CmaudioError
from cmaudio.evaluation.pitch import pitch_error_cents
from cmaudio.signal import dsp
from cmaudio.training.config import VocoderSettings
from cmaudio.training.corpus.batch import Batch
from cmaudio.training.corpus.clip import Signal, log_mel
from cmaudio.training.corpus.clip import sample_f0 as clip_sample_f0
from cmaudio.training.networks.discriminators import (
    Discriminators,
    adversarial_loss,
    discriminator_loss,
    feature_matching_loss,
)
from cmaudio.training.networks.vocoder import VocoderNetwork
from cmaudio.training.tasks import torch_dsp as ts
from cmaudio.training.tasks.mel_loss import MultiResolutionMelLoss, windows
from cmaudio.training.tasks.vocoder import VocoderTask

RATE, HOP, BANDS = 16_000, 64, 24
STFT = dsp.Stft(4 * HOP, HOP)
SIGNAL = Signal(STFT, dsp.Mel(RATE, 4 * HOP, BANDS, 20.0, 8000.0, 3e-4))


pytestmark = pytest.mark.usefixtures("one_thread")


def random_audio(frames: int = 12) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((2, frames * HOP)).astype(np.float32)


def test_transforms_equal_those_of_dsp() -> None:
    x = random_audio()
    before = np.zeros((2, STFT.overlap), np.float32)
    spectra = STFT.analyse(np.concatenate([before, x], 1))
    ours = ts.analyse(torch.from_numpy(x), STFT)
    np.testing.assert_allclose(ours.numpy(), spectra, atol=1e-4)
    added = STFT.overlap_add(spectra)[:, STFT.overlap :]
    np.testing.assert_allclose(ts.overlap_add(torch.from_numpy(spectra), STFT).numpy(), added, atol=1e-5)


def test_the_excitation_equals_that_of_dsp() -> None:
    f0 = np.array([[0.0, 0, 220, 221, 230, 900, 300, 3.0], [60.0, 61, 62, 63, 64, 65, 66, 67]], np.float32)
    smooth = np.stack([clip_sample_f0(row, HOP) for row in f0])
    ours = ts.sample_f0(torch.from_numpy(f0), HOP)
    np.testing.assert_allclose(ours.numpy(), smooth, rtol=1e-5, atol=1e-3)
    phase = np.array([0.2, 0.7])
    pulses, _ = dsp.pulse_train(smooth, phase, RATE)
    made = ts.pulse_train(torch.from_numpy(smooth), torch.from_numpy(phase), RATE)
    np.testing.assert_allclose(made.numpy(), pulses, atol=1e-4)
    samples = smooth.shape[1]
    before, numbers = np.zeros(STFT.overlap, np.float32), np.random.default_rng(3).standard_normal(samples, np.float32)
    noise = STFT.analyse(np.concatenate([before, dsp.white_noise(np.random.default_rng(3), samples)]))
    noises = torch.from_numpy(np.stack([numbers, numbers]))
    excitation = ts.excite(torch.from_numpy(f0), noises, torch.from_numpy(phase), SIGNAL)
    np.testing.assert_allclose(excitation.noise[0].numpy(), noise, atol=1e-5)


def test_filters_are_applied_as_in_synthesis() -> None:
    rng = np.random.default_rng(1)
    filters = rng.normal(0, 3, (1, 5, 5 * STFT.bins)).astype(np.float32)
    harmonic, noise = (STFT.analyse(random_audio(8))[:1] for _ in range(2))
    h, n, d = dsp.split_filters(filters)
    excitation = ts.Excitation(torch.from_numpy(harmonic), torch.from_numpy(noise))
    ours = ts.apply_filters(torch.from_numpy(filters), excitation)
    np.testing.assert_allclose(ours.numpy(), h * harmonic + n * noise + d, rtol=1e-3, atol=1e-2)


def test_mel_loss_has_distinct_resolutions() -> None:
    assert windows(48_000)[0] == (4096, 160)
    assert [n for n, _ in windows(24_000)] == [2048, 1024, 512, 256, 128, 64]
    assert [n for n, _ in windows(16_000)] == [1024, 512, 256, 128, 64]  # no resolution counts twice
    loss = MultiResolutionMelLoss(RATE)
    x = torch.from_numpy(random_audio(40))
    assert float(loss(x, x)) == 0
    assert float(loss(10 * x, x)) == pytest.approx(1.0, abs=0.01)  # a decade in log10
    assert float(loss(x, x.flip(-1))) > 0.05


def batch(clips: int = 8, frames: int = 40, seed: int = 0) -> Batch:
    """Saws of random pitch and level; every other crop is from inside a clip."""
    rng = np.random.default_rng(seed)
    audio, mels, f0 = [], [], []
    for _ in range(clips):
        hz = rng.uniform(110, 440)
        time = np.arange(frames * HOP) / RATE
        saw = sum(np.sin(2 * np.pi * k * hz * time) / k for k in range(1, 8))
        x = (rng.uniform(0.03, 0.2) * saw + 0.01 * rng.normal(size=len(time))).astype(np.float32)
        audio.append(x)
        mels.append((log_mel(SIGNAL, x, 1.0) + 4) / 2)
        f0.append(np.full(frames, hz, np.float32))
    scored = torch.ones(clips, frames, dtype=torch.bool)
    scored[::2, :8] = False
    return Batch(
        mel=torch.from_numpy(np.stack(mels)),
        controls=torch.zeros(clips, frames, 1),
        timbre=torch.zeros(clips, dtype=torch.long),
        f0=torch.from_numpy(np.stack(f0)),
        audio=torch.from_numpy(np.stack(audio)),
        scored=scored,
    )


def make_task(**settings: object) -> VocoderTask:
    torch.manual_seed(0)
    chosen = VocoderSettings.model_validate({"windows": [256, 128], "periods": [2, 3], **settings})
    vocoder = VocoderNetwork(mel_bands=BANDS, bins=STFT.bins, width=32, depth=2)
    return VocoderTask(vocoder, SIGNAL, chosen, steps=100, warm_up_frames=8)


def draws(task: VocoderTask, b: Batch, seed: int = 0) -> dict[str, Tensor]:
    return dict(task.draw(b, torch.Generator().manual_seed(seed), 0.0))


def mel_distance(task: VocoderTask) -> float:
    """The loss on sounds that were not trained on."""
    held_out = batch(seed=99)
    with torch.no_grad():
        return float(task.loss("vocoder", held_out, draws(task, held_out), 0.0)[1]["mel"])


@pytest.fixture(scope="module")
def trained() -> VocoderTask:
    task = make_task(warmup=1.0)
    optimiser = torch.optim.AdamW(task.vocoder.parameters(), 3e-3)
    for step in range(60):
        b = batch(seed=step)
        loss, _ = task.loss("vocoder", b, draws(task, b, step), 0.0)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return task


def test_a_small_vocoder_learns_a_sound(trained: VocoderTask) -> None:
    assert mel_distance(trained) < 0.6 * mel_distance(make_task(warmup=1.0))


def test_copy_synthesis_keeps_the_pitch(trained: VocoderTask) -> None:
    b = batch(4, frames=RATE // HOP + 20, seed=7)
    given = draws(trained, b)
    with torch.no_grad():
        made = ts.synthesise(trained.vocoder, SIGNAL, b.mel, b.f0, given["noise"], given["phase"]).numpy()
    for sound, hz in zip(made, b.f0[:, 0].tolist(), strict=True):
        error = pitch_error_cents(sound[10 * HOP : -10 * HOP], RATE, hz)
        assert error is not None
        assert abs(error) < 1


@pytest.mark.parametrize("losses", [{}, {"breath_weight": 1.0}, {"frame_weight": 1.0}], ids=["mel", "breath", "frames"])
def test_unscored_samples_do_not_contribute_to_the_loss(losses: dict[str, float]) -> None:
    task, b = make_task(**losses), batch(frames=60)
    given = draws(task, b)
    one = task.loss("vocoder", b, given, 0.9)[0].item()
    audio = b.audio.clone()
    audio[::2, : 8 * HOP] = 0.3  # the warm-up of crops from inside a clip
    audio[:, -STFT.overlap :] = 0.3  # whose frames are not complete
    assert task.loss("vocoder", replace(b, audio=audio), given, 0.9)[0].item() == one
    starts, ends = audio.clone(), audio.clone()
    starts[1, : 8 * HOP] = 0.3  # of a clip from its start
    ends[0, -STFT.overlap - HOP : -STFT.overlap] = 0.3  # of a crop from inside a clip
    for scored in (starts, ends):
        assert task.loss("vocoder", replace(b, audio=scored), given, 0.9)[0].item() != one


def test_each_turn_has_its_own_gradients() -> None:
    task, b = make_task(warmup=0.0), batch()
    given = draws(task, b)
    for turn, other in (("discriminators", "vocoder"), ("vocoder", "discriminators")):
        for module in task.modules().values():
            module.zero_grad(set_to_none=True)
        task.loss(turn, b, given, 0.5)[0].backward()  # type: ignore[no-untyped-call]
        own, others = (list(task.modules()[name].parameters()) for name in (turn, other))
        assert all(p.grad is not None and p.grad.isfinite().all() for p in own)
        assert all(p.grad is None for p in others)


def test_discriminators_are_skipped_during_warm_up() -> None:
    task = make_task(warmup=0.3)
    assert task.learning_rate("discriminators", 0.29) == 0
    assert task.learning_rate("discriminators", 0.3) > 0
    assert make_task(warmup=1.0).learning_rate("discriminators", 1.0) == 0
    figures = task.loss("vocoder", batch(), draws(task, batch()), 0.1)[1]
    assert "adversarial" not in figures


def test_discriminators_distinguish_a_saw_from_noise() -> None:
    torch.manual_seed(0)
    judges = Discriminators([256], [3])
    optimiser = torch.optim.AdamW(judges.parameters(), 1e-3)
    real = batch().audio[:, : 20 * HOP]
    losses: list[float] = []
    for step in range(25):
        noise = torch.randn(real.shape, generator=torch.Generator().manual_seed(step)) * 0.1
        loss = discriminator_loss(judges(real), judges(noise))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
    with torch.no_grad():
        for (is_real, _), (is_fake, _) in zip(judges(real), judges(noise), strict=True):
            assert is_real.mean() > is_fake.mean() + 0.3
        assert adversarial_loss(judges(real)) < adversarial_loss(judges(noise))  # the generator aims to be judged real
        assert float(feature_matching_loss(judges(real), judges(real))) == 0
        assert float(feature_matching_loss(judges(real), judges(noise))) > 0.1


def test_more_input_never_changes_earlier_output() -> None:
    task, b = make_task(), batch(2)
    given = draws(task, b)
    whole = ts.synthesise(task.vocoder, SIGNAL, b.mel, b.f0, given["noise"], given["phase"])
    part = ts.synthesise(
        task.vocoder, SIGNAL, b.mel[:, :20], b.f0[:, :20], given["noise"][:, : 20 * HOP], given["phase"]
    )
    done = 20 * HOP - STFT.overlap
    # The last frame's pitch is interpolated towards the next one's; here both are the same.
    torch.testing.assert_close(whole[:, :done], part[:, :done], atol=1e-5, rtol=1e-4)


def test_parameters_have_gradients_under_autocast() -> None:
    task, b = make_task(warmup=0.0), batch(2)
    with torch.autocast("cpu", torch.bfloat16):
        loss, _ = task.loss("vocoder", b, draws(task, b), 0.5)
    loss.backward()  # type: ignore[no-untyped-call]
    assert isinstance(task.vocoder, nn.Module)
    assert all(p.grad is not None and p.grad.isfinite().all() for p in task.vocoder.parameters())


def test_invalid_vocoder_settings_are_refused() -> None:
    mistakes: list[dict[str, object]] = [{"windows": []}, {"betas": (0.8, 1.0)}, {"periods": [1]}, {"mel_weigth": 1}]
    for wrong in mistakes:
        with pytest.raises(ValidationError):
            VocoderSettings.model_validate(wrong)
    VocoderSettings(windows=[], warmup=1.0)
    task, short = make_task(), batch(2, frames=26)
    with pytest.raises(CmaudioError, match=r"crops\.frames must be at least 27"):
        task.loss("vocoder", short, draws(task, short), 0.0)
    enough = batch(2, frames=27)
    assert task.loss("vocoder", enough, draws(task, enough), 0.0)[0].isfinite()
