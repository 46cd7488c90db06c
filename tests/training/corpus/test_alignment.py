"""Phonemes in time: alignment, features of frames, and breath groups."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
for package in ("lhotse", "lightning_fabric", "tensorboard", "onnx"):
    pytest.importorskip(package)
from fixtures.torchaudio_references import reference

from cmaudio.speech.features import (
    ENERGY_COLUMN,
    ID_COLUMNS,
    SINCE_COLUMN,
    SPEECH_FEATURES,
    phoneme_context,
    phoneme_ids,
    speech_features,
)
from cmaudio.speech.phonemes import Phoneme
from cmaudio.training.config import SentenceStage
from cmaudio.training.corpus.alignment import Spoken, energies, frame_ends, frame_features, knots
from cmaudio.training.corpus.prosody_targets import Phonology, breath_groups
from cmaudio.training.corpus.sentences import SentenceBatch
from cmaudio.training.networks.aligner import AlignerNetwork, forward_sum_loss
from cmaudio.training.tasks.aligner import AlignerTask, monotone_ends

# -- alignment ---------------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 3), min_size=1, max_size=30), st.integers(1, 200))
@settings(max_examples=200, deadline=None)
def test_frames_of_phonemes_add_up_and_each_has_one(lengths: list[float], frames: int) -> None:
    ends = frame_ends(np.cumsum(lengths).tolist(), frames, 93.75)
    if len(lengths) > frames:
        assert ends is None
        return
    assert ends is not None
    assert ends[-1] == frames
    assert np.diff(ends, prepend=0).min() >= 1


def test_the_alignment_is_the_most_probable_monotonic_path() -> None:
    rng = np.random.default_rng(0)
    for frames, phonemes in ((1, 1), (4, 4), (7, 3), (9, 2)):
        score = rng.normal(size=(frames, phonemes)).astype(np.float32)
        paths = [(*cuts, frames) for cuts in itertools.combinations(range(1, frames), phonemes - 1)]

        def value(ends: tuple[int, ...], score: np.ndarray = score) -> float:
            begins = (0, *ends[:-1])
            return sum(float(score[b:e, p].sum()) for p, (b, e) in enumerate(zip(begins, ends, strict=True)))

        best = max(paths, key=value)
        assert tuple(monotone_ends(score).tolist()) == best


@pytest.mark.parametrize(("frames", "phonemes"), [(1, 1), (5, 5), (40, 7), (300, 60)])
def test_the_alignment_equals_torchaudios_without_blanks(frames: int, phonemes: int) -> None:
    score = np.random.default_rng(frames).normal(size=(frames, phonemes)).astype(np.float32)
    np.testing.assert_array_equal(monotone_ends(score), reference(f"ends_{frames}"))


def test_padding_does_not_change_the_loss() -> None:
    torch.manual_seed(0)
    network = AlignerNetwork(mel_bands=6, symbols=5, width=8)
    mel, ids = torch.randn(1, 12, 6), torch.randint(1, 5, (1, 4, 2)).clamp(max=2)
    one = forward_sum_loss(network(mel, ids, torch.tensor([4])), torch.tensor([12]), torch.tensor([4]))
    padded_mel = torch.nn.functional.pad(mel, (0, 0, 0, 5))
    padded_ids = torch.nn.functional.pad(ids, (0, 0, 0, 3))
    score = network(padded_mel, padded_ids, torch.tensor([4]))
    assert torch.isinf(score[..., 4:]).all()
    other = forward_sum_loss(score, torch.tensor([12]), torch.tensor([4]))
    assert other.item() == pytest.approx(one.item(), rel=0.1)  # the convolution sees the padding beside the last


def test_the_aligner_learns_phoneme_boundaries() -> None:
    rng = np.random.default_rng(0)
    symbols, bands, count, each = 12, 24, 32, 10
    sounds = rng.normal(size=(symbols, bands))
    mels, ids, truths = [], [], []
    for _ in range(count):
        said = 1 + np.cumsum(rng.integers(1, symbols - 2, each)) % (symbols - 1)  # no phoneme twice in a row
        durations = rng.integers(3, 16, each)
        noise = 0.3 * rng.normal(size=(durations.sum(), bands))
        mels.append(torch.from_numpy(np.repeat(sounds[said], durations, 0) + noise).float())
        ids.append(torch.from_numpy(np.stack([said, np.zeros(each, np.int64)], -1)))
        truths.append(np.cumsum(durations))

    def batch(chosen: list[int]) -> SentenceBatch:
        frames = torch.tensor([len(mels[i]) for i in chosen])
        mel = torch.nn.utils.rnn.pad_sequence([mels[i] for i in chosen], batch_first=True)
        said = torch.stack([ids[i] for i in chosen])
        return SentenceBatch(mel, frames, said, torch.full((len(chosen),), each), torch.zeros(len(chosen)))

    torch.manual_seed(0)
    task = AlignerTask(AlignerNetwork(mel_bands=bands, symbols=symbols), SentenceStage(steps=300))
    optimiser = task.optimiser("aligner", task.network.parameters())

    def error() -> float:
        found = task.ends(batch(list(range(count))))
        return float(np.mean([np.abs(a - b).mean() for a, b in zip(found, truths, strict=True)]))

    before = error()
    for step in range(300):
        for group in optimiser.param_groups:
            group["lr"] = task.learning_rate("aligner", step / 300)
        loss, _ = task.loss("aligner", batch(rng.choice(count, 8).tolist()), {}, 0.0)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(task.network.parameters(), 1.0)
        optimiser.step()
    assert before > 3.0
    assert error() < 2.0


# -- features and targets ----------------------------------------------------------------------------------------------


def test_features_of_a_clip() -> None:
    spoken = Spoken(np.array([[0, 0, 0, 1], [3, 1, 1, 0], [1, 0, 0, 1]]), np.array([4, 10, 12]))
    log_mel = np.arange(12, dtype=np.float32)[:, None].repeat(3, 1)
    voiced = np.array([0] * 4 + [1] * 6 + [0] * 2, np.float32)
    features = frame_features(log_mel, np.full(12, 57.0, np.float32), voiced, spoken, 93.75)
    assert features.shape == (12, SPEECH_FEATURES)
    np.testing.assert_array_equal(features[[0, 4, 9, 10], :3], [[0, 0, 3], [0, 3, 1], [0, 3, 1], [3, 1, 0]])
    np.testing.assert_allclose(energies(log_mel, spoken), (np.array([1.5, 6.5, 10.5]) + 5) / 3)
    np.testing.assert_allclose(features[[0, 4, 10], ENERGY_COLUMN], energies(log_mel, spoken))
    assert np.flatnonzero(np.diff(features[:, SINCE_COLUMN]) < 0).tolist() == [3, 9]  # where the next phoneme begins
    np.testing.assert_allclose(knots(np.arange(12, dtype=np.float32), spoken)[0], [0, 1, 2, 3])


def test_phoneme_context_of_a_phoneme_and_its_neighbours() -> None:
    symbols = ["", ",", "k", "a", "t"]
    said = [Phoneme.of(text) for text in ("", " k", "ˈa", "t", ",", " a", "ˌa", ",")]
    context = phoneme_context(phoneme_ids(said, symbols))
    assert context[2, :, 0].tolist() == [0, 2, 3, 4, 1]
    assert context[2, :, 1].tolist() == [0, 0, 1, 0, 0]
    assert context[2, :, 2].tolist() == [0, 1, 0, 0, 0]
    assert context[3, :, 0].tolist() == [2, 3, 4, 1, 0]  # phonemes beyond the adjacent pause are not included
    assert context[5, :, 0].tolist() == [0, 1, 3, 3, 1]
    nothing = np.zeros(len(said))
    features = speech_features(context, nothing, nothing, nothing, nothing, nothing)
    assert features.shape == (len(said), SPEECH_FEATURES)
    assert features[2, list(ID_COLUMNS)].tolist() == [2, 3, 4, 0, 1]
    assert features[2, 16:].tolist() == [0, 0, 0, 0, 1, 0, 0, 0]
    assert features[5, 16:].tolist() == [0, 0, 0.5, 0, 0, 1, 0, 0]


def test_appending_text_does_not_change_earlier_phoneme_contexts() -> None:
    """A frame's context must not depend on whether the next stretch is known yet, except for the pause itself."""
    symbols = ["", ",", "k", "a", "t"]
    first = [Phoneme.of(text) for text in ("", " k", "ˈa", ",")]
    both = [*first, Phoneme.of(" t"), Phoneme.of("a"), Phoneme.of(",")]
    early, late = (phoneme_context(phoneme_ids(said, symbols)) for said in (first, both))
    np.testing.assert_array_equal(early[:3], late[:3])


def test_breath_groups_end_at_pauses() -> None:
    ids = np.zeros((6, 4), np.int64)
    ids[:, 0], ids[[0, 3, 5], 3] = [0, 3, 4, 1, 5, 2], 1
    phonology = Phonology("en-us", ["", ",", "?", "a", "t", "o"])
    spoken = Spoken(ids, np.arange(1, 7) * 5)
    groups = breath_groups(spoken, np.zeros((30, 4), np.float32), np.full(30, 220.0, np.float32), 0, phonology)
    assert [group.ids[0, :, 0].tolist() for group in groups] == [[0, 3, 4, 1], [1, 5, 2]]
    assert [group.ids[0, :, 3].tolist() for group in groups] == [[4, 4, 4, 4], [1, 1, 1]]  # continued, then asked
    assert groups[0].scored.tolist() == groups[0].timed.tolist() == [[True, True, True, True]]
    assert groups[1].scored.tolist() == [[False, True, True]]  # the pause before it was the first one's
    assert groups[1].timed.tolist() == [[False, True, False]]  # a clip ends where it was cut
    np.testing.assert_allclose(groups[0].pitch, 0, atol=1e-6)
