"""The report on a corpus: distances that are what they say, samplers that count, and a model trained a moment ago."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("torch")
pytest.importorskip("lhotse")
from conftest import TinyModel, make_tiny_model
from fixtures.training_corpus import SIGNAL, make_corpus

from cmaudio.errors import CmaudioError
from cmaudio.evaluation import run_evaluation
from cmaudio.evaluation.corpus.clips import held_out_clips
from cmaudio.evaluation.corpus.copying import copy
from cmaudio.evaluation.corpus.distances import MelScale, patch_frechet
from cmaudio.evaluation.corpus.free_running import free_run
from cmaudio.evaluation.corpus.holding import measure_holding
from cmaudio.evaluation.corpus.samplers import heun_sampler, multistep
from cmaudio.evaluation.corpus.sound import measure_sound, onset_slope
from cmaudio.evaluation.rendering import HeldNote, hold
from cmaudio.model.file import Model, load_model
from cmaudio.model.saving import save_model
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.renderer import Renderer

GRAPHS = ("controls", "context", "head", "vocoder")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus") / "toy"
    make_corpus(folder, train=4, held_out=6)
    return folder


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A random model of the corpus's signal that has one of its two timbres."""
    folder = tmp_path_factory.mktemp("model")
    made = make_tiny_model(folder, bands=SIGNAL.bands, hop_length=SIGNAL.hop_length).model
    first, *others = made.manifest.timbres
    timbres = [first.model_copy(update={"name": "saw", "sustained": True}), *others]
    manifest = made.manifest.model_copy(update={"timbres": timbres, "default_timbre": "saw"})
    save_model(folder / "toy.cmaudio", manifest, {name: made.graph(name) for name in GRAPHS}, "")
    return load_model(folder / "toy.cmaudio")


def test_held_out_clips_equal_those_of_the_corpus(corpus: Path, toy: Model) -> None:
    found = held_out_clips(corpus, toy)
    assert [clip.name for clip in found.clips] == ["note 0004", "note 0006", "note 0008"]
    assert found.lacking == ["burst"]
    for clip in found.clips:
        frames = len(clip.mel)
        assert frames % 4 == 0
        assert clip.controls.shape == (frames, 16 + SIGNAL.bands)
        assert len(clip.audio) == frames * SIGNAL.hop_length
        mel = np.array(toy.manifest.mel.mean) + clip.mel * np.array(toy.manifest.mel.std)
        audio = np.concatenate([np.zeros(toy.stft.overlap, np.float32), clip.audio])
        np.testing.assert_allclose(toy.mel(toy.stft.analyse(audio)), mel, atol=0.02)
    assert len(held_out_clips(corpus, toy, limit=2).clips) == 2


def test_a_corpus_that_does_not_fit_is_named(corpus: Path, toy: Model, tiny: TinyModel, tmp_path: Path) -> None:
    with pytest.raises(CmaudioError, match=r"hop_length 128, the model's 64"):
        held_out_clips(corpus, tiny.model)
    with pytest.raises(CmaudioError, match="no finished corpus"):
        held_out_clips(tmp_path, toy)
    other = tmp_path / "none"
    make_corpus(other, train=4, held_out=0)
    with pytest.raises(CmaudioError, match="no held-out clips"):
        held_out_clips(other, toy)


def test_clip_controls_equal_those_of_a_voice(corpus: Path, toy: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the onset on, the network reads what it reads when the same note is played."""
    clip, heard = held_out_clips(corpus, toy, limit=1).clips[0], []
    pitch, velocity = clip.controls[-1, 3] * 24 + 60, (clip.controls[-1, 4] + 1) * 64
    condition = Synthesizer.condition

    def listen(self: Synthesizer, state: Any, controls: Any, *others: Any) -> Any:
        heard.append(controls[0])
        return condition(self, state, controls, *others)

    monkeypatch.setattr(Synthesizer, "condition", listen)
    note = HeldNote("saw", round(float(pitch)), round(float(velocity)))
    list(hold(Renderer(Synthesizer(toy)), [note], 12 * SIGNAL.hop_length))
    played = np.concatenate(heard)[:12]
    np.testing.assert_allclose(clip.controls[4:16], played, atol=0.02)
    assert not clip.f0[:4].any()


def test_clips_begin_a_block_before_the_onset(corpus: Path, toy: Model, tmp_path: Path) -> None:
    made = make_tiny_model(tmp_path, bands=SIGNAL.bands, hop_length=SIGNAL.hop_length, block_frames=8).model
    manifest = made.manifest.model_copy(update={"timbres": toy.manifest.timbres, "default_timbre": "saw"})
    save_model(tmp_path / "wide.cmaudio", manifest, {name: made.graph(name) for name in GRAPHS}, "")
    for clip in held_out_clips(corpus, load_model(tmp_path / "wide.cmaudio")).clips:
        assert len(clip.mel) % 8 == 0
        assert not clip.audio[: 8 * SIGNAL.hop_length].any()
        assert clip.audio[8 * SIGNAL.hop_length :][: SIGNAL.hop_length].any()
        np.testing.assert_array_equal(clip.controls[:, 0] > 0, np.arange(len(clip.mel)) >= 8)


def test_another_models_teacher_is_refused(corpus: Path, toy: Model, tmp_path: Path) -> None:
    manifest = toy.manifest.model_copy(update={"timbres": toy.manifest.timbres[1:], "default_timbre": "second"})
    path = tmp_path / "other.cmaudio"
    save_model(path, manifest, {name: load_model(toy.path).graph(name) for name in GRAPHS}, "")
    with pytest.raises(CmaudioError, match="is not the teacher of this model, their timbres differ"):
        run_evaluation(toy, corpus=corpus, teacher=str(path), only=["corpus"])


def test_a_teacher_plays_its_own_timbres(corpus: Path, toy: Model, tmp_path: Path) -> None:
    first, *others = toy.manifest.timbres
    moved = first.model_copy(update={"vector": [x + 0.5 for x in first.vector]})
    manifest = toy.manifest.model_copy(update={"timbres": [moved, *others]})
    save_model(tmp_path / "moved.cmaudio", manifest, {name: load_model(toy.path).graph(name) for name in GRAPHS}, "")
    clips = held_out_clips(corpus, toy).clips
    models = (toy, load_model(tmp_path / "moved.cmaudio"))
    ours, theirs = (free_run(Synthesizer(m), clips, multistep(1, m.manifest.sigma))[0] for m in models)
    assert np.abs(ours - theirs).max() > 1e-3


def test_a_model_of_one_timbre_without_a_program_is_measured(toy: Model, tmp_path: Path) -> None:
    only = toy.manifest.timbres[0].model_copy(update={"pitched": False, "program": None})
    manifest = toy.manifest.model_copy(update={"timbres": [only]})
    path = tmp_path / "one.cmaudio"
    save_model(path, manifest, {name: load_model(toy.path).graph(name) for name in GRAPHS}, "")
    sections = run_evaluation(str(path), only=["pitch", "clicks", "held_out"], quick=True)["sections"]
    assert sections["pitch"]["ours"]["n"] == 0
    assert "not_measured" in sections["held_out"]
    assert sections["clicks"]["events"]


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_samplers_use_the_declared_number_of_evaluations(toy: Model, steps: int) -> None:
    for sampler in (multistep(steps, toy.manifest.sigma), heun_sampler(steps, toy.manifest.sigma)):
        levels: list[float] = []

        def denoise(x: np.ndarray, sigma: float, levels: list[float] = levels) -> np.ndarray:
            levels.append(sigma)
            return 0.5 * x / (1 + sigma)

        made = sampler.run(denoise, np.ones((2, sampler.noises, 4, 3), np.float32))
        assert made.shape == (2, 4, 3)
        assert len(levels) == sampler.evaluations
        assert levels[0] == toy.manifest.sigma.max


def test_the_one_step_sampler_equals_the_engine(corpus: Path, toy: Model) -> None:
    """Against `Synthesizer.generate`, with the same noise."""
    synthesizer, clips = Synthesizer(toy), held_out_clips(corpus, toy).clips[:1]
    made = free_run(synthesizer, clips, multistep(1, toy.manifest.sigma), seed=5)[0]
    rng, clip, k = np.random.default_rng([5, 0]), clips[0], 4
    vector = toy.timbre_vector(clip.timbre).astype(np.float32)
    timbre = np.broadcast_to(vector, (1, k, len(vector))).copy()
    state = synthesizer.init_state(clip.controls[None, :k], timbre)
    for start in range(k, len(clip.mel), k):
        context, noise = (rng.standard_normal(s, dtype=np.float32) for s in ((1, k, 24), (1, 1, k, 24)))
        state = synthesizer.generate(state, clip.controls[None, start : start + k], timbre, context, noise)
        np.testing.assert_allclose(made[start : start + k], state.frames[0], atol=1e-5)


def test_distances_are_in_decibels(toy: Model) -> None:
    rng = np.random.default_rng(0)
    scale = MelScale.of(toy.manifest)
    recorded = [rng.normal(size=(60, 24)).astype(np.float32) for _ in range(6)]
    louder = [mel + np.float32(np.log(10) / 20) * 3 / scale.std for mel in recorded]
    figures = scale.compare(louder, recorded)
    for key in ("l1_all_db", "l1_active_db", "l1_attack_db", "l1_first_third_db", "l1_last_third_db"):
        assert figures[key] == pytest.approx(3, abs=0.01)
    late = [mel.copy() for mel in recorded]
    for mel in late:
        mel[50:] += 1
    assert scale.compare(late, recorded)["l1_attack_db"] == 0
    assert scale.compare(late, recorded)["l1_last_third_db"] > 1


def test_frechet_grows_with_the_shift_between_sets() -> None:
    rng = np.random.default_rng(0)
    sets = [[rng.normal(shift, 1, (80, 24)).astype(np.float32) for _ in range(20)] for shift in (0.0, 0.0, 0.5, 1.0)]
    near, half, whole = (patch_frechet(sets[0], other) for other in sets[1:])
    assert near is not None
    assert half is not None
    assert whole is not None
    assert near < 0.1
    assert half == pytest.approx(6 * 0.25, rel=0.2)  # six features, each shifted by a half
    assert whole == pytest.approx(6, rel=0.2)
    assert patch_frechet(sets[0][:1], sets[1][:1]) is None


def test_copy_synthesis_keeps_time_and_pitch(corpus: Path, toy: Model) -> None:
    clip = held_out_clips(corpus, toy).clips[0]
    later = replace(clip, f0=2 * clip.f0)
    synthesizer = Synthesizer(toy)
    one, two = copy(synthesizer, clip), copy(synthesizer, later)
    assert one.shape == clip.audio.shape
    assert not np.allclose(one, two)
    np.testing.assert_array_equal(one, copy(synthesizer, clip))


@pytest.mark.parametrize(("db_per_ms", "found"), [(0.5, 0.5), (3.0, 3.0), (1000.0, 8.0)])
def test_onset_steepness_is_the_rise_in_db_per_ms(db_per_ms: float, found: float) -> None:
    ms = np.arange(16_000 // 3) / 16
    level_db = np.minimum(0, db_per_ms * (ms - 200))
    noise = np.where(np.arange(len(ms)) % 2, 1, -1)
    assert onset_slope((noise * 10 ** (level_db / 20)).astype(np.float32), 16_000) == pytest.approx(found, rel=0.1)
    assert onset_slope(np.zeros(5000, np.float32), 16_000) is None


def test_recordings_are_measured_beside_their_copies(corpus: Path, toy: Model) -> None:
    clips = held_out_clips(corpus, toy).clips
    rows = measure_sound(Synthesizer(toy), clips, {"copy": [clip.mel for clip in clips]}, speech=False)
    assert list(rows) == ["recording", "copy"]
    assert rows["recording"]["onset_db_per_ms"]["n"] == len(clips)
    assert rows["recording"]["onset_db_per_ms"] != rows["copy"]["onset_db_per_ms"]
    assert rows["recording"]["frame_rate_db"]["n"] == 0  # none is held for long enough


def test_drift_of_held_notes_covers_every_timbre(toy: Model) -> None:
    found = measure_holding(Synthesizer(toy), multistep(1, toy.manifest.sigma), seconds=3)
    assert (found["seconds"], found["level_max_db"]["n"]) == (3, found["timbres"])
    assert found["worst"][0]["spectrum_max_db"] >= found["spectrum_max_db"]["median"]


def test_the_corpus_section_compares_all_samplers(corpus: Path, toy: Model, tmp_path: Path) -> None:
    picture = tmp_path / "corpus.png"
    result = run_evaluation(toy, corpus=corpus, teacher=toy, only=["corpus"], quick=True, picture=picture)
    section = json.loads(json.dumps(result))["sections"]["corpus"]
    names = [
        "teacher, 1 step (mean)",
        "teacher, 5 Heun steps",
        "teacher, 18 Heun steps",
        "1 step",
        "2 steps",
        "4 steps",
    ]
    assert list(section["samplers"]) == names
    assert [row["evaluations"] for row in section["samplers"].values()] == [1, 9, 35, 1, 2, 4]
    # The teacher's mean is one step of the same networks here.
    assert section["samplers"]["1 step"]["l1_all_db"] == section["samplers"][names[0]]["l1_all_db"]
    assert section["vocoder"]["mel_l1"] > 0
    assert picture.read_bytes()[:4] == b"\x89PNG"


def test_the_command(corpus: Path, toy: Model, tmp_path: Path) -> None:
    from cmaudio.cli.app import app

    arguments = ["evaluate", "--model", str(toy.path), "--corpus", str(corpus), "--only", "corpus", "--quick"]
    told = CliRunner().invoke(app, arguments, env={"COLUMNS": "160"})
    assert told.exit_code == 0, told.output
    for part in ("3 held-out clips of toy", "Copy-synthesis of 3 clips", "burst", "Held for 10 s"):
        assert part in told.output
