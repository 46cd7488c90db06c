"""Partials of a corpus's timbres: measured, kept in its description, and drawn for the networks."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lhotse")
from fixtures.training_corpus import SIGNAL

from cmaudio.model.partials import PartialSet, PartialSets
from cmaudio.signal.dsp import Float
from cmaudio.soundfont.player import PLACES
from cmaudio.training.corpus.clip import Clip, f0_hz, harmonics
from cmaudio.training.corpus.corpus import Corpus
from cmaudio.training.corpus.description import CorpusTimbre, read_description, write_description
from cmaudio.training.prepare import partials as measuring

BELL = (0.5, 1.19, 2.756, 5.404)
SETS = PartialSets(sets=[PartialSet(key=60, ratios=list(BELL))])


@pytest.fixture
def copied(corpus: Path, tmp_path: Path) -> Path:
    shutil.copytree(corpus, tmp_path / "copy")
    return tmp_path / "copy"


def describe(folder: Path, partials: PartialSets | None) -> None:
    description = read_description(folder)
    timbres = [t.model_copy(update={"partials": partials if t.name == "saw" else None}) for t in description.timbres]
    write_description(folder, description.model_copy(update={"timbres": timbres}))


def test_networks_see_the_partials_of_the_timbre(copied: Path) -> None:
    before = Corpus(copied).clips
    describe(copied, SETS)
    after, names = Corpus(copied).clips, [t.name for t in read_description(copied).timbres]
    bands = SIGNAL.bands
    for index, timbre in enumerate(after.timbre.tolist()):
        rows = after.rows(index)
        same = torch.equal(before.controls[rows], after.controls[rows])
        assert same == (names[timbre] != "saw" or not after.f0[rows].any())
        assert torch.equal(before.controls[rows, :-bands], after.controls[rows, :-bands])


def test_a_picture_has_energy_at_the_partials_alone() -> None:
    signal = SIGNAL.signal()
    f0 = np.full(40, 400.0, np.float32)
    picture = harmonics(signal, f0, PartialSets(sets=[PartialSet(key=60, ratios=[2.5])]), 60.0)[20:].mean(0)
    assert abs(signal.mel.centres_hz[picture.argmax()] - 1000) < 200


class _Cuts:
    """What `Clips` keep of one struck note."""

    def __init__(self, audio: Float, clip: Clip, hop: int) -> None:
        frames = len(audio) // hop
        self.controls = torch.zeros(frames, 2)
        self.controls[clip.onset_samples // hop :, 0] = 1
        self.controls[clip.release_samples // hop :, 1] = 1
        self.f0 = torch.from_numpy(f0_hz(clip.semitones, clip.voiced))
        self.audio = torch.from_numpy((audio * 32767).astype(np.int16).reshape(-1, hop))

    def rows(self, index: int) -> slice:
        return slice(0, len(self.controls))


@pytest.mark.parametrize(
    ("bend", "release_seconds", "measured"),
    [(0.0, 1.2, True), (0.3, 1.2, False), (0.0, 0.5, False)],
    ids=["steady", "bent", "short"],
)
def test_steady_notes_are_measured(bend: float, release_seconds: float, measured: bool) -> None:
    rate, hop, lead = 48_000, 512, 2048
    frames = 130
    time = np.maximum(np.arange(frames * hop) - lead, 0) / rate
    audio = 0.1 * np.sum([np.sin(2 * np.pi * 261.626 * r * time) for r in BELL], 0) * np.exp(-time)
    semitones = 60 + bend * np.linspace(0, 1, frames, dtype=np.float32)
    clip = Clip(
        "bell", "bell", audio.astype(np.float32), semitones, np.ones(frames, np.float32), 60.0, 90.0, lead,
        lead + round(release_seconds * rate),
    )  # fmt: skip
    found: dict[int, Any] = {}
    measuring._add(found, _Cuts(clip.audio, clip, hop), 0, rate)  # type: ignore[arg-type]
    assert (60 in found) == measured
    if measured:
        np.testing.assert_allclose(1200 * np.log2(np.array(found[60].ratios) / BELL), 0, atol=1)


def test_a_folder_of_recordings_is_measured(copied: Path) -> None:
    found = measuring.write_partials(copied)
    assert read_description(copied) == found
    assert all(isinstance(timbre, CorpusTimbre) and timbre.partials is None for timbre in found.timbres)


SOUNDFONT = next((place for place in PLACES if place.is_file()), None)


@pytest.mark.skipif(
    SOUNDFONT is None or importlib.util.find_spec("tinysoundfont") is None, reason="no SoundFont or no tinysoundfont"
)
@pytest.mark.parametrize(
    ("program", "kind"), [(0, "stretched"), (9, "sets"), (14, "sets"), (16, "lower_base"), (40, None), (56, None)]
)
def test_kinds_of_soundfont_programs(program: int, kind: str | None) -> None:
    pytest.importorskip("swift_f0")
    from cmaudio.training.prepare.soundfont import SUSTAINED, measure_program

    assert SOUNDFONT is not None
    partials = measure_program(SOUNDFONT, program, program in SUSTAINED)
    assert (partials.kind if partials else None) == kind
