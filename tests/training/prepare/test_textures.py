"""A table of recordings as clips of textures, and what is measured on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lhotse")

from fixtures.texture_sounds import RATE, SIGNAL, TABLE, make_corpus, make_sounds

from cmaudio.errors import CmaudioError
from cmaudio.synthesis.texture_features import TEXTURE_CONTROLS, TEXTURE_KINDS
from cmaudio.training.corpus.reading import read_clips
from cmaudio.training.corpus.texture_controls import VARIANT
from cmaudio.training.prepare.textures import TextureSource, sloped, slower


def test_a_corpus_says_what_is_typical_and_whose_the_recordings_are(tmp_path: Path) -> None:
    description = make_corpus(tmp_path / "sounds", tmp_path / "corpus")
    assert {t.name: t.sustained for t in description.timbres} == {"hiss": True, "ticks": True, "knock": False}
    assert not any(timbre.pitched for timbre in description.timbres)
    assert description.licence == "CC-BY-3.0, CC0-1.0"
    assert {(c.timbre, c.author) for c in description.credits} == {
        ("hiss", "Ann"), ("ticks", "Bob, Cas"), ("knock", "Ann"),
    }  # fmt: skip
    scales = description.textures
    assert scales is not None
    assert set(scales.typical["hiss"]) > set(scales.typical["knock"])
    assert scales.typical["ticks"]["density"] > scales.typical["hiss"]["density"]
    for quantiles in scales.quantiles.values():
        assert (np.diff(quantiles) > 0).all()
        assert quantiles[len(quantiles) // 2] == 0
    assert len(scales.takes["knock"]) == 5
    clips = read_clips(tmp_path / "corpus", description, "train", None, with_audio=False)
    assert clips.controls.shape[1] == TEXTURE_KINDS["texture-1"] + SIGNAL.bands
    hiss = [i for i, name in enumerate(clips.names) if name.startswith("hiss") and VARIANT not in name]
    controls = np.concatenate([clips.controls[clips.rows(i), 23 : 23 + len(TEXTURE_CONTROLS)] for i in hiss])
    assert np.abs(controls).max() <= 1
    assert abs(np.median(controls[:, TEXTURE_CONTROLS.index("intensity")])) < 0.4


def test_recordings_are_held_out_and_only_the_others_varied(tmp_path: Path) -> None:
    source = TextureSource(tmp_path, make_sounds(tmp_path), piece_seconds=1.0)
    items = source.items()
    held_out = {item.sound.file for item in items["held_out"]}
    assert len([name for name in held_out if name.startswith("knock")]) == 1
    assert all(item.variant == 0 for item in items["held_out"])
    train = {item.name for item in items["train"]}
    assert not train & {item.name for item in items["held_out"]}
    assert len({name for name in train if name.startswith("knock")}) == 4 * 5
    assert len(train) == len(items["train"])


def test_all_files_have_one_level_and_variants_are_softer(tmp_path: Path) -> None:
    source = TextureSource(tmp_path, make_sounds(tmp_path), piece_seconds=10.0)
    make = source.open(SIGNAL.signal())
    clips = [make(item)[0] for item in source.items()["train"]]
    for clip in clips:
        level = 20 * np.log10(np.abs(clip.audio).max())
        assert level <= 0
        if VARIANT not in clip.name:
            assert clip.velocity == 127
            assert clip.size == 0
        assert 1 <= clip.velocity <= 127
    assert {clip.size for clip in clips} >= {-0.5, 0.0, 0.5}


def test_a_larger_thing_is_slower_and_a_slope_keeps_the_peak() -> None:
    audio = np.random.default_rng(0).standard_normal(RATE).astype(np.float32) * np.float32(0.1)
    assert len(slower(audio, 1.0, RATE)) == pytest.approx(2 * RATE, abs=2)
    assert slower(audio, 0.0, RATE) is audio
    assert np.abs(sloped(audio, 3.0, RATE)).max() <= 0.98


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", "columns must be"),
        ("timbre,file\nhiss,ticks.wav\n", "columns must be"),
        (TABLE.splitlines()[0] + "\n", "lists no recordings"),
        (TABLE + "rain,bed,rain.wav,CC0-1.0,Ann\n", r"line 5: no file rain\.wav"),
        (TABLE + "hiss,loop,hiss/0.wav,CC0-1.0,Ann\n", "'loop' is not one of bed, rhythm, one-shot"),
        (TABLE + "hiss,one-shot,hiss/0.wav,CC0-1.0,Ann\n", "is both bed and one-shot"),
        (TABLE + "rain,bed,hiss/0.wav,CC0-1.0,Ann\n", "twice"),
        (TABLE + "rain,bed,hiss/0.wav,CC0-1.0,\n", "author"),
        (TABLE + "rain,bed,hiss/0.wav,CC0-1.0,Ann,Bob\n", "too many values"),
        (TABLE + "rain,bed,../table.csv,CC0-1.0,Ann\n", "must lie below"),
    ],
)
def test_tables_that_cannot_be_used_say_why(tmp_path: Path, table: str, message: str) -> None:
    path = make_sounds(tmp_path)
    path.write_text(table)
    with pytest.raises(CmaudioError, match=message):
        TextureSource(tmp_path, path).items()


def test_a_folder_and_a_piece_length_are_checked(tmp_path: Path) -> None:
    with pytest.raises(CmaudioError, match="no folder"):
        TextureSource(tmp_path / "missing", tmp_path / "table.csv")
    with pytest.raises(CmaudioError, match="too short"):
        TextureSource(tmp_path, tmp_path / "table.csv", piece_seconds=0.5)
