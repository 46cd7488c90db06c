"""The step sequencer and the arpeggiator over OSC."""

from __future__ import annotations

import pytest
from fixtures.osc import Client

from cmaudio.sequencer import GridPattern, PatternBank, Song, SongPart, note_lane
from cmaudio.synth import Synth


def test_patterns_are_played_edited_and_recorded(synth: Synth, client: Client) -> None:
    sequencer = synth.sequencer
    sequencer.bank = PatternBank(
        patterns=(GridPattern(name="A", lanes=(note_lane("bass", [36]),)), GridPattern(name="B"))
    )
    client.send("/cmaudio/sequencer/play")
    client.send("/cmaudio/sequencer/step", "bass", 5, 90, 43)
    client.send("/cmaudio/sequencer/step", "bass", 1, 0)
    client.send("/cmaudio/sequencer/mute", "bass", 1)
    client.send("/cmaudio/sequencer/record", 1)
    client.settle()
    assert sequencer.playing
    assert sequencer.recording is not None
    (lane,) = sequencer.pattern.lanes
    assert {index: (step.pitches, step.velocity) for index, step in lane.steps.items()} == {4: ((43,), 90)}
    assert lane.muted
    client.send("/cmaudio/sequencer/record", 0)
    client.send("/cmaudio/sequencer/pattern", "B")
    client.send("/cmaudio/sequencer/stop")
    client.settle()
    assert [sequencer.playing, sequencer.recording, sequencer.pattern.name] == [False, None, "B"]


def test_a_song_is_made_and_played(synth: Synth, client: Client) -> None:
    sequencer = synth.sequencer
    sequencer.bank = PatternBank(patterns=(GridPattern(name="A"), GridPattern(name="B")))
    client.send("/cmaudio/sequencer/song", "A", 2, "B", 1)
    client.send("/cmaudio/sequencer/song/loop", 1)
    client.send("/cmaudio/sequencer/song/play")
    client.settle()
    assert sequencer.song == Song(parts=(SongPart(pattern="A", rounds=2), SongPart(pattern="B")), loop=True)
    assert sequencer.plays_song
    client.send("/cmaudio/sequencer/stop")
    client.send("/cmaudio/sequencer/song")
    client.settle()
    assert (sequencer.playing, sequencer.song) == (False, Song(loop=True))


def test_the_arpeggiator_plays_the_keys(synth: Synth, client: Client) -> None:
    client.send("/cmaudio/arpeggiator/mode", "down")
    client.send("/cmaudio/arpeggiator/octaves", 2)
    client.send("/cmaudio/arpeggiator/rate", 0.125)
    client.send("/cmaudio/arpeggiator", 1)
    client.send("/cmaudio/note/on", 60, 100)
    client.settle()
    settings = synth.arpeggiator.settings
    assert (settings.on, settings.mode, settings.octaves, settings.rate) == (True, "down", 2, 0.125)
    assert synth.arpeggiator.keys == [60]
    client.send("/cmaudio/note/off", 60)
    client.send("/cmaudio/note/on", 64, 100)
    client.send("/cmaudio/all_off")
    client.settle()
    assert synth.arpeggiator.keys == []


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (("/cmaudio/sequencer/pattern", "Z"), "unknown pattern 'Z'"),
        (("/cmaudio/sequencer/mute", "bass", 1), "unknown lane 'bass'"),
        (("/cmaudio/sequencer/step", "bass", 65, 90), "step"),
        (("/cmaudio/sequencer/song", "Z", 1), "unknown pattern 'Z'"),
        (("/cmaudio/sequencer/song", "A"), "1 given"),
        (("/cmaudio/sequencer/song", "A", 17), "rounds"),
        (("/cmaudio/arpeggiator/mode", "sideways"), "mode"),
    ],
)
def test_what_is_unknown_is_answered(client: Client, message: tuple[object, ...], told: str) -> None:
    client.send(*message)  # type: ignore[arg-type]
    assert told in client.read_until("/cmaudio/error")[0]
