"""Texts and sounds that do not fit in length."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("lhotse")
pytest.importorskip("swift_f0")

from fixtures.speech_corpora import write_tone

from cmaudio.cli.prepare.speech import _warn_of_misfits
from cmaudio.errors import CmaudioError
from cmaudio.training.prepare.pace import Misfit, find_misfits
from cmaudio.training.prepare.speech import SpeechSource
from cmaudio.training.prepare.utterances import Utterance

WORDS = "the cat sat on the mat and looked at the moon over the hill "
USUAL = [Utterance(f"usual{i:02d}", text=(WORDS * 3)[: 30 + 5 * i], seconds=(30 + 5 * i) / 15) for i in range(20)]


@pytest.mark.parametrize(
    ("text", "seconds", "fits"),
    [
        (WORDS, 4.0, True),
        (WORDS, 2.6, True),  # a fast reader
        (WORDS, 6.5, True),  # with a long pause
        ("Yes.", 1.9, True),  # short, with silence
        (WORDS, 1.2, False),  # cut off
        (WORDS * 2, 3.5, False),  # the second half is missing
        ("Yes.", 6.0, False),  # most of it is not in the text
        ("...", 4.0, False),  # nothing to say
    ],
)
def test_lengths_are_judged_by_the_usual_pace(text: str, seconds: float, fits: bool) -> None:
    found = find_misfits([*USUAL, Utterance("this", text=text, seconds=seconds)])
    assert [misfit.name for misfit in found] == ([] if fits else ["this"])


def test_the_worst_come_first_with_their_pace() -> None:
    odd = [Utterance("cut", text=WORDS * 2, seconds=3.0), Utterance("lost", text=WORDS * 2, seconds=1.0)]
    assert list(map(str, find_misfits([*odd, *USUAL]))) == [
        "lost: 1.0 s, 92.0 characters a second",
        "cut: 3.0 s, 30.7 characters a second",
    ]


def test_phonemes_are_counted_where_the_corpus_has_them() -> None:
    phonemes = ("", " h", "ə", "l", "ˈoʊ", ".")
    spoken = [Utterance(f"{i}", text="x", phonemes=phonemes, seconds=0.4) for i in range(9)]
    cut = Utterance("cut", text="x", phonemes=phonemes * 9, seconds=0.4)
    assert list(map(str, find_misfits([*spoken, cut]))) == ["cut: 0.4 s, 90.0 phonemes a second"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("anna", 4.0), (WORDS * 9, 2.0), ("今日は", 8.0)],
    ids=["names instead of texts", "chapters instead of sentences", "a sign a syllable"],
)
def test_a_corpus_most_of_which_does_not_fit_is_refused(text: str, seconds: float) -> None:
    with pytest.raises(CmaudioError, match=r"texts and sounds do not fit: .* 12 of 12 texts .*another column"):
        find_misfits([Utterance(f"{i}", text=text, seconds=seconds) for i in range(12)])


@pytest.mark.parametrize(
    ("text", "seconds"), [("今日はいい天気ですね", 2.0), ("نص قصير للقراءة", 1.5), ("здравствуйте", 0.9), ("a", 1.0)]
)
def test_speech_in_other_scripts_fits(text: str, seconds: float) -> None:
    spoken = [Utterance(f"{i}", text=text, seconds=seconds) for i in range(9)]
    assert find_misfits(spoken) == []


def test_a_wrong_column_ends_the_preparation(tmp_path: Path) -> None:
    for i in range(12):
        write_tone(tmp_path / "wavs" / f"{i}.wav", 200, 8000, seconds=3)
    (tmp_path / "metadata.csv").write_text("\n".join(f"{i}|anna" for i in range(12)))
    with pytest.raises(CmaudioError, match="do not fit"):
        SpeechSource(tmp_path, "ljspeech").items()


def test_the_worst_ten_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    _warn_of_misfits([])
    assert not capsys.readouterr().err
    _warn_of_misfits([Misfit(f"clip{i:02d}", 1.0, 90.0, "characters") for i in range(14)])
    printed = capsys.readouterr().err
    assert "warning: the text of 14 utterances" in " ".join(printed.split())
    assert re.findall(r"clip\d\d", printed) == [f"clip{i:02d}" for i in range(10)]
