"""Writing a corpus: exact content, workers, interruption, and a full disk."""

from __future__ import annotations

import errno
import os
import signal as signals
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("lhotse")
pytest.importorskip("swift_f0")

from fixtures.beeps import Beeps
from fixtures.sound_folder import TINY, read_all

from cmaudio.errors import CmaudioError
from cmaudio.training.corpus.clip import log_mel
from cmaudio.training.corpus.description import SignalDefinition, read_description
from cmaudio.training.corpus.shard import field_files, quantise
from cmaudio.training.prepare.folder import FolderSource
from cmaudio.training.prepare.writer import write_corpus


def test_written_clips_are_read_back_exactly(sounds: Path, tmp_path: Path) -> None:
    from lhotse import CutSet

    source = FolderSource(sounds, piece_seconds=2)
    write_corpus(tmp_path / "corpus", source, TINY)
    signal = TINY.signal()
    make = source.open(signal)
    clips = {clip.name: clip for item in source.items()["train"] if "bad" not in item.name for clip in make(item)}
    cuts = list(CutSet.from_shar(in_dir=tmp_path / "corpus" / "train"))
    assert {cut.id for cut in cuts} == set(clips)
    for cut in cuts:
        clip = clips[cut.id]
        samples = np.rint(cut.load_audio()[0] * 32768)
        np.testing.assert_array_equal(samples, quantise(clip.audio))
        heard = log_mel(signal, (samples / 32768).astype(np.float32), source.gain)
        np.testing.assert_array_equal(cut.load_log_mel(), heard.astype(np.float16))
        np.testing.assert_array_equal(cut.load_pitch_track(), np.stack([clip.semitones, clip.voiced], 1))
        assert cut.load_harmonics().shape == heard.shape
        assert cut.custom["timbre"] == cut.supervisions[0].speaker == clip.timbre
        assert (cut.custom["onset_samples"], cut.custom["release_samples"]) == (
            clip.onset_samples,
            clip.release_samples,
        )


@pytest.mark.parametrize(("rate", "hop"), [(48_000, 512), (24_000, 256), (44_100, 470), (16_000, 170)])
def test_rounded_durations_keep_the_sample_count(rate: int, hop: int, tmp_path: Path) -> None:
    source = Beeps(count=6, hop=hop, most_frames=2500)
    definition = SignalDefinition(sample_rate=rate, hop_length=hop, bands=8, f_max_hz=rate / 2)
    write_corpus(tmp_path, source, definition)
    from lhotse import CutSet

    for cut, item in zip(CutSet.from_shar(in_dir=tmp_path / "train"), source.items()["train"], strict=True):
        frames = source.frames(item.number)
        assert cut.load_audio().shape == (1, frames * hop)
        assert len(cut.load_log_mel()) == len(cut.load_pitch_track()) == frames


def test_two_workers_write_the_same_as_one(tmp_path: Path) -> None:
    for workers in (1, 2):
        write_corpus(tmp_path / str(workers), Beeps(), TINY, workers=workers, shard_items=5)
    one, two = (read_all(tmp_path / str(workers)) for workers in (1, 2))
    assert len(one) == 15
    assert one == two
    for split in ("train", "held_out"):
        for name in field_files(0)[1:]:
            assert (tmp_path / "1" / split / name).read_bytes() == (tmp_path / "2" / split / name).read_bytes()


def test_a_killed_run_resumes(tmp_path: Path) -> None:
    """kill -9 in the middle, and a shard that was only half moved: the corpus is the same in the end."""
    corpus, whole = tmp_path / "killed", tmp_path / "whole"
    code = (
        "import os, signal\nfrom pathlib import Path\nfrom fixtures.beeps import Beeps\n"
        "from fixtures.sound_folder import TINY\nfrom cmaudio.training.prepare.writer import write_corpus\n"
        "def kill(progress):\n    if progress.clips >= 8: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"write_corpus(Path({str(corpus)!r}), Beeps(), TINY, shard_items=4, on_progress=kill)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert ended.returncode == -signals.SIGKILL
    with pytest.raises(CmaudioError, match="no finished corpus"):
        read_description(corpus)
    (corpus / "train" / field_files(1)[2]).unlink()
    (corpus / ".partial" / "train.000002").mkdir(parents=True)
    seen: list[int] = []
    write_corpus(corpus, Beeps(), TINY, shard_items=4, on_progress=lambda progress: seen.append(progress.items))
    assert seen[0] == 4
    write_corpus(whole, Beeps(), TINY, shard_items=4)
    assert read_all(corpus) == read_all(whole)
    assert read_description(corpus) == read_description(whole)
    assert not (corpus / ".partial").exists()


def test_a_dying_worker_costs_only_its_shard(tmp_path: Path) -> None:
    with pytest.raises(CmaudioError, match=r"worker process died.*same command"):
        write_corpus(tmp_path, Beeps(fatal=1001), TINY, workers=2, shard_items=12)
    write_corpus(tmp_path, Beeps(), TINY, shard_items=12)
    assert len(read_all(tmp_path)) == 15


def test_a_full_disk_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object, **keywords: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(soundfile, "write", full)
        with pytest.raises(CmaudioError, match=r"No space left.*same command"):
            write_corpus(tmp_path, Beeps(), TINY)
    write_corpus(tmp_path, Beeps(), TINY)
    assert len(read_all(tmp_path)) == 15


def test_an_unfinished_corpus_is_not_resumed_with_other_settings(tmp_path: Path) -> None:
    write_corpus(tmp_path / "corpus", Beeps(), TINY)
    with pytest.raises(CmaudioError, match="count: 12, now 13"):
        write_corpus(tmp_path / "corpus", Beeps(count=13), TINY)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").touch()
    with pytest.raises(CmaudioError, match="not empty"):
        write_corpus(tmp_path / "other", Beeps(), TINY)
