"""Clips of speech: pitch, framing, level, speed, and the held-out share."""

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

from fixtures.speech_corpora import (
    RATE,
    TINY,
    make_ljspeech,
    tone,
    write_tone,
)

from cmaudio.signal.dsp import Float
from cmaudio.training.prepare.outcomes import momentary_level_db
from cmaudio.training.prepare.speech import SpeechSource, choose_held_out, frame_speech, speech_bounds
from cmaudio.training.prepare.utterances import Utterance, find_utterances

ROOT = Path(__file__).parents[3]


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


def test_sources_pickle_small_and_complete(tmp_path: Path) -> None:
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


def test_the_russian_corpus_script_writes_ljspeech(tmp_path: Path) -> None:
    voice = tmp_path / "voice"
    for i in (1, 2):
        write_tone(voice / "wav" / f"ru_{i:04d}.wav", 100, 16_000)
    (voice / "etc").mkdir()
    (voice / "etc" / "txt.done.data").write_text('( ru_0001 "Дом+ик мой." )\n( ru_0002 "Окно." )\n')
    script = [sys.executable, str(ROOT / "scripts" / "ru_ljspeech.py"), str(tmp_path / "ru"), "--voice", str(voice)]
    subprocess.run([*script, "--limit", "1"], check=True, capture_output=True)
    (utterance,) = find_utterances(tmp_path / "ru", "ljspeech")
    assert (utterance.name, utterance.text) == ("ru_0001", "Доми\N{COMBINING ACUTE ACCENT}к мой.")
    again = subprocess.run(script, capture_output=True, text=True)
    assert again.returncode
    assert "exists" in again.stderr
