"""Preparing a corpus: what is written, what is refused, and that it can be gone on with."""

from __future__ import annotations

import errno
import importlib.util
import json
import os
import signal as signals
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

pytest.importorskip("lhotse")
pytest.importorskip("swift_f0")

from cmaudio.cli.prepare import app
from cmaudio.cli.prepare.corpus import define_signal
from cmaudio.errors import CmaudioError
from cmaudio.score.general_midi import PERCUSSION, PROGRAMS
from cmaudio.soundfont.player import PLACES
from cmaudio.training.corpus.clip import Clip, Signal, log_mel
from cmaudio.training.corpus.description import SignalDefinition, Split, read_description
from cmaudio.training.corpus.shard import field_files, quantise
from cmaudio.training.prepare.folder import FolderSource
from cmaudio.training.prepare.notes import EVALUATION_NOTES, NotePlan, parse_programs
from cmaudio.training.prepare.outcomes import momentary_level_db
from cmaudio.training.prepare.pitch import frame_centres, track_pitch
from cmaudio.training.prepare.played import Performance, perform, velocity_of
from cmaudio.training.prepare.source import Maker, Traits
from cmaudio.training.prepare.summary import draw_summary
from cmaudio.training.prepare.writer import write_corpus

TINY = SignalDefinition(sample_rate=16_000, hop_length=64, bands=16, f_max_hz=8000)
RATE = 22_050


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    """Two labels of short sounds, one long file, and everything that can be wrong with a file."""
    folder = tmp_path / "sounds"
    rng = np.random.default_rng(0)
    for label, hz in (("low", 110.0), ("high", 440.0)):
        (folder / label).mkdir(parents=True)
        for i in range(3):
            seconds = np.arange(int(RATE * (0.3 + 0.2 * i))) / RATE
            tone = sum(np.sin(2 * np.pi * hz * k * seconds) / k for k in range(1, 8)) * 0.1 / 2**i
            soundfile.write(folder / label / f"tone{i}.wav", tone, RATE)
    (folder / "hiss").mkdir()
    soundfile.write(folder / "hiss" / "long.flac", rng.normal(0, 0.05, (44_100 * 5, 2)), 44_100)
    bad = folder / "bad"
    bad.mkdir()
    (bad / "empty.wav").touch()
    (bad / "notes.txt").write_text("no sound")
    whole = (folder / "low" / "tone0.wav").read_bytes()
    (bad / "damaged.wav").write_bytes(whole[:20] + bytes(20) + whole[60:])
    soundfile.write(bad / "silent.wav", np.zeros(RATE), RATE)
    soundfile.write(bad / "click.wav", np.ones(100) * 0.5, RATE)
    soundfile.write(bad / "nan.wav", np.full(RATE, np.nan), RATE, subtype="FLOAT")
    return folder


def read_all(corpus: Path) -> dict[str, tuple[Any, ...]]:
    """Everything of every clip, by split and name."""
    from lhotse import CutSet

    clips = {}
    for split in ("train", "held_out"):
        if not list((corpus / split).iterdir()):
            continue
        for cut in CutSet.from_shar(in_dir=corpus / split):
            arrays = (cut.load_audio()[0], cut.load_log_mel(), cut.load_harmonics(), cut.load_pitch_track())
            told = {key: value for key, value in cut.custom.items() if isinstance(value, str | int | float)}
            clips[f"{split} {cut.id}"] = (*(array.tobytes() for array in arrays), json.dumps(told, sort_keys=True))
    return {key: (*value[:4], value[4].replace(str(corpus), "")) for key, value in clips.items()}


def test_a_folder_says_what_became_of_every_file(sounds: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    description, outcomes = write_corpus(corpus, FolderSource(sounds, piece_seconds=2), TINY)
    report = json.loads((corpus / "report.json").read_text())
    refused = {row["item"]: row["reason"] for row in report["train"]["not_used"]}
    assert set(refused) == {
        f"bad/{n}" for n in ("click.wav", "damaged.wav", "empty.wav", "nan.wav", "notes.txt", "silent.wav")
    }
    assert "20 ms" in refused["bad/click.wav"]
    assert "silent" in refused["bad/silent.wav"]
    assert "not finite" in refused["bad/nan.wav"]
    used = {row["item"] for row in report["train"]["used"]}
    names = {path.relative_to(sounds).as_posix() for path in sounds.rglob("*") if path.is_file()}
    assert {name.partition(" @")[0] for name in used} | set(refused) == names
    timbres = {timbre.name: timbre for timbre in description.timbres}
    assert set(timbres) == {"low", "high", "hiss"}
    assert timbres["hiss"].sustained
    assert not timbres["hiss"].pitched
    assert timbres["low"].pitched
    assert read_description(corpus) == description
    draw_summary(corpus, description, outcomes)
    assert (corpus / "summary.png").stat().st_size > 10_000


def test_what_is_written_is_read_back(sounds: Path, tmp_path: Path) -> None:
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
def test_sample_counts_survive_durations(rate: int, hop: int, tmp_path: Path) -> None:
    source = Beeps(count=6, hop=hop, most_frames=2500)
    definition = SignalDefinition(sample_rate=rate, hop_length=hop, bands=8, f_max_hz=rate / 2)
    write_corpus(tmp_path, source, definition)
    from lhotse import CutSet

    for cut, item in zip(CutSet.from_shar(in_dir=tmp_path / "train"), source.items()["train"], strict=True):
        frames = source.frames(item.number)
        assert cut.load_audio().shape == (1, frames * hop)
        assert len(cut.load_log_mel()) == len(cut.load_pitch_track()) == frames


@dataclass(frozen=True)
class Beep:
    number: int

    @property
    def name(self) -> str:
        return f"beep {self.number}"


@dataclass(frozen=True)
class Beeps:
    """A source of noise; the worker that comes to `fatal` dies."""

    count: int = 12
    hop: int = 64
    most_frames: int = 40
    fatal: int = -1
    name: str = "beeps"
    licence: str = "CC0"
    kind: str = "test"
    gain: float = 1.0

    @property
    def settings(self) -> Mapping[str, int]:
        return {"count": self.count}

    def items(self) -> Mapping[Split, Sequence[Beep]]:
        return {"train": [Beep(i) for i in range(self.count)], "held_out": [Beep(1000 + i) for i in range(3)]}

    def frames(self, number: int) -> int:
        return int(np.random.default_rng(number).integers(1, self.most_frames))

    def open(self, signal: Signal) -> Maker[Beep]:
        def make(item: Beep) -> list[Clip]:
            if item.number == self.fatal:
                os._exit(9)
            frames = self.frames(item.number)
            audio = np.random.default_rng(item.number).uniform(-1, 1, frames * self.hop).astype(np.float32)
            track = np.full(frames, 60, np.float32)
            return [Clip(item.name, f"t{item.number % 2}", audio, track, track * 0, 60.0, 100.0, 0, len(audio))]

        return make

    def traits(self, timbre: str, voiced_share: float) -> Traits:
        return Traits(pitched=voiced_share > 0, sustained=False)


def test_two_workers_write_what_one_writes(tmp_path: Path) -> None:
    for workers in (1, 2):
        write_corpus(tmp_path / str(workers), Beeps(), TINY, workers=workers, shard_items=5)
    one, two = (read_all(tmp_path / str(workers)) for workers in (1, 2))
    assert len(one) == 15
    assert one == two
    for split in ("train", "held_out"):
        for name in field_files(0)[1:]:
            assert (tmp_path / "1" / split / name).read_bytes() == (tmp_path / "2" / split / name).read_bytes()


def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    """kill -9 in the middle, and a shard that was only half moved: the corpus is the same in the end."""
    corpus, whole = tmp_path / "killed", tmp_path / "whole"
    code = (
        "import os, signal\nfrom pathlib import Path\nfrom test_prepare import Beeps, TINY, write_corpus\n"
        "def kill(progress):\n    if progress.clips >= 8: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"write_corpus(Path({str(corpus)!r}), Beeps(), TINY, shard_items=4, on_progress=kill)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])},
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


def test_a_worker_that_dies_costs_its_shard_alone(tmp_path: Path) -> None:
    with pytest.raises(CmaudioError, match=r"worker process died.*same command"):
        write_corpus(tmp_path, Beeps(fatal=1001), TINY, workers=2, shard_items=12)
    write_corpus(tmp_path, Beeps(), TINY, shard_items=12)
    assert len(read_all(tmp_path)) == 15


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object, **keywords: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(soundfile, "write", full)
        with pytest.raises(CmaudioError, match=r"No space left.*same command"):
            write_corpus(tmp_path, Beeps(), TINY)
    write_corpus(tmp_path, Beeps(), TINY)
    assert len(read_all(tmp_path)) == 15


def test_other_settings_do_not_go_on(tmp_path: Path) -> None:
    write_corpus(tmp_path / "corpus", Beeps(), TINY)
    with pytest.raises(CmaudioError, match="count: 12, now 13"):
        write_corpus(tmp_path / "corpus", Beeps(count=13), TINY)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").touch()
    with pytest.raises(CmaudioError, match="not empty"):
        write_corpus(tmp_path / "other", Beeps(), TINY)


def test_folders_with_nothing_to_use(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(CmaudioError, match="is empty"):
        write_corpus(tmp_path / "corpus", FolderSource(tmp_path / "none"), TINY)
    (tmp_path / "none" / "a.txt").write_text("a")
    with pytest.raises(CmaudioError, match=r"nothing to train on.*1 x not a sound file.*report\.json"):
        write_corpus(tmp_path / "corpus", FolderSource(tmp_path / "none"), TINY)
    assert json.loads((tmp_path / "corpus" / "report.json").read_text())["not_used"] == 1
    with pytest.raises(CmaudioError, match="no folder"):
        FolderSource(tmp_path / "missing")


def test_held_out_files_leave_every_label_something_to_train_on(tmp_path: Path) -> None:
    for i in range(24):
        (tmp_path / f"kick{i}.wav").touch()
    (tmp_path / "gong.wav").touch()
    source = FolderSource(tmp_path, labels="name", held_out=0.9)
    items = source.items()
    assert {item.path for item in items["train"]} >= {"gong.wav"}
    assert {source._label(item.path) for item in items["train"]} == {"kick", "gong"}
    assert len(items["held_out"]) == 22
    assert not {item.path for item in items["train"]} & {item.path for item in items["held_out"]}


def test_a_sound_is_let_go() -> None:
    signal = define_signal(16_000, 64, 16).signal()
    audio = np.concatenate([np.zeros(3000), np.sin(np.arange(32_000) * 0.2)]).astype(np.float32) * 0.1
    whole, let_go = perform(audio, Performance("x", "t", "auto", -20.0), signal, np.random.default_rng(0))
    lead = 4 * 64
    assert not whole.audio[:lead].any()
    assert 0 <= np.argmax(np.abs(whole.audio) > 0.01) - lead < 64
    assert not let_go.audio[let_go.release_samples + 4801 :].any()
    assert np.abs(let_go.audio[let_go.release_samples - 100 : let_go.release_samples]).max() > 0.09
    expected = 69 + 12 * np.log2(0.2 * 16_000 / (2 * np.pi) / 440)
    assert whole.pitch == pytest.approx(expected, abs=0.1)
    assert len(whole.audio) % 64 == 0
    assert velocity_of(-32, -20) == pytest.approx(127 / 2, rel=0.01)


def test_pitch_follows_a_glide_where_it_is_heard() -> None:
    rate, hop = 48_000, 512
    seconds = np.arange(rate * 3) / rate
    semitones = 50 + 12 * seconds / 3
    cycles = np.cumsum(440 * 2 ** ((semitones - 69) / 12)) / rate
    audio = np.sum([np.sin(2 * np.pi * k * cycles) / k for k in range(1, 8)], 0) * 0.003
    audio[: rate // 2] = 0
    centres = frame_centres(len(audio) // hop, hop)
    found, voiced = track_pitch(np.asarray(audio, np.float32), rate, centres)
    error = (found - (50 + 12 * centres / rate / 3))[voiced > 0]
    assert abs(np.median(error)) < 0.03
    assert np.percentile(np.abs(error), 90) < 0.2
    assert voiced[centres < rate * 0.4].max() == 0
    assert voiced[centres > rate * 0.6].mean() > 0.9
    silent, never = track_pitch(np.zeros(rate, np.float32), rate, centres[:50])
    assert (silent == 60).all()
    assert not never.any()


def test_less_sure_frames_beside_sure_ones_are_voiced_where_that_is_asked_for() -> None:
    rate = 16_000
    rng = np.random.default_rng(1)
    t = np.arange(2 * rate) / rate
    tone = np.sin(2 * np.pi * 150 * t) + 0.5 * np.sin(2 * np.pi * 300 * t)
    audio = (tone * np.linspace(1, 0, len(t)) ** 2 + 0.1 * rng.standard_normal(len(t))).astype(np.float32)
    centres = frame_centres(len(audio) // 160, 160)
    _, strict = track_pitch(audio, rate, centres)
    semitones, lenient = track_pitch(audio, rate, centres, least_confidence=0.1)
    assert (lenient >= strict).all()
    more = (lenient > strict) & (centres / rate > 0.1)
    assert more.any()
    assert np.median(np.abs(semitones[more] - (69 + 12 * np.log2(150 / 440)))) < 0.5


def plan(**changes: Any) -> NotePlan:
    fields: dict[str, Any] = {
        "notes": 300, "held_out": 40, "seed": 3, "programs": range(128), "sustained": [16, 40], "drum_keys": [36, 38],
        "drum_share": 0.1, "short_share": 0.25, "long_share": 0.1,
    }  # fmt: skip
    return NotePlan(**(fields | changes))


def test_no_training_note_is_a_held_out_one() -> None:
    from cmaudio.soundfont.notes import draw_gesture

    notes = plan(notes=4000, programs=[0], drum_keys=[]).draw()
    held = {note.struck for note in notes["held_out"]}
    held |= {(g.program, g.pitch, g.velocity) for g in map(draw_gesture, range(EVALUATION_NOTES))}
    assert not held & {note.struck for note in notes["train"]}
    assert notes == plan(notes=4000, programs=[0], drum_keys=[]).draw()


def test_notes_have_the_shares_that_were_asked_for() -> None:
    notes = plan(notes=2000).draw()["train"]
    long = [note for note in notes if note.gate_seconds >= 10]
    assert 0.06 < len(long) / len(notes) < 0.12
    assert {note.program for note in long} == {16, 40}
    assert 0.07 < np.mean([note.program is None for note in notes]) < 0.13
    assert 0.2 < np.mean([note.seconds == 1.37 for note in notes]) < 0.3
    assert {note.program for note in notes} == {None, *range(128)}


def test_programs_are_read() -> None:
    assert parse_programs("1-3, 128") == [0, 1, 2, 127]
    assert parse_programs("") == []
    for wrong in ("0", "5-3", "129", "piano"):
        with pytest.raises(ValueError, match=r".*"):
            parse_programs(wrong)


SOUNDFONT = next((place for place in PLACES if place.is_file()), None)
needs_soundfont = pytest.mark.skipif(
    SOUNDFONT is None or importlib.util.find_spec("tinysoundfont") is None, reason="no SoundFont or no tinysoundfont"
)


@needs_soundfont
def test_soundfont_notes_and_drums(tmp_path: Path) -> None:
    from lhotse import CutSet

    from cmaudio.training.prepare.soundfont import SoundFontSource

    assert SOUNDFONT is not None
    source = SoundFontSource(SOUNDFONT, programs=(19, 40), notes=12, held_out=3, drum_share=0.5, long_share=0)
    description, _ = write_corpus(tmp_path, source, TINY)
    assert description.gain == 4
    for timbre in description.timbres:
        if timbre.pitched:
            assert timbre.name == PROGRAMS[timbre.program or 0]
            assert timbre.sustained
        else:
            assert timbre.name == PERCUSSION[timbre.key or 0]
    kinds = {timbre.pitched for timbre in description.timbres}
    assert kinds == {True, False}
    for cut in CutSet.from_shar(in_dir=tmp_path / "train"):
        audio, track = cut.load_audio()[0], cut.load_pitch_track()
        onset = cut.custom["onset_samples"]
        assert not audio[:onset].any()
        assert np.abs(audio[onset : onset + 4000]).max() > 1e-3
        assert (track[:, 1] == float(cut.custom["timbre"] in PROGRAMS)).all()
        if cut.custom["timbre"] in PERCUSSION.values():
            assert (track[:, 0] == 60).all()


@needs_soundfont
def test_a_piano_struck_harder_is_louder() -> None:
    from cmaudio.soundfont.baked import BakedSoundFont

    assert SOUNDFONT is not None
    font = BakedSoundFont(SOUNDFONT, 16_000)
    levels = [momentary_level_db(font.note(0, 60, velocity, 8000), 16_000) for velocity in range(20, 128, 8)]
    assert np.diff(levels).min() > -1
    assert levels[-1] - levels[0] > 12


def test_what_a_soundfont_needs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from cmaudio.training.prepare.soundfont import SoundFontSource

    with pytest.raises(CmaudioError, match="no SoundFont"):
        SoundFontSource(tmp_path / "missing.sf2")
    (tmp_path / "font.sf2").write_bytes(b"RIFF")
    with monkeypatch.context() as patched:
        patched.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(CmaudioError, match="pip install --no-deps tinysoundfont"):
            SoundFontSource(tmp_path / "font.sf2")
    result = CliRunner().invoke(app, ["soundfont", str(tmp_path / "font.sf2"), "-o", str(tmp_path), "--programs", "0"])
    assert isinstance(result.exception, CmaudioError)
    assert "1 to 128" in str(result.exception)
