"""LJSpeech's layout in the forms that people write: columns, names, formats, speakers."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("lhotse")
pytest.importorskip("swift_f0")

from fixtures.speech_corpora import TINY, write_tone

from cmaudio.errors import CmaudioError
from cmaudio.training.prepare.ljspeech import second_is_speaker, utterance_id
from cmaudio.training.prepare.speech import SpeechSource
from cmaudio.training.prepare.utterances import find_utterances
from cmaudio.training.prepare.writer import write_corpus

DIGITS = [("in 1465.", "in fourteen sixty-five."), ("Dr. Lee", "Doctor Lee"), ("Yes.", "Yes."), ("42", "forty-two")]
PIPER = [(speaker, f"{speaker} says sentence number {i} aloud") for i in range(3) for speaker in ("anna", "ben")]


@pytest.mark.parametrize(
    ("pairs", "is_speaker"),
    [
        (DIGITS, False),
        ([("a", "b")], False),
        ([("Да.", "да"), ("В 5 ч", "в пять часов")], False),
        ([("same", "same")] * 4, False),
        (PIPER, True),
        ([("0", "Yes."), ("1", "No."), ("0", "Well."), ("1", "Yes.")], True),
        ([("anna", "Yes."), ("anna", "No."), ("anna", "It is late.")], True),
    ],
)
def test_the_second_column_is_known_by_what_it_holds(pairs: list[tuple[str, str]], is_speaker: bool) -> None:
    assert second_is_speaker(pairs, "metadata.csv") is is_speaker


@pytest.mark.parametrize(
    "pairs",
    [
        [("anna", "It was a dark and stormy night."), ("ben", "Nobody had expected the train.")],
        [*DIGITS, ("anna", "It is late."), ("anna", "It was a dark night.")],
        [("x" * 50, "one"), ("x" * 50, "two"), ("x" * 50, "three")],
    ],
    ids=["every speaker once", "some lines with speakers", "too long for names"],
)
def test_an_unclear_second_column_is_refused_with_an_example(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(CmaudioError, match=r"metadata\.csv: it is not clear what the second .* Write id\|text"):
        second_is_speaker(pairs, "metadata.csv")


def metadata(folder: Path, *rows: str) -> None:
    (folder / "metadata.csv").write_text("\n".join(rows), encoding="utf-8")


def test_the_text_in_words_is_read(tmp_path: Path) -> None:
    for name in "ab":
        write_tone(tmp_path / "wavs" / f"{name}.wav", 200)
    metadata(tmp_path, "a|in 1465|in fourteen sixty-five", "b|plain")
    assert [u.text for u in find_utterances(tmp_path, "ljspeech")] == ["in fourteen sixty-five", "plain"]


def test_the_speakers_of_piper_become_timbres(tmp_path: Path) -> None:
    for i in range(4):
        write_tone(tmp_path / "voices" / "wavs" / f"{i}.wav", 200)
    metadata(tmp_path / "voices", "0|anna|How are you?", "1|ben|I am well.", "2|anna|What is it?", "3|ben|It is late.")
    source = SpeechSource(tmp_path / "voices", "ljspeech", held_out_share=0)
    description, _ = write_corpus(tmp_path / "corpus", source, TINY)
    assert {timbre.name: timbre.clips for timbre in description.timbres} == {"anna": 2, "ben": 2}
    assert [u.text for u in source.utterances] == ["How are you?", "I am well.", "What is it?", "It is late."]


@pytest.mark.parametrize(
    ("name", "sound", "told"),
    [
        ("0", "wavs/0.wav", ("0", "")),
        ("0.wav", "wavs/0.wav", ("0", "")),
        ("wavs/0.wav", "wavs/0.wav", ("0", "")),
        ("./wavs/0", "wavs/0.wav", ("0", "")),
        ("wavs\\0.wav", "wavs/0.WAV", ("0", "")),
        ("0.wav", "wavs/0.flac", ("0", "")),
        ("0", "wav/0.mp3", ("0", "")),
        ("0.v2", "wavs/0.v2.ogg", ("0.v2", "")),
        ("0", "wavs/anna/0.wav", ("anna/0", "anna")),
        ("anna/0", "wavs/anna/0.wav", ("anna/0", "anna")),
        ("wavs/anna/0.wav", "wavs/anna/0.wav", ("anna/0", "anna")),
        ("0", "wavs/anna/monday/0.flac", ("anna/monday/0", "anna")),
    ],
)
def test_names_and_formats_of_every_form_are_found(
    name: str, sound: str, told: tuple[str, str], tmp_path: Path
) -> None:
    path = tmp_path / sound
    write_tone(path.with_suffix(path.suffix.lower()), 200, 24_000)
    path.with_suffix(path.suffix.lower()).replace(path)
    metadata(tmp_path, f"{name}|Said, aloud.")
    (found,) = find_utterances(tmp_path, "ljspeech")
    assert (found.name, found.speaker, found.audio, found.trouble) == (*told, sound, "")
    assert (found.sample_rate, round(found.seconds, 1)) == (24_000, 1.0)


def test_names_without_exactly_one_readable_file_are_told(tmp_path: Path) -> None:
    for place in ("anna/0.wav", "ben/0.wav", "1.wav", "1.flac", "2.wav", "2.flac"):
        write_tone(tmp_path / "wavs" / place, 200)
    (tmp_path / "wavs" / "3.m4a").touch()
    metadata(tmp_path, "0|Said.", "1|Said.", "2.flac|Said.", "3|Said.", f"{'x' * 300}|Said.")
    found = {u.name: u.trouble or u.audio for u in find_utterances(tmp_path, "ljspeech")}
    assert found["0"] == "more than one sound file: wavs/anna/0.wav and wavs/ben/0.wav"
    assert found["1"] == "more than one sound file: wavs/1.flac and wavs/1.wav"
    assert found["2"] == "wavs/2.flac"
    assert found["3"] == "audio in a format that the layout does not have (.m4a)"
    assert found["x" * 300] == "missing audio"


def test_speakers_tell_files_of_one_name_apart(tmp_path: Path) -> None:
    for speaker in ("anna", "ben"):
        write_tone(tmp_path / "wavs" / speaker / "0.wav", 200)
        write_tone(tmp_path / "wavs" / speaker / "1.wav", 200)
    metadata(tmp_path, *(f"{i}|{speaker}|Said by {speaker}, {i}." for i in range(2) for speaker in ("anna", "ben")))
    found = find_utterances(tmp_path, "ljspeech")
    assert [(u.name, u.speaker, u.text) for u in found if not u.trouble] == [
        (f"{speaker}/{i}", speaker, f"Said by {speaker}, {i}.") for speaker in ("anna", "ben") for i in range(2)
    ]


@pytest.mark.parametrize("name", ["0", "0.wav", "wavs/0.flac", "./wavs/0", "wav\\0.mp3"])
def test_all_forms_of_a_name_are_one_id(name: str) -> None:
    assert utterance_id(name) == "0"
