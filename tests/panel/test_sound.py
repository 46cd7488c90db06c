"""The sound that the page shows and plays: columns of the spectrogram, and the output without a sound card."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from conftest import TinyModel
from fixtures.browser import wait_for

from cmaudio.engine.engine import Engine
from cmaudio.instrument.recorder import Recorder
from cmaudio.output.ring import Ring
from cmaudio.panel.analysis import SCOPE_POINTS, Analysis
from cmaudio.panel.clock_output import PACKET_SECONDS, ClockOutput
from cmaudio.panel.spectrum import Spectrum
from cmaudio.signal.dsp import Float


def test_columns_are_the_models_own_mel(tiny: TinyModel) -> None:
    model = tiny.model
    engine = Engine(model, channels=1, gain_db=24)
    engine.note_on(60, at=1_000)
    recorder = Recorder(engine)
    spectrum = Spectrum(model, recorder)
    made, columns = [], []
    for samples in (1_000, 63, 1, 2_000, 640):
        made.append(recorder.read(samples))
        columns.append(spectrum.take())
    sound = np.pad(np.concatenate(made), (model.stft.overlap, 0))
    floor = np.log(model.mel.floor)
    expected = 255 * np.clip((model.mel(model.stft.analyse(sound)) - floor) / (1 - floor), 0, 1)
    np.testing.assert_allclose(np.concatenate(columns)[:, 0], expected[: sum(map(len, columns))], atol=0.51)
    assert sum(map(len, columns)) == sum(map(len, made)) // model.stft.hop_length
    assert expected.max() > 60


def test_each_side_has_columns_of_its_own(tiny: TinyModel) -> None:
    engine = Engine(tiny.model, channels=2, gain_db=24)
    engine.express("pan", 1, channel=None, at=0)
    engine.note_on(60, at=0)
    recorder = Recorder(engine)
    spectrum = Spectrum(tiny.model, recorder)
    recorder.read(6_400)
    columns = spectrum.take().astype(float)
    assert columns.shape[1:] == (2, tiny.model.mel.bands)
    assert columns[:, 0].mean() < 0.6 * columns[:, 1].mean()  # in decibels


def test_what_is_measured_for_the_page(tiny: TinyModel) -> None:
    class Sine(Recorder):
        """Records a sine that is played with these samples."""

        def read(self, n: int, /) -> Float:
            start = self.made_samples
            super().read(n)
            times = np.arange(start, start + n)
            tone = 0.5 * np.sin(2 * np.pi * 442 * times / self.sample_rate)
            self._ring[times % len(self._ring)] = tone[:, None]
            return tone.astype(np.float32)

    recorder = Sine(Engine(tiny.model, channels=2))
    analysis = Analysis(recorder)
    assert analysis.message() == {"lufs": [None, None], "hz": 0.0, "scope": ""}
    recorder.read(16_000)
    first = analysis.message()
    assert first["hz"] == pytest.approx(442, rel=1e-3)
    assert first["lufs"][0] == pytest.approx(-0.691 + 10 * np.log10(0.25), abs=1.0)
    assert first["lufs"][1] < first["lufs"][0]
    wave = np.frombuffer(base64.b64decode(first["scope"]), np.int8).reshape(2, SCOPE_POINTS)
    assert abs(int(wave[0, 0])) < 15
    assert wave.max() == pytest.approx(64, abs=1)


def test_the_clock_empties_the_ring_as_a_sound_card_does() -> None:
    packets: list[bytes] = []
    output, ring = ClockOutput(), Ring(48_000)
    output.on_packet = packets.append
    rng = np.random.default_rng(0)
    sound = rng.uniform(-0.9, 0.9, 8_000).astype(np.float32)
    ring.write(sound)
    stream = output(ring, 16_000, None, 0, False)
    stream.start()
    wait_for(lambda: len(packets) * PACKET_SECONDS * 16_000 >= 8_000 + 320)
    stream.close()
    assert not stream.active
    heard = np.frombuffer(b"".join(packets), "<i2") / 32_767
    np.testing.assert_allclose(heard[64 : 8_000 - 64], sound[64 : 8_000 - 64], atol=1e-4)
    assert not heard[8_000 + 64 :].any()
    assert ring.counters().underruns > 0


def test_the_clock_plays_both_sides() -> None:
    packets: list[bytes] = []
    output, ring = ClockOutput(), Ring(48_000, source_channels=2, first_output=2)
    output.on_packet = packets.append
    sides = np.random.default_rng(0).uniform(-0.9, 0.9, (3_200, 2)).astype(np.float32)
    ring.write(sides)
    stream = output(ring, 16_000, None, 0, False)
    stream.start()
    wait_for(lambda: len(packets) * PACKET_SECONDS * 16_000 >= 3_200)
    stream.close()
    heard = np.frombuffer(b"".join(packets), "<i2").reshape(-1, 2) / 32_767
    np.testing.assert_allclose(heard[64 : 3_200 - 64], sides[64 : 3_200 - 64], atol=1e-4)
