"""A corpus as tensors and batches: what was written comes back, and a step's crops depend on its number alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lhotse")
from fixtures.training_corpus import SIGNAL, Note, make_clip, make_corpus

from cmaudio.errors import CmaudioError
from cmaudio.training.config import Crops
from cmaudio.training.corpus.clip import f0_hz, harmonics, life_features, log_mel
from cmaudio.training.corpus.clips import MelStatistics
from cmaudio.training.corpus.corpus import Corpus

CROPS = Crops(clips=6, frames=48, chunk_clips=3, warm_up_frames=8, from_start=0.5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "toy"
    make_corpus(path)
    return path


def test_tensors_hold_what_was_written(folder: Path) -> None:
    corpus = Corpus(folder, with_audio=True)
    clips, signal = corpus.clips, SIGNAL.signal()
    assert clips.names == [f"note {i:04d}" for i in range(12)]
    for i, (first, frames) in enumerate(zip(clips.first.tolist(), clips.frames.tolist(), strict=True)):
        clip = make_clip(Note(i, frames), signal)
        rows = slice(first, first + frames)
        sixteen_bit = np.rint(clip.audio * 32767).astype(np.int16)
        np.testing.assert_array_equal(clips.audio[rows].numpy().reshape(-1), sixteen_bit)
        wanted = log_mel(signal, sixteen_bit.astype(np.float32) / np.float32(32768), 1.5)
        np.testing.assert_allclose(clips.log_mel[rows].numpy(), wanted, atol=5e-3)
        f0 = f0_hz(clip.semitones, clip.voiced)
        np.testing.assert_allclose(clips.f0[rows].numpy(), f0, rtol=1e-6)
        life = life_features(
            signal, clip.semitones, clip.pitch, clip.velocity, clip.onset_samples, clip.release_samples
        )
        controls = np.concatenate([life, harmonics(signal, f0)], 1)
        np.testing.assert_allclose(clips.controls[rows].numpy(), controls, atol=5e-3)
        assert corpus.description.timbres[int(clips.timbre[i])].name == clip.timbre


def test_batches_depend_on_the_step_alone(folder: Path) -> None:
    one, two = Corpus(folder, seed=5), Corpus(folder, seed=5)
    for step, chunk in ((7, 1), (3, 0), (7, 0)):  # in another order in `two`
        one.batch(step, chunk, CROPS)
    a, first = one.batch(3, 1, CROPS)
    b, second = two.batch(3, 1, CROPS)
    assert all(torch.equal(getattr(a, key), getattr(b, key)) for key in a.__dict__)
    assert torch.equal(torch.rand(3, generator=first), torch.rand(3, generator=second))
    others = [one.batch(3, 0, CROPS)[0], one.batch(4, 1, CROPS)[0], Corpus(folder, seed=6).batch(3, 1, CROPS)[0]]
    assert not any(torch.equal(a.mel, other.mel) for other in others)


def test_crops_are_aligned_scored_and_normalised(folder: Path) -> None:
    corpus = Corpus(folder, with_audio=True)
    clips, hop = corpus.clips, SIGNAL.hop_length
    long = int(clips.frames.argmax())
    short = int(clips.frames.argmin())
    frames = int(clips.frames[short]) + 12
    batch = corpus.crops(torch.tensor([long, short]), torch.tensor([16, 0]), frames, 8)
    row = int(clips.first[long]) + 16
    mel = (clips.log_mel[row : row + frames].float() - corpus.statistics.mean) / corpus.statistics.std
    torch.testing.assert_close(batch.mel[0], mel)
    audio = clips.audio[row : row + frames].flatten().float() * (1.5 / 32768)
    torch.testing.assert_close(batch.audio[0], audio)
    assert batch.audio.shape == (2, frames * hop)
    assert batch.scored[0].tolist() == [False] * 8 + [True] * (frames - 8)
    assert batch.scored[1].tolist() == [True] * (frames - 12) + [False] * 12
    assert not batch.audio[1, (frames - 12) * hop :].any()
    everything = (clips.log_mel.float() - corpus.statistics.mean) / corpus.statistics.std
    torch.testing.assert_close(everything.mean(0), torch.zeros(SIGNAL.bands), atol=1e-3, rtol=0)


def test_clips_are_preceded_by_silence(folder: Path) -> None:
    corpus = Corpus(folder, with_audio=True, lead_frames=4)
    clips = corpus.clips
    batch = corpus.crops(torch.tensor([3]), torch.tensor([-4]), 24, 8)
    assert torch.equal(batch.controls[0, :4], clips.controls[clips.rows(3)][:1].float().expand(4, -1))
    silence = (np.log(SIGNAL.floor) - corpus.statistics.mean) / corpus.statistics.std
    torch.testing.assert_close(batch.mel[0, :4], silence.expand(4, -1))
    assert not batch.audio[0, : 4 * SIGNAL.hop_length].any()
    assert not batch.f0[0, :4].any()
    assert batch.scored.all()
    same = corpus.crops(torch.tensor([3]), torch.tensor([0]), 20, 8)
    assert torch.equal(batch.mel[:, 4:], same.mel)
    assert torch.equal(batch.audio[:, 4 * SIGNAL.hop_length :], same.audio)
    drawn, _ = corpus.batch(0, 0, CROPS.model_copy(update={"from_start": 1.0}))
    torch.testing.assert_close(drawn.mel[:, :4], silence.expand(len(drawn.mel), 4, -1))


def test_balance_equalises_timbres(tmp_path: Path) -> None:
    make_corpus(tmp_path / "c", train=16, held_out=1)
    corpus = Corpus(tmp_path / "c")
    # Make one timbre rare: only one clip of it is left.
    rare = torch.zeros_like(corpus.clips.timbre)
    rare[0] = 1
    corpus.clips.timbre.copy_(rare)
    shares = []
    for balance in (0.0, 1.0):
        crops = CROPS.model_copy(update={"balance": balance, "clips": 512, "chunk_clips": 0})
        shares.append(float((corpus.batch(0, 0, crops)[0].timbre == 1).float().mean()))
    assert shares[0] < 0.15
    assert shares[1] == pytest.approx(0.5, abs=0.1)


def test_a_corpus_larger_than_memory_is_read_in_windows(folder: Path) -> None:
    whole = Corpus(folder)
    one = Corpus(folder, memory_gb=1e-4, window_steps=2, statistics=whole.statistics)
    assert 0 < len(one.clips.names) < 12
    seen: set[str] = set()
    batches = []
    for step in range(0, 8, 2):
        batches.append(one.batch(step, 0, CROPS)[0])
        seen |= set(one.clips.names)
    assert len(seen) == 12
    again = Corpus(folder, memory_gb=1e-4, window_steps=2, statistics=whole.statistics)
    assert torch.equal(again.batch(6, 0, CROPS)[0].mel, batches[3].mel)


def test_every_shard_comes_once_an_epoch_whoever_reads_and_whenever(tmp_path: Path) -> None:
    """Of a corpus that does not fit, another process and a resumed run read the same windows."""
    make_corpus(tmp_path, shard_items=2)

    def opened(step: int) -> Corpus:
        corpus = Corpus(tmp_path, memory_gb=1e-6, window_steps=2, seed=3)
        corpus.batch(step, 0, CROPS)
        return corpus

    one = opened(0)
    shards = one.description.splits["train"].shards
    assert (shards, one.window_shards) == (6, 1)
    for epoch in range(3):
        heard: list[str] = []
        for window in range(epoch * shards, (epoch + 1) * shards):
            heard += one.clips_at(2 * window).names
            assert one.clips_at(2 * window + 1).names == one.clips.names
        assert sorted(heard) == [f"note {i:04d}" for i in range(12)]
    for step in (5, 17, 30):
        assert torch.equal(opened(step).batch(step, 1, CROPS)[0].mel, one.batch(step, 1, CROPS)[0].mel)


def test_damaged_shards_are_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CmaudioError, match="no finished corpus"):
        Corpus(tmp_path)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    path = copy / "train" / "log_mel.000001.tar"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(CmaudioError, match=r"shard 000001 cannot be read.*prepare"):
        Corpus(copy)
    path.unlink()
    with pytest.raises(CmaudioError, match=r"log_mel\.000001\.tar missing"):
        Corpus(copy)
    described = copy / "corpus.json"
    described.write_text(described.read_text().replace('"format_version": 1', '"format_version": 9'))
    with pytest.raises(CmaudioError, match="format_version"):
        Corpus(copy)


def test_statistics_have_a_floor(folder: Path) -> None:
    clips = Corpus(folder).clips
    clips.log_mel.zero_()
    assert torch.equal(MelStatistics.of(clips).std, torch.full((SIGNAL.bands,), 0.5))
