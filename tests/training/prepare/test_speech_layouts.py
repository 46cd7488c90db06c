"""Layouts of speech corpora: from disk to shards, and what is refused and why."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("lhotse")
pytest.importorskip("swift_f0")

from fixtures.speech_corpora import (
    RATE,
    TEXT,
    TINY,
    make_cmu_arctic,
    make_libritts,
    make_ljspeech,
    make_vctk_080,
    make_vctk_092,
    tone,
    write_tone,
)

from cmaudio.errors import CmaudioError
from cmaudio.training.prepare.speech import SpeechSource
from cmaudio.training.prepare.utterances import find_utterances
from cmaudio.training.prepare.writer import write_corpus

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


def test_libritts_uses_development_parts_only_without_training_parts(tmp_path: Path) -> None:
    make_libritts(tmp_path)
    found = {u.name: u.trouble for u in find_utterances(tmp_path, "libritts")}
    assert found["dev-clean"] == "part whose speakers are in no training part"
    for part in ("train-clean-100", "train-other-500"):
        (tmp_path / part).rename(tmp_path / f"not {part}")
    assert {u.speaker for u in find_utterances(tmp_path, "libritts")} == {"99"}


@pytest.mark.parametrize(("layout", "make"), MAKERS, ids=lambda value: getattr(value, "__name__", value))
def test_a_wrong_layout_is_refused_naming_expected_and_found_files(
    layout: str, make: Callable[[Path], set[str]], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    (other / "lyrics").mkdir(parents=True)
    with pytest.raises(CmaudioError, match=rf"not laid out like {layout}: expected .*found lyrics/ \(no files\)"):
        find_utterances(other, layout)
    make(tmp_path / "voices")
    for path in (tmp_path / "voices").rglob("*.*"):
        if path.suffix in (".wav", ".flac"):
            path.rename(path.with_suffix(".m4a"))
    with pytest.raises(CmaudioError, match=rf"not laid out like {layout}: .* found .*\d \.m4a"):
        find_utterances(tmp_path / "voices", layout)


def test_impossible_sources_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CmaudioError, match=r"no folder .*metadata\.csv"):
        SpeechSource(tmp_path / "none", "ljspeech")
    with pytest.raises(CmaudioError, match=r"no layout 'timit'.*ljspeech, vctk, libritts, cmu_arctic"):
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


def test_every_rejected_utterance_is_in_the_report(tmp_path: Path) -> None:
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


def test_an_unusable_corpus_is_refused_with_the_reason(tmp_path: Path) -> None:
    make_ljspeech(tmp_path / "voices")
    (tmp_path / "voices" / "metadata.csv").write_text("a|b|c\n")
    expected = r"nothing to train on.*4 x no line in a transcript, such as wavs/.*1 x missing audio, such as a\)"
    with pytest.raises(CmaudioError, match=expected):
        write_corpus(tmp_path / "corpus", SpeechSource(tmp_path / "voices", "ljspeech"), TINY)


def test_inputs_that_would_crash_a_recipe_are_refused(tmp_path: Path) -> None:
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


def test_utterances_that_a_recipe_skips_are_reported(tmp_path: Path) -> None:
    """A file that Lhotse knows as damaged, and a speaker it drops for this microphone."""
    make_vctk_092(tmp_path)
    write_tone(tmp_path / "wav48_silence_trimmed" / "p280" / "p280_001_mic2.flac", 100)
    (tmp_path / "txt" / "p280").mkdir()
    (tmp_path / "txt" / "p280" / "p280_001.txt").write_text("left out")
    found = {u.name: u.trouble for u in find_utterances(tmp_path, "vctk") if u.trouble}
    assert found == {"p280_001_mic2": "left out by Lhotse's recipe"}


def test_a_recipe_that_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: Path, **_settings: object) -> None:
        raise AssertionError("no luck")

    make_vctk_092(tmp_path)
    monkeypatch.setattr("lhotse.recipes.prepare_vctk", fail)
    with pytest.raises(CmaudioError, match=r"recipe for vctk failed.*no luck"):
        find_utterances(tmp_path, "vctk")
