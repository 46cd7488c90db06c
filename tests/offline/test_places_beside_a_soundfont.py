"""A General MIDI file is placed between the sides as a SoundFont player places it."""

from __future__ import annotations

import importlib.util
import io
from typing import Any

import mido
import numpy as np
import numpy.typing as npt
import pytest

from cmaudio.model.file import Model
from cmaudio.offline.render import render
from cmaudio.soundfont.player import PLACES

SOUNDFONT = next((place for place in PLACES if place.is_file()), None)
SLOT_SECONDS, NOTE_SECONDS = 0.4, 0.3
# channel -> program, pan, volume, expression
PARTS = {
    0: (73, 64, 100, 127),
    1: (56, 10, 127, 127),
    2: (40, 32, 90, 100),
    3: (68, 50, 60, 127),
    4: (71, 90, 127, 80),
    5: (72, 118, 110, 110),
}
Sides = npt.NDArray[np.floating[Any]]


def midi_file() -> bytes:
    """One note for each channel, one after another."""
    song = mido.MidiFile(ticks_per_beat=480)
    for place, (channel, (program, pan, volume, expression)) in enumerate(PARTS.items()):
        track = mido.MidiTrack()
        for number, value in ((7, volume), (10, pan), (11, expression)):
            track.append(mido.Message("control_change", channel=channel, control=number, value=value))
        track.append(mido.Message("program_change", channel=channel, program=program))
        ticks = [round(seconds * 960) for seconds in (place * SLOT_SECONDS, NOTE_SECONDS)]
        track.append(mido.Message("note_on", channel=channel, note=67, velocity=90, time=ticks[0]))
        track.append(mido.Message("note_off", channel=channel, note=67, time=ticks[1]))
        song.tracks.append(track)
    data = io.BytesIO()
    song.save(file=data)
    return data.getvalue()


def played_by_soundfont(sample_rate: int, panned: bool) -> Sides:
    import tinysoundfont

    synth: Any = tinysoundfont.Synth(samplerate=sample_rate)
    font, made = synth.sfload(str(SOUNDFONT)), list[Sides]()
    for channel, (program, pan, volume, expression) in PARTS.items():
        synth.program_select(channel, font, 0, program)
        for number, value in ((7, volume), (10, pan if panned else 64), (11, expression)):
            synth.control_change(channel, number, value)
        synth.noteon(channel, 67, 90)
        samples = bytes(synth.generate(round(NOTE_SECONDS * sample_rate)))
        made.append(np.frombuffer(samples, np.float32).reshape(-1, 2))
        synth.sounds_off(channel)
        synth.generate(round((SLOT_SECONDS - NOTE_SECONDS) * sample_rate))
    return np.concatenate(made)


def right_over_left_db(sides: Sides) -> float:
    left, right = np.square(sides, dtype=np.float64).sum(0)
    return float(10 * np.log10(right / left))


@pytest.mark.skipif(
    SOUNDFONT is None or importlib.util.find_spec("tinysoundfont") is None, reason="no SoundFont or no tinysoundfont"
)
def test_sides_of_every_channel_are_as_loud_as_a_soundfont_player_has_them(model: Model) -> None:
    rate, told = model.manifest.sample_rate, list[str]()
    ours = render(midi_file(), model=model, tail=0, on_notice=told.append)
    assert told == []
    slot, note = round(SLOT_SECONDS * rate), round(NOTE_SECONDS * rate)
    panned, plain = (played_by_soundfont(rate, panned).reshape(-1, note, 2) for panned in (True, False))
    found, expected = [], []
    for place in range(len(PARTS)):
        found.append(right_over_left_db(ours[place * slot + note // 6 : place * slot + note]))
        expected.append(right_over_left_db(panned[place]) - right_over_left_db(plain[place]))
    np.testing.assert_allclose(found, expected, atol=1.0)
