"""Attack, decay, sustain and release: what is heard, on the embedded model."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cmaudio.controls.definitions import control_definitions
from cmaudio.engine.engine import Engine
from cmaudio.model.file import Model
from cmaudio.offline.render import offline_engine
from cmaudio.score.events import Event, Expression, NoteOff, NoteOn, Score
from cmaudio.score.expression import ENVELOPE
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.envelope import Envelope, EnvelopeSettings, warp
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.note_voice import NoteVoice
from cmaudio.synthesis.params import NoteParams, VoiceSettings
from cmaudio.synthesis.renderer import Renderer

if TYPE_CHECKING:
    from conftest import TinyModel

RATE = 48_000
PIANO, STRINGS, ORGAN, FLUTE = "acoustic grand piano", "string ensemble 1", "church organ", "flute"
TIMBRES = (PIANO, STRINGS, ORGAN, FLUTE)
OCTAVES = (-4.0, -2.0, 0.0, 2.0, 4.0)


@pytest.fixture(scope="module")
def renderer(model: Model) -> Renderer:
    return Renderer(Synthesizer(model))


def played(
    renderer: Renderer, timbre: str, seconds: float, name: str, values: Sequence[float], held_seconds: float = 9.0
) -> list[Float]:
    """A typical note, alike for every seed, at each value of an expression."""
    model = renderer.synthesizer.model
    settings = VoiceSettings.of_model(model)
    voices = [
        NoteVoice(NoteParams(60, 90, 0, 3, 0, 1), model.timbre_vector(timbre), 0.0, settings, expression=expression)
        for expression in ({"humanity": 0.0, name: value} for value in values)
    ]
    for voice in voices:
        voice.release(round(held_seconds * RATE))
    samples = round(seconds * RATE)
    while lacking := [voice for voice in voices if voice.lacks(samples)]:
        renderer.render(lacking)
    sounds = [voice.take(samples) for voice in voices]
    return [np.pad(sound, (0, samples - len(sound))) for sound in sounds]


def levels(samples: Float, window_seconds: float = 0.02, step_seconds: float = 0.005) -> tuple[Float, Float]:
    """Middles of windows in seconds, and the levels there in dB."""
    size, step = round(window_seconds * RATE), round(step_seconds * RATE)
    energy = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    starts = np.arange(0, len(samples) - size, step)
    db = 10 * np.log10((energy[starts + size] - energy[starts]) / size + 1e-12)
    return ((starts + size / 2) / RATE).astype(np.float32), db.astype(np.float32)


def level_at(samples: Float, begin: float, end: float) -> float:
    """Mean level between two times in seconds, dB."""
    part = samples[round(begin * RATE) : round(end * RATE)]
    return float(10 * np.log10(np.mean(np.square(part, dtype=np.float64)) + 1e-12))


def rising(values: list[float]) -> bool:
    return all(a < b for a, b in pairwise(values))


@pytest.mark.parametrize("timbre", TIMBRES)
def test_a_longer_attack_reaches_half_of_the_level_later(renderer: Renderer, timbre: str) -> None:
    found = []
    for sound in played(renderer, timbre, 3.2, "attack", OCTAVES):
        times, db = levels(sound)
        found.append(float(times[np.argmax(db > db.max() - 6)]))
    assert found == sorted(found)
    assert rising(found[2:]), found
    assert found[-1] > 4 * found[2]


@pytest.mark.parametrize("timbre", TIMBRES)
def test_a_shorter_decay_leaves_less(renderer: Renderer, timbre: str) -> None:
    left = [level_at(sound, 0.8, 1.0) for sound in played(renderer, timbre, 1.0, "decay", OCTAVES)]
    assert rising(left[:3]), left
    assert left[2] - left[0] > 30, "also where the recording holds its level"
    if timbre == PIANO:
        assert rising(left), left
    else:
        assert left[2:] == pytest.approx([left[2]] * 3, abs=3.5)


@pytest.mark.parametrize("timbre", TIMBRES)
def test_a_longer_release_falls_by_20_db_later(renderer: Renderer, timbre: str) -> None:
    found = []
    for sound in played(renderer, timbre, 3.6, "release", (-4.0, -2.0, 0.0, 2.0, 3.0), 0.5):
        times, db = levels(sound)
        held = db[(times > 0.4) & (times < 0.48)].mean()
        found.append(float(times[db > held - 20].max()) - 0.5)
    assert rising(found), found
    assert found[3] > 2.5 * found[2]
    assert found[0] < 0.05


@pytest.mark.parametrize("timbre", TIMBRES)
def test_sustain_is_the_level_of_what_follows_the_attack(renderer: Renderer, timbre: str) -> None:
    settings = (-48.0, -24.0, 0.0, 6.0, 12.0)
    sounds = played(renderer, timbre, 1.6, "sustain", settings)
    held = [level_at(sound, 1.0, 1.2) for sound in sounds]
    assert rising(held), held
    assert held[2] - held[1] > 15
    peaks = [float(levels(sound)[1].max()) for sound in sounds]
    for offset, peak in zip(settings[3:], peaks[3:], strict=True):
        assert peak < peaks[2] + offset + 0.5, "no louder than asked for"
    if timbre == PIANO:
        assert level_at(sounds[-1], 1.4, 1.6) < held[-1] < peaks[-1] - 6, "it still decays"
        strikes = [level_at(sound, 0, 0.03) for sound in sounds]
        assert strikes == pytest.approx([strikes[2]] * 5, abs=1.5)


def automated(engine: Engine) -> None:
    """Everything moves while notes sound, at times that share no grid."""
    engine.express("attack", 1.5, None, at=0)
    note = engine.note_on(60, 90, timbre=PIANO, at=10)
    engine.note_on(64, 90, timbre=ORGAN, channel=1, at=999).off(at=12_345)
    engine.express("decay", -2, 0, at=3001)
    engine.express("sustain", -9, 1, at=5003)
    note.express("sustain", 6, 0.1, at=7007)
    engine.express("release", 1, None, at=9009)
    note.off(at=10_100)
    engine.express("release", -1, None, at=15_001)


@pytest.mark.parametrize("read", [64, 65, 1000])
def test_samples_do_not_depend_on_read_sizes(model: Model, read: int) -> None:
    def play(size: int) -> Float:
        engine = Engine(model, channels=1, seed=5)
        automated(engine)
        return np.concatenate([engine.read(min(size, 20_000 - at)) for at in range(0, 20_000, size)])

    np.testing.assert_array_equal(play(read), play(20_000))


def test_a_file_sounds_as_the_same_events_live(model: Model) -> None:
    events: list[tuple[float, Event]] = [
        (0.0, Expression(0, "attack", 2.0)),
        (0.01, NoteOn(0, 60, 90, 48)),
        (0.11, Expression(0, "decay", -2.0)),
        (0.21, Expression(0, "sustain", -6.0)),
        (0.31, Expression(0, "release", 1.5)),
        (0.35, NoteOff(0, 60)),
    ]
    sounds = []
    for engine in (offline_engine(model, channels=1), Engine(model, channels=1)):
        engine.play(Score("moves", events, 0.4, [48]), {48: model.timbre_vector(STRINGS)})
        sounds.append(np.concatenate([engine.read(size) for size in (1111, 15_000, 7000)]))
    np.testing.assert_array_equal(sounds[0], sounds[1])


def test_at_rest_no_sample_changes(renderer: Renderer) -> None:
    plain = played(renderer, PIANO, 0.6, "humanity", (0.0,), 0.3)
    beside = played(renderer, PIANO, 0.6, "sustain", (0.0, 12.0), 0.3)  # computed with one that is shaped
    for sound in (beside[0], *(played(renderer, PIANO, 0.6, name, (0.0,), 0.3)[0] for name in ENVELOPE)):
        np.testing.assert_array_equal(sound, plain[0])


def test_at_rest_the_clocks_are_exact() -> None:
    since_onset = np.arange(-2, 6, dtype=np.float64).reshape(2, 4) * 0.0107
    since_release = np.full((2, 4), -np.inf)
    rest = np.zeros((2, 4))
    clocks = warp(
        [Envelope(), Envelope()], since_onset, since_release, 0.0107, EnvelopeSettings(rest, rest, rest, rest)
    )
    np.testing.assert_array_equal(clocks.since_onset, since_onset)
    np.testing.assert_array_equal(clocks.since_release, since_release)
    assert clocks.level_db is not None
    assert not clocks.level_db.any()


def test_clocks_never_run_backwards_nor_jump() -> None:
    rng, envelope, hop = np.random.default_rng(0), Envelope(), 512 / RATE
    ends = (np.arange(4000, dtype=np.float64) + 1) * hop
    clocks = []
    for block in ends.reshape(-1, 1, 4):
        asked = EnvelopeSettings(*(rng.uniform(-4, 4, (1, 4)) for _ in range(4)))
        clocks.append(warp([envelope], block, block - 20.0, hop, asked))
    for clock, most in (("since_onset", 16.01), ("since_release", 16.01)):
        steps = np.diff(np.concatenate([getattr(each, clock)[0] for each in clocks]))
        assert steps.min() > 0
        assert steps.max() < most * hop


def test_models_without_a_prior_have_no_envelope(tiny: TinyModel) -> None:
    assert not set(ENVELOPE) & control_definitions(tiny.model).keys()
    sounds = []
    for value in (0.0, -3.0):
        engine = Engine(tiny.model, channels=1, seed=1)
        for name in ENVELOPE:
            engine.express(name, value, None, at=0)
        engine.note_on(60, at=0).off(at=4000)
        sounds.append(engine.read(9000))
    np.testing.assert_array_equal(sounds[0], sounds[1])


def test_a_model_with_a_prior_has_the_four_controls(model: Model) -> None:
    definitions = control_definitions(model)
    assert [definitions[name].default for name in ENVELOPE] == [0, 0, 0, 0]
