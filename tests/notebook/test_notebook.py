"""What a notebook shows: the player plays the samples, the picture is the sound's, sliders go both ways."""

from __future__ import annotations

import base64
import copy
import io
import pickle
import struct
import sys
import threading
import zlib
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, cast

import numpy as np
import pytest
import soundfile
from conftest import TinyModel
from fixtures.waiting import wait_for

from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.instrument.recorder import Recorder
from cmaudio.model.file import Model
from cmaudio.offline.render import render
from cmaudio.offline.speak import speak
from cmaudio.output.player import Player
from cmaudio.output.ring import RingCounters
from cmaudio.output.state import PlayerState
from cmaudio.score.events import NoteOff, NoteOn, Score
from cmaudio.signal.dsp import Float
from cmaudio.signal.html import SHOWN_SECONDS, sound_html
from cmaudio.signal.sound import Sound
from cmaudio.signal.spectrogram import BANDS, COLUMNS, log_mel, spectrogram_png
from cmaudio.synth import Synth

SCORE = Score("a", [(0.0, NoteOn(0, 60, 90, 0)), (0.2, NoteOff(0, 60))], 0.2, [0])


class Page(HTMLParser):
    """What is on it, and that what is opened is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: dict[str, str] = {}
        self.text = ""
        self.feed(html)
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in ("br", "img"):
            self.open.append(tag)
        if "src" in dict(attributes):
            self.sources[tag] = str(dict(attributes)["src"])

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def content(source: str, kind: str) -> bytes:
    head, _, data = source.partition(",")
    assert head == f"data:{kind};base64"
    return base64.b64decode(data, validate=True)


def pixels(png: bytes) -> np.ndarray:
    """(rows, columns) palette indices of a PNG as it is written here; its checksums are looked at."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        name, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        assert struct.unpack(">I", png[at + 8 + size : at + 12 + size])[0] == zlib.crc32(name + data)
        chunks[name] = data
        at += 12 + size
    columns, rows, depth, colours = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, colours, len(chunks[b"PLTE"])) == (8, 3, 768)
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(rows, columns + 1)
    assert not lines[:, 0].any()
    return lines[:, 1:]


def test_render_returns_an_array_that_plays(tiny: TinyModel) -> None:
    audio = render(SCORE, model=tiny.model, tail=0.2)
    assert isinstance(audio, np.ndarray)
    assert (audio.dtype.name, audio.ndim, audio.sample_rate) == ("float32", 2, 16_000)
    page = Page(cast("str", audio._repr_html_()))
    played, rate = soundfile.read(io.BytesIO(content(page.sources["audio"], "audio/wav")), dtype="float32")
    assert rate == 16_000
    np.testing.assert_allclose(played, audio, atol=1 / 32_000)
    rows = pixels(content(page.sources["img"], "image/png"))
    assert rows.shape[0] == BANDS
    assert "16000 Hz" in page.text


def test_a_sound_keeps_its_rate_and_stays_an_array() -> None:
    sound = Sound(np.linspace(-1, 1, 100, dtype=np.float32), 8000)
    for derived in (sound[10:20], sound * 2, -sound, copy.deepcopy(sound), pickle.loads(pickle.dumps(sound))):
        assert isinstance(derived, Sound)
        assert derived.sample_rate == 8000
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(sound)), sound)
    assert type(np.concatenate([sound, sound])) in (np.ndarray, Sound)
    assert float(sound.max()) == 1
    file = io.BytesIO()
    soundfile.write(file, sound, 8000, format="WAV")
    assert Sound(np.zeros(0, np.float32), 8000)._repr_html_() is None
    assert Sound(np.zeros((2, 3), np.float32), 8000)._repr_html_() is None
    plain = np.zeros(10, np.float32)
    plain[:] = Sound(plain + 1, 8000)
    assert type(plain) is np.ndarray


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e38])
def test_samples_out_of_range_are_shown_without_a_warning(value: float) -> None:
    samples = np.zeros((800, 2), np.float32)
    samples[100] = value
    page = Page(cast("str", Sound(samples, 8000)._repr_html_()))
    assert ("not finite" in page.text) == (not np.isfinite(value))


def chirp(rate: int, low_hz: float, high_hz: float, seconds: float = 1.0) -> Float:
    times = np.arange(round(seconds * rate)) / rate
    phase = low_hz * times + (high_hz - low_hz) * times**2 / (2 * seconds)
    return (0.5 * np.sin(2 * np.pi * phase)).astype(np.float32)


@pytest.mark.parametrize("rate", [16_000, 24_000, 48_000])
def test_spectrogram_axes_point_right_and_up(rate: int) -> None:
    rows = pixels(spectrogram_png(chirp(rate, 200, 7000), rate))
    loudest = rows.argmax(0)
    columns = len(loudest)
    assert loudest[columns // 10] > loudest[columns // 2] > loudest[9 * columns // 10]
    assert loudest[columns // 10] > BANDS * 0.6
    quiet = np.concatenate([np.zeros(rate, np.float32), chirp(rate, 500, 500)])
    rows = pixels(spectrogram_png(quiet, rate))
    assert rows[:, : rows.shape[1] // 3].max() < 20 < 200 < rows[:, -rows.shape[1] // 3 :].max()


def test_long_sounds_are_cut_and_short_ones_are_not() -> None:
    rate = 8000
    long = 0.1 * np.ones(round((SHOWN_SECONDS + 5) * rate), np.float32)
    page = Page(sound_html(long, rate))
    played, _ = soundfile.read(io.BytesIO(content(page.sources["audio"], "audio/wav")))
    assert len(played) == SHOWN_SECONDS * rate
    assert "65.00 s, 8000 Hz; the first 60 s are shown" in page.text
    assert pixels(content(page.sources["img"], "image/png")).shape == (BANDS, COLUMNS)
    assert Page(sound_html(np.zeros(1, np.float32), rate)).sources["img"]
    assert len(log_mel(np.zeros(5 * rate, np.float32), rate)) <= COLUMNS


def test_a_click_is_seen_in_a_long_sound() -> None:
    samples = np.zeros(960_000, np.float32)
    samples[480_640] = 1  # heard in frames between those at which columns begin
    loud = pixels(spectrogram_png(samples, 16_000)).max(0)
    assert loud[COLUMNS // 2] == 255
    assert loud[: COLUMNS // 2].max() == 0


def test_a_text_shows_its_words(tiny_voice: Model) -> None:
    spoken = speak("A quick <b>fox</b> &", model=tiny_voice)
    assert isinstance(spoken.audio, Sound)
    page = Page(spoken._repr_html_())
    for mark in spoken.marks:
        if mark.kind == "word":
            assert mark.text in page.text
    assert page.sources["audio"]


class DeskPlayer:
    """Stands in for the sound card."""

    def place(self, seconds: float) -> int:
        return 0

    def wake(self) -> None: ...

    def state(self) -> PlayerState:
        return PlayerState("playing", "a <desk>", 16_000, 0.0, 0.1, RingCounters(0, 0, 0, 0, 0, 0.0), (), None)

    def close(self) -> None: ...


@pytest.fixture
def synth(tiny: TinyModel) -> Iterator[Synth]:
    recorder = Recorder(Engine(tiny.model))
    with Synth(recorder.engine, recorder, cast("Player", DeskPlayer())) as synth:
        yield synth


def test_an_instrument_shows_its_controls(synth: Synth) -> None:
    synth.controls.set_timbre({"first": 0.25, "second": 0.75})
    synth.controls.set("brightness", 1.25)
    page = Page(synth._repr_html_())
    for wanted in (
        "tiny",
        "first 25%, second 75%",
        "different for each note",
        "1.25",
        "a <desk>",
        *synth.controls.definitions,
    ):
        assert wanted in page.text


def test_sliders_go_both_ways(synth: Synth) -> None:
    pytest.importorskip("ipywidgets")
    controls = synth.controls
    listeners = len(controls._listeners)
    sliders = synth.sliders()
    assert set(sliders.controls) == set(controls.definitions)
    sliders.controls["brightness"].value = 2.0
    assert controls["brightness"] == 2
    threading.Thread(target=lambda: controls.set("brightness", -1, "elsewhere")).start()
    wait_for(lambda: sliders.controls["brightness"].value == -1)
    sliders.timbre.value = "second"
    assert controls.timbre == {"second": 1}
    wait_for(lambda: sliders.controls["timbre_x"].value == controls["timbre_x"] != 0)
    controls.set_timbre({"first": 1, "third": 1})
    wait_for(lambda: sliders.timbre.value == "(a mix)")
    assert controls.timbre == {"first": 1, "third": 1}, "what is shown sets nothing"
    sliders.seed.value = 77
    assert controls.seed == 77
    sliders.locked.value = True
    sliders.dice.click()
    assert controls.seed == 77
    sliders.locked.value = False
    sliders.dice.click()
    assert controls.seed != 77
    wait_for(lambda: sliders.seed.value == controls.seed)
    controls.set_seed(None)
    wait_for(lambda: sliders.seed.value == -1)
    assert "application/vnd.jupyter.widget-view+json" in str(sliders._repr_mimebundle_())
    synth.close()
    assert len(controls._listeners) == listeners


def test_play_button_starts_and_releases_a_note(synth: Synth) -> None:
    pytest.importorskip("ipywidgets")
    synth.sliders().play.click()
    assert synth.recorder.read(4000).any()
    (note,) = synth.engine.allocator.notes.values()
    synth.recorder.read(16_000)
    assert note.voice is None or note.voice.released


def test_without_ipywidgets_the_remedy_is_named(synth: Synth, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cast("dict[str, Any]", sys.modules), "ipywidgets", None)
    with pytest.raises(CmaudioError, match="pip install ipywidgets"):
        synth.sliders()
