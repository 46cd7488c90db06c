"""Speech corpora: each layout from disk to shards, what is refused and why, and the pitch that is found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

pytest.importorskip("lhotse")
pytest.importorskip("swift_f0")

from cmaudio.errors import CmaudioError
from cmaudio.signal.dsp import Float
from cmaudio.training.corpus.description import SignalDefinition
from cmaudio.training.prepare.outcomes import momentary_level_db
from cmaudio.training.prepare.speech import SpeechSource, choose_held_out, frame_speech, speech_bounds
from cmaudio.training.prepare.utterances import Utterance, find_utterances
from cmaudio.training.prepare.writer import write_corpus

ROOT = Path(__file__).parents[2]
RATE = 22_050
TINY = SignalDefinition(sample_rate=24_000, hop_length=256, bands=16, f_max_hz=12_000)
TEXT = "Said, aloud."


def tone(hz: float, rate: int = RATE, seconds: float = 0.6, level: float = 0.1) -> Float:
    """A voice of eight harmonics with 0.2 s of near silence on either side."""
    time = np.arange(int(rate * seconds)) / rate
    wave = np.sum([np.sin(2 * np.pi * k * hz * time) / k for k in range(1, 9)], 0) * level
    silence = np.random.default_rng(0).normal(0, 1e-5, int(0.2 * rate))
    return np.concatenate([silence, wave, silence]).astype(np.float32)


def write_tone(path: Path, hz: float, rate: int = RATE, **more: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, tone(hz, rate, **more), rate)


def make_ljspeech(folder: Path) -> set[str]:
    names = [f"LJ001-{i:04d}" for i in range(4)]
    for i, name in enumerate(names):
        write_tone(folder / "wavs" / f"{name}.wav", 120 + 20 * i)
    (folder / "metadata.csv").write_text("".join(f"{name}|{TEXT}|{TEXT}\n" for name in names))
    return {folder.name}


def make_vctk_092(folder: Path) -> set[str]:
    for i, name in enumerate(("p225_001", "p225_002", "s5_001")):
        speaker = name.partition("_")[0]
        for microphone in ("mic1", "mic2"):
            write_tone(folder / "wav48_silence_trimmed" / speaker / f"{name}_{microphone}.flac", 150 + 30 * i, 48_000)
        (folder / "txt" / speaker).mkdir(parents=True, exist_ok=True)
        (folder / "txt" / speaker / f"{name}.txt").write_text(TEXT + "\n")
    return {"p225", "s5"}


def make_vctk_080(folder: Path) -> set[str]:
    for i, name in enumerate(("p225_001", "p226_001")):
        speaker = name.partition("_")[0]
        write_tone(folder / "wav48" / speaker / f"{name}.wav", 150 + 30 * i, 48_000)
        (folder / "txt" / speaker).mkdir(parents=True)
        (folder / "txt" / speaker / f"{name}.txt").write_text(TEXT)
    return {"p225", "p226"}


def make_libritts(folder: Path) -> set[str]:
    for part, speaker in (("train-clean-100", "84"), ("train-other-500", "85"), ("dev-clean", "99")):
        chapter = folder / part / speaker / "7"
        names = [f"{speaker}_7_000001_{i:06d}" for i in range(2)]
        for i, name in enumerate(names):
            write_tone(chapter / f"{name}.wav", 130 + 20 * i, 24_000)
        (chapter / f"{speaker}_7.trans.tsv").write_text("".join(f"{name}\tsaid\t{TEXT}\n" for name in names))
    return {"84", "85"}


def make_cmu_arctic(folder: Path) -> set[str]:
    for speaker in ("slt", "bdl"):
        voice = folder / f"cmu_us_{speaker}_arctic"
        names = ["arctic_a0001", "arctic_a0002"]
        for i, name in enumerate(names):
            write_tone(voice / "wav" / f"{name}.wav", 130 + 20 * i, 16_000)
        (voice / "etc").mkdir()
        (voice / "etc" / "txt.done.data").write_text("".join(f'( {name} "{TEXT}" )\n' for name in names))
    return {"slt", "bdl"}


MAKERS: list[tuple[str, Callable[[Path], set[str]]]] = [
    ("ljspeech", make_ljspeech),
    ("vctk", make_vctk_092),
    ("vctk", make_vctk_080),
    ("libritts", make_libritts),
    ("cmu_arctic", make_cmu_arctic),
]


@pytest.mark.parametrize(("layout", "make"), MAKERS, ids=lambda value: getattr(value, "__name__", value))
def test_each_layout_from_disk_to_shards(layout: str, make: Callable[[Path], set[str]], tmp_path: Path) -> None:
    from lhotse import CutSet

    speakers = make(tmp_path / "voices")
    write_corpus(tmp_path / "corpus", SpeechSource(tmp_path / "voices", layout, held_out_share=0), TINY)
    cuts = list(CutSet.from_shar(in_dir=tmp_path / "corpus" / "train"))
    assert {cut.custom["timbre"] for cut in cuts} == speakers
    for cut in cuts:
        assert cut.supervisions[0].text == TEXT
        assert cut.sampling_rate == TINY.sample_rate
        onset, release = cut.custom["onset_samples"], cut.custom["release_samples"]
        assert onset == 4 * TINY.hop_length
        assert (release - onset) / TINY.sample_rate == pytest.approx(0.6, abs=0.03)
        assert cut.duration - release / TINY.sample_rate == pytest.approx(0.2, abs=0.011)
        semitones, voiced = cut.load_pitch_track().T
        middle = slice(onset // 256 + 8, release // 256 - 8)
        assert voiced[middle].all()
        assert np.ptp(semitones[middle]) < 0.3
        assert cut.custom["pitch"] == pytest.approx(np.median(semitones[middle]), abs=0.1)


def test_libritts_leaves_the_development_parts_alone_until_there_are_no_others(tmp_path: Path) -> None:
    make_libritts(tmp_path)
    found = {u.name: u.trouble for u in find_utterances(tmp_path, "libritts")}
    assert found["dev-clean"] == "part whose speakers are in no training part"
    for part in ("train-clean-100", "train-other-500"):
        (tmp_path / part).rename(tmp_path / f"not {part}")
    assert {u.speaker for u in find_utterances(tmp_path, "libritts")} == {"99"}


@pytest.mark.parametrize(("layout", "make"), MAKERS, ids=lambda value: getattr(value, "__name__", value))
def test_another_layout_is_refused_by_what_was_expected_and_found(
    layout: str, make: Callable[[Path], set[str]], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    (other / "lyrics").mkdir(parents=True)
    with pytest.raises(CmaudioError, match=rf"not laid out like {layout}: expected .*found lyrics/"):
        find_utterances(other, layout)
    make(tmp_path / "voices")
    for path in (tmp_path / "voices").rglob("*.*"):
        if path.suffix in (".wav", ".flac"):
            path.unlink()
    with pytest.raises(CmaudioError, match=f"not laid out like {layout}"):
        find_utterances(tmp_path / "voices", layout)


def test_sources_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(CmaudioError, match=r"no folder .*metadata\.csv"):
        SpeechSource(tmp_path / "none", "ljspeech")
    with pytest.raises(CmaudioError, match=r"no speech layout 'timit'.*ljspeech, vctk, libritts, cmu_arctic"):
        SpeechSource(tmp_path, "timit")
    with pytest.raises(CmaudioError, match="--max-seconds 0"):
        SpeechSource(tmp_path, "ljspeech", max_seconds=0)
    for speeds in ((0.3,), (1.0,), (0.9, 0.9), (float("nan"),)):
        with pytest.raises(CmaudioError, match="--speeds"):
            SpeechSource(tmp_path, "ljspeech", speeds=speeds)


def make_troubled(folder: Path) -> dict[str, str]:
    """An LJSpeech corpus with everything that can be wrong with one; returns a part of each reason by item."""
    make_ljspeech(folder)
    wavs = folder / "wavs"
    write_tone(wavs / "other_rate.wav", 200, 44_100)
    soundfile.write(wavs / "stereo.wav", np.stack([tone(200), tone(200)], 1), RATE)
    write_tone(wavs / "twice.wav", 200)
    write_tone(wavs / "orphan.wav", 200)
    write_tone(wavs / "wordless.wav", 200)
    write_tone(wavs / "long.wav", 200, seconds=3)
    (wavs / "damaged.wav").write_bytes(b"RIFF" + bytes(200))
    (wavs / "empty.wav").touch()
    soundfile.write(wavs / "no_samples.wav", np.zeros(0), RATE)
    soundfile.write(wavs / "silent.wav", np.zeros(RATE), RATE)
    soundfile.write(wavs / "click.wav", np.full(200, 0.5), RATE)
    soundfile.write(wavs / "nan.wav", np.full(RATE, np.nan), RATE, subtype="FLOAT")
    rows = ["other_rate|a|a", "stereo|two fields", "twice|a|a", "twice|b|b", "wordless| | ", "long|a|a"]
    rows += [f"{name}|a|a" for name in ("damaged", "empty", "no_samples", "silent", "click", "nan", "missing")]
    rows += ["../../outside|a|a", "no bars at all", "a|b|c|d|e", ""]
    with (folder / "metadata.csv").open("ab") as file:
        file.write(("\n".join(rows) + "\n").encode() + b"cyrillic|\xf0\xd2\xc9|\xf0\xd2\xc9\n")
    return {
        "twice": "more than one line",
        "wavs/orphan.wav": "no line in a transcript",
        "wordless": "empty transcript",
        "long": "longer than 2 s",
        "damaged": "damaged",
        "empty": "empty file",
        "no_samples": "no samples",
        "silent": "silent",
        "click": "less than 0.1 s",
        "nan": "not finite",
        "missing": "missing audio",
        "../../outside": "cannot be a file's name",
        "metadata.csv line 19": "id|text|text in words",
        "metadata.csv line 20": "id|text|text in words",
        "metadata.csv line 22": "not UTF-8",
    }


def test_everything_not_used_is_in_the_report(tmp_path: Path) -> None:
    expected = make_troubled(tmp_path / "voices")
    source = SpeechSource(tmp_path / "voices", "ljspeech", max_seconds=2, held_out_share=0)
    description, _ = write_corpus(tmp_path / "corpus", source, TINY)
    report = json.loads((tmp_path / "corpus" / "report.json").read_text())
    refused = {row["item"]: row["reason"] for row in report["train"]["not_used"]}
    assert set(refused) == set(expected)
    for name, reason in expected.items():
        assert reason in refused[name], name
    used = {row["item"] for row in report["train"]["used"]}
    assert used == {*(f"LJ001-{i:04d}" for i in range(4)), "other_rate", "stereo"}
    assert "44100 Hz (1 files)" in str(description.settings["sample_rates_found"])


def test_a_corpus_with_nothing_to_use_says_why(tmp_path: Path) -> None:
    make_ljspeech(tmp_path / "voices")
    (tmp_path / "voices" / "metadata.csv").write_text("a|b|c\n")
    with pytest.raises(CmaudioError, match=r"nothing to train on.*4 x no line in a transcript.*1 x missing audio"):
        write_corpus(tmp_path / "corpus", SpeechSource(tmp_path / "voices", "ljspeech"), TINY)


def test_lines_and_folders_that_other_recipes_stumble_over(tmp_path: Path) -> None:
    make_cmu_arctic(tmp_path / "arctic")
    voice = tmp_path / "arctic" / "cmu_us_slt_arctic"
    with (voice / "etc" / "txt.done.data").open("a") as file:
        file.write('( arctic_a0003 "no sound" )\nno parentheses\n( arctic_a0001 "again" )\n')
    (tmp_path / "arctic" / "mine" / "etc").mkdir(parents=True)
    (tmp_path / "arctic" / "mine" / "etc" / "txt.done.data").touch()
    found = {u.name: u.trouble for u in find_utterances(tmp_path / "arctic", "cmu_arctic") if u.trouble}
    assert set(found) == {"slt-arctic_a0001", "slt-arctic_a0003", "cmu_us_slt_arctic txt.done.data line 4", "mine"}
    alone = find_utterances(voice, "cmu_arctic")
    assert {u.speaker for u in alone if not u.trouble} == {"slt"}

    make_vctk_092(tmp_path / "vctk")
    write_tone(tmp_path / "vctk" / "wav48_silence_trimmed" / "p315" / "p315_001_mic2.flac", 100)
    (tmp_path / "vctk" / "txt" / "p225" / "p225_003.txt").write_text("no sound")
    found = {u.name: u.trouble for u in find_utterances(tmp_path / "vctk", "vctk") if u.trouble}
    assert found == {
        "p225_003_mic2": "missing audio",
        "wav48_silence_trimmed/p315/p315_001_mic2.flac": "no line in a transcript",
    }


def test_what_a_recipe_leaves_out_is_told(tmp_path: Path) -> None:
    """A file that Lhotse knows as damaged, and a speaker it drops for this microphone."""
    make_vctk_092(tmp_path)
    write_tone(tmp_path / "wav48_silence_trimmed" / "p280" / "p280_001_mic2.flac", 100)
    (tmp_path / "txt" / "p280").mkdir()
    (tmp_path / "txt" / "p280" / "p280_001.txt").write_text("left out")
    found = {u.name: u.trouble for u in find_utterances(tmp_path, "vctk") if u.trouble}
    assert found == {"p280_001_mic2": "left out by Lhotse's recipe"}


def test_a_recipe_that_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: Path) -> None:
        raise AssertionError("no luck")

    make_ljspeech(tmp_path)
    monkeypatch.setattr("lhotse.recipes.prepare_ljspeech", fail)
    with pytest.raises(CmaudioError, match=r"recipe for ljspeech failed.*no luck"):
        find_utterances(tmp_path, "ljspeech")


def test_held_out_utterances_are_chosen_by_their_ids() -> None:
    spoken = [Utterance(f"u{i:03d}", speaker="a" if i else "alone") for i in range(200)]
    chosen = choose_held_out(spoken, 0.02)
    assert len(chosen) == 16
    assert choose_held_out(reversed(spoken), 0.02) == chosen
    assert len(choose_held_out(spoken, 0.2)) == 40
    assert "u000" not in choose_held_out(spoken, 1.0)
    assert not choose_held_out(spoken, 0)
    assert len(choose_held_out(spoken[:60], 0.02)) == 1


@pytest.fixture
def spoken(tmp_path: Path) -> Callable[[Float, int], Any]:
    """The clip that a corpus of one recording gives."""

    def make(audio: Float, rate: int) -> Any:
        (tmp_path / "wavs").mkdir()
        soundfile.write(tmp_path / "wavs" / "a.wav", audio, rate, subtype="FLOAT")
        (tmp_path / "metadata.csv").write_text("a|b|c\n")
        source = SpeechSource(tmp_path, "ljspeech")
        (clip,) = source.open(TINY.signal())(source.utterances[0])
        return clip

    return make


@pytest.mark.parametrize("rate", [16_000, 24_000, 44_100])
def test_pitch_of_a_frame_is_that_at_the_centre_of_its_hop(rate: int, spoken: Callable[[Float, int], Any]) -> None:
    """At two octaves a second, half a hop would be 13 cents."""
    seconds = np.arange(rate) / rate
    cycles = np.cumsum(440 * 2 ** ((40 + 24 * seconds - 69) / 12)) / rate
    audio = np.sum([np.sin(2 * np.pi * k * cycles) / k for k in range(1, 9)], 0) * 0.1
    clip = spoken(audio.astype(np.float32), rate)
    centres = np.array([t * 256 + 128 - 4 * 256 for t in range(len(clip.semitones))]) / 24_000
    inside = (centres > 0.1) & (centres < 0.9)
    cents = 100 * (clip.semitones - (40 + 24 * centres))[inside]
    assert clip.voiced[inside].all()
    assert abs(np.median(cents)) < 6
    assert np.percentile(np.abs(cents), 95) < 20
    assert clip.pitch == pytest.approx(52, abs=0.5)


def test_noise_has_no_pitch(spoken: Callable[[Float, int], Any]) -> None:
    audio = np.random.default_rng(1).normal(0, 0.05, RATE).astype(np.float32)
    clip = spoken(audio, RATE)
    assert not clip.voiced.any()
    assert clip.pitch == 60
    assert (clip.semitones == 60).all()


def test_speech_is_framed_by_silence() -> None:
    audio = tone(150, 24_000)
    start, end = speech_bounds(audio, 24_000)
    assert (start / 24_000, end / 24_000) == pytest.approx((0.2, 0.8), abs=0.011)
    framed = frame_speech(audio, start, end, TINY.signal())
    lead, tail = 4 * 256, 4800
    assert len(framed) % 256 == 0
    np.testing.assert_array_equal(framed[lead : lead + end - start], audio[start:end])
    assert framed[0] == 0
    assert not framed[lead + end - start + tail :].any()
    touching = frame_speech(audio[start:end], 0, end - start, TINY.signal())
    assert not touching[:lead].any()
    assert not touching[lead + end - start :].any()


def test_louder_utterances_have_higher_velocities_within_a_speaker(tmp_path: Path) -> None:
    levels = {"a": 0.05, "b": 0.1, "c": 0.2}
    for name, level in levels.items():
        write_tone(tmp_path / "wavs" / f"{name}.wav", 150, level=level)
    (tmp_path / "metadata.csv").write_text("".join(f"{name}|x|x\n" for name in levels))
    source = SpeechSource(tmp_path, "ljspeech")
    make = source.open(TINY.signal())
    clips = {u.name: make(u)[0] for u in source.utterances}
    assert clips["b"].velocity == pytest.approx(96, abs=1)
    assert clips["a"].velocity < 80 < 110 < clips["c"].velocity
    loudest = momentary_level_db(clips["c"].audio, TINY.sample_rate) + 20 * np.log10(source.gain)
    assert loudest == pytest.approx(-12, abs=1.5)


def test_training_utterances_are_read_at_other_speeds_too(tmp_path: Path) -> None:
    write_tone(tmp_path / "wavs" / "a.wav", 150)
    write_tone(tmp_path / "wavs" / "b.wav", 150)
    (tmp_path / "wavs" / "c.wav").write_bytes(b"RIFF")
    (tmp_path / "metadata.csv").write_text("a|x|x\nb|x|x\nc|x|x\n")
    ends = {"id": "a", "phonemes": ["", "s", "."], "ends": [0.1, 0.5, 0.8]}
    (tmp_path / "phonemes.jsonl").write_text(json.dumps(ends) + "\n" + json.dumps(ends | {"id": "b"}) + "\n")
    source = SpeechSource(tmp_path, "ljspeech", held_out_share=0.5, language="en-us", speeds=(0.8, 1.25))
    items = source.items()
    (kept,) = items["held_out"]
    assert kept.speed == 1
    (trained,) = {"a", "b"} - {kept.name}
    assert [(u.name, u.speed) for u in items["train"] if not u.trouble] == [
        (trained, 1),
        (trained, 0.8),
        (trained, 1.25),
    ]
    make = source.open(TINY.signal())
    plain, slow, fast = (make(u)[0] for u in items["train"] if not u.trouble)
    assert (slow.name, slow.timbre) == (f"{trained}@0.8", f"{plain.timbre}@0.8")
    assert (fast.name, fast.timbre) == (f"{trained}@1.25", f"{plain.timbre}@1.25")
    for clip, speed in ((slow, 0.8), (fast, 1.25)):
        assert clip.pitch - plain.pitch == pytest.approx(12 * np.log2(speed), abs=0.3)
        assert np.diff(clip.ends) * speed == pytest.approx(np.diff(plain.ends), abs=0.02)
        assert (clip.release_samples - clip.onset_samples) * speed == pytest.approx(
            plain.release_samples - plain.onset_samples, rel=0.05
        )


def test_what_workers_get_is_small_and_enough(tmp_path: Path) -> None:
    make_ljspeech(tmp_path)
    source = SpeechSource(tmp_path, "ljspeech")
    gain, utterance = source.gain, source.utterances[0]
    (tmp_path / "metadata.csv").unlink()
    sent = copy(source)
    assert "utterances" not in vars(sent)
    assert sent.gain == gain
    (here,), (there,) = (of.open(TINY.signal())(utterance) for of in (source, sent))
    assert here.velocity == there.velocity
    np.testing.assert_array_equal(here.audio, there.audio)


def test_lhotse_needs_no_torchaudio(tmp_path: Path) -> None:
    """One that cannot be loaded, as one for another CUDA version, is in the way: the corpus comes out all the same."""
    make_ljspeech(tmp_path / "voices")
    (tmp_path / "broken" / "torchaudio").mkdir(parents=True)
    (tmp_path / "broken" / "torchaudio" / "__init__.py").write_text("raise OSError('undefined symbol')\n")
    code = (
        "import sys; from pathlib import Path; from cmaudio.training.prepare.utterances import find_utterances\n"
        "found = find_utterances(Path(sys.argv[1]), 'ljspeech')\n"
        "assert len(found) == 4 and not any(u.trouble for u in found), found\n"
    )
    path = os.pathsep.join([str(tmp_path / "broken"), str(ROOT)])
    ended = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "voices")], env={**os.environ, "PYTHONPATH": path},
        capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr


def test_the_command(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from cmaudio.cli.prepare import app

    make_ljspeech(tmp_path / "voices")
    arguments = ["speech", "ljspeech", str(tmp_path / "voices"), "-o", str(tmp_path / "corpus"), "--workers", "1"]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert (tmp_path / "corpus" / "summary.png").is_file()
    assert json.loads((tmp_path / "corpus" / "corpus.json").read_text())["signal"]["hop_length"] == 256


def test_the_russian_voice_is_laid_out(tmp_path: Path) -> None:
    voice = tmp_path / "voice"
    for i in (1, 2):
        write_tone(voice / "wav" / f"ru_{i:04d}.wav", 100, 16_000)
    (voice / "etc").mkdir()
    (voice / "etc" / "txt.done.data").write_text('( ru_0001 "Дом+ик мой." )\n( ru_0002 "Окно." )\n')
    script = [sys.executable, str(ROOT / "scripts" / "ru_ljspeech.py"), str(tmp_path / "ru"), "--voice", str(voice)]
    subprocess.run([*script, "--limit", "1"], check=True, capture_output=True)
    (utterance,) = find_utterances(tmp_path / "ru", "ljspeech")
    assert (utterance.name, utterance.text) == ("ru_0001", "Домик мой.")
    again = subprocess.run(script, capture_output=True, text=True)
    assert again.returncode
    assert "there already" in again.stderr
