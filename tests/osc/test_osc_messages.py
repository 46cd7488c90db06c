"""What each OSC address does, and how invalid messages are answered."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, cast

import pytest
from fixtures.osc import Client, WallClockPlayer, definitions_of, make_synth, read_up_to_now
from fixtures.waiting import wait_for
from typer.testing import CliRunner

import cmaudio
from cmaudio.effects.settings import SETTINGS
from cmaudio.files import folders
from cmaudio.model.file import Model
from cmaudio.modulation.settings import MODULATION_CHOICES
from cmaudio.osc import OscServer
from cmaudio.synth import Synth


def test_every_control_has_an_address(synth: Synth, client: Client) -> None:
    whole = {"steps", *(name for name, setting in SETTINGS.items() if setting.whole), *MODULATION_CHOICES}
    wanted = {
        name: c.max if name in whole else c.min + (c.max - c.min) / 4 for name, c in synth.controls.definitions.items()
    }
    for name, value in wanted.items():
        client.send(f"/cmaudio/control/{name}", float(value))
    client.settle()
    assert synth.controls.values() == pytest.approx(wanted, abs=1e-6)
    client.send("/cmaudio/control/gain", -6)  # an integer
    client.send("/cmaudio/control/vibrato", 0.1)
    client.settle()
    assert synth.controls["gain"] == -6
    assert synth.controls["vibrato"] == 0.1, "what a 32-bit float was meant to say"


def test_notes_sound_while_their_keys_are_down(synth: Synth, client: Client) -> None:
    def pitches() -> list[tuple[float, float, int]]:
        client.settle()
        read_up_to_now(synth)
        notes = synth.engine.allocator.notes.values()
        return sorted((n.pitch, cast("Any", n).velocity, n.channel) for n in notes if n.voice and not n.voice.released)

    client.send("/cmaudio/note", 60, 100)
    client.send("/cmaudio/note", 62.0, 90.0, 3)
    client.send("/cmaudio/note/on", 64)
    assert pitches() == [(60, 100, 0), (62, 90, 3), (64, 96, 0)]
    client.send("/cmaudio/note/bend", 62, 0.5, 3)
    client.settle()
    read_up_to_now(synth)
    assert {n.pitch: n.bent for n in synth.engine.allocator.notes.values()} == {60: 0, 62: 0.5, 64: 0}
    client.send("/cmaudio/note", 60, 0)
    client.send("/cmaudio/note/off", 62, 3)
    assert pitches() == [(64, 96, 0)]
    client.send("/cmaudio/sustain", 1)
    client.send("/cmaudio/note/off", 64)
    assert pitches() == [(64, 96, 0)]
    client.send("/cmaudio/sustain", False)
    assert pitches() == []
    client.send("/cmaudio/note/on", 50, 80)
    assert pitches() == [(50, 80, 0)]
    client.send("/cmaudio/sostenuto", True)
    client.send("/cmaudio/note/off", 50)
    assert pitches() == [(50, 80, 0)]
    client.send("/cmaudio/all_off")
    assert pitches() == []
    client.send("/cmaudio/note/on", 51, 80)
    client.send("/cmaudio/panic")
    assert pitches() == []


def test_timbre_seed_and_preset(synth: Synth, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "user_folder", lambda: tmp_path)
    mine = cmaudio.Preset(name="Mine", model="tiny", timbre={"third": 1}, seed=9, bend_range=7)
    saved = cmaudio.save_preset(mine)
    client.send("/cmaudio/timbre", "Second")
    client.settle()
    assert synth.controls.timbre == {"second": 1}
    client.send("/cmaudio/timbre", "first", 0.25, "third", 0.5, "first", 0.25)
    client.settle()
    assert synth.controls.timbre == pytest.approx({"first": 0.5, "third": 0.5})
    x, y = synth.controls.timbre_map.places[1]
    client.send("/cmaudio/timbre/xy", float(x), float(y))
    client.send("/cmaudio/seed", 2**40)
    client.settle()
    assert synth.controls.timbre is not None
    assert synth.controls.timbre["second"] == pytest.approx(1, abs=1e-3)
    assert synth.controls.seed == 2**40
    client.send("/cmaudio/seed/lock", 1)
    client.send("/cmaudio/seed/roll")
    client.settle()
    assert synth.controls.seed == 2**40
    client.send("/cmaudio/seed/lock", 0)
    client.send("/cmaudio/seed/roll")
    client.settle()
    assert synth.controls.seed != 2**40
    client.send("/cmaudio/seed", -1)
    client.send("/cmaudio/query")
    assert client.read_until("/cmaudio/seed") == [-1]
    client.read_until("/cmaudio/seed/lock")  # the end of this answer, which must not settle what follows
    client.send("/cmaudio/preset", "mine")
    client.settle()
    assert synth.preset == mine
    assert (synth.controls.seed, synth.controls["bend_range"]) == (9, 7)
    client.send("/cmaudio/preset", str(saved))
    assert "unknown preset" in client.read_until("/cmaudio/error")[0], "no files by their paths"


def test_all_values_are_sent_back(synth: Synth, client: Client) -> None:
    synth.controls.set_timbre({"first": 1, "second": 3})
    client.send("/cmaudio/query")
    answers = dict(client.read() for _ in range(len(synth.controls.definitions) + 4))
    for name, value in synth.controls.values().items():
        assert answers[f"/cmaudio/control/{name}"] == [pytest.approx(value, abs=1e-6)]
    assert answers["/cmaudio/routes"] == []
    assert answers["/cmaudio/timbre"] == ["first", 1, "second", 3]
    assert answers["/cmaudio/seed"] == [-1]
    assert answers["/cmaudio/seed/lock"] == [0]


def test_routes_are_set_sent_back_and_ended(synth: Synth, client: Client) -> None:
    client.send("/cmaudio/route", "lfo1", "brightness", 3.0)
    client.send("/cmaudio/route", "wheel", "bend", -2.0)
    client.send("/cmaudio/query")
    assert client.read_until("/cmaudio/routes") == ["lfo1", "brightness", 3.0, "wheel", "bend", -2.0]
    client.send("/cmaudio/route", "lfo1", "brightness", 0.0)
    wait_for(lambda: [route.key for route in synth.controls.routes] == [("wheel", "bend")])
    client.send("/cmaudio/route", "lfo3", "bend", 1.0)
    assert "modulator: Input should be 'lfo1'" in client.read_until("/cmaudio/error")[0]
    client.send("/cmaudio/routes", "lfo2", "gain", 1.0, "wheel", "vibrato", 0.5)
    wait_for(lambda: [route.key for route in synth.controls.routes] == [("lfo2", "gain"), ("wheel", "vibrato")])
    client.send("/cmaudio/routes", "lfo2")
    assert "/cmaudio/routes takes none, or repeatedly" in client.read_until("/cmaudio/error")[0]
    client.send("/cmaudio/routes")
    wait_for(lambda: not synth.controls.routes)
    client.send("/cmaudio/route", "wheel", "bend", -2.0)
    client.send("/cmaudio/routes/clear")
    wait_for(lambda: not synth.controls.routes)


@pytest.mark.parametrize(
    ("path", "values", "told"),
    [
        ("/cmaudio/control/gain", [99.0], "value must be a number from -80 to 24 (dB), not 99"),
        ("/cmaudio/control/gain", [math.nan], "not nan"),
        ("/cmaudio/control/gain", ["loud"], "not 'loud'"),
        ("/cmaudio/control/gain", [], "takes value: -80 to 24 dB, 0 by default; 0 given"),
        ("/cmaudio/control/gain", [1.0, 2.0], "2 given"),
        ("/cmaudio/control/gian", [1.0], "'/cmaudio/control/gian'; the nearest are '/cmaudio/control/gain'"),
        ("/other", [], "unknown address '/other'"),
        ("/cmaudio/note", [60.5, 100], "key must be a whole number from 0 to 127, not 60.5"),
        ("/cmaudio/note", [60, 100, 16], "channel must be a whole number from 0 to 15"),
        ("/cmaudio/note/on", [60, 0], "velocity"),
        ("/cmaudio/timbre", ["sitar"], "unknown timbre 'sitar'"),
        ("/cmaudio/timbre", ["first", 1.0, "second"], "3 given"),
        ("/cmaudio/timbre", ["first", 0.0], "non-zero sum"),
        ("/cmaudio/timbre", [""], "string of 1 to"),
        ("/cmaudio/seed", [-2], "seed"),
        ("/cmaudio/sustain", [None], "down"),
        ("/cmaudio/say", ["hello"], "unknown address"),
        ("/cmaudio/record/stop", [], "nothing is being recorded"),
        ("/cmaudio/control/gain", [b"blob"], "of types ',b'"),
    ],
)  # fmt: skip
def test_invalid_messages_are_answered_with_an_error_and_change_nothing(
    synth: Synth, server: OscServer, client: Client, path: str, values: list[Any], told: str
) -> None:
    before = synth.controls.values(), synth.controls.timbre, synth.controls.seed
    client.send(path, *values)
    answer = client.read()
    assert answer[0] == "/cmaudio/error"
    assert told in answer[1][0]
    assert (synth.controls.values(), synth.controls.timbre, synth.controls.seed) == before
    assert server.log.errors == 1
    client.settle()


def test_an_error_of_the_player_is_sent_to_the_client(synth: Synth, client: Client) -> None:
    cast("WallClockPlayer", synth.player).failure = ZeroDivisionError("the source broke")
    client.send("/cmaudio/note", 60, 100)
    assert client.read() == ("/cmaudio/error", ["ZeroDivisionError: the source broke"])
    client.settle()


def test_texts_are_spoken_and_stopped(tiny_voice: Model) -> None:
    with make_synth(tiny_voice) as synth:
        client = Client(synth.serve_osc(0))
        with client.socket:
            client.send("/cmaudio/control/rate", 1.5)
            client.send("/cmaudio/say", "The quick brown fox jumps, and it is gone.")
            wait_for(lambda: synth.recorder.read(1000).any())
            client.send("/cmaudio/stop")
            wait_for(lambda: not synth.recorder.read(1000).any() and synth.engine.idle)
            client.send("/cmaudio/note", 60, 100)
            assert "unknown address" in client.read()[1][0]


def test_the_table_of_addresses_is_complete_and_printed(
    model: Model, tiny_voice: Model, synth: Synth, server: OscServer
) -> None:
    import typer

    from cmaudio.cli.osc import markdown, osc, rows

    assert set(server._table) == set(server._actions.table) & set(server._table)
    text = markdown(model)
    for control in definitions_of(model):
        assert f"| `/cmaudio/control/{control}` |" in text
    assert "`/cmaudio/say`" not in text
    assert "| `/cmaudio/say` | text: text |" in markdown(tiny_voice)
    app = typer.Typer()
    app.command()(osc)
    result = CliRunner().invoke(app, ["--json"])
    assert json.loads(result.output) == json.loads(json.dumps(rows(model)))
    assert CliRunner().invoke(app, []).output == text


def test_place_and_sends_belong_to_a_channel_or_the_instrument(synth: Synth, client: Client) -> None:
    client.send("/cmaudio/pan", -0.5)
    client.send("/cmaudio/pan", 0.25, 3)
    client.send("/cmaudio/width", 1, 3)
    client.send("/cmaudio/reverb", 0.5)
    for name in ("spread", "distance", "reverb", "chorus", "delay"):
        client.send(f"/cmaudio/{name}", 0.125, 3)
    client.settle()
    read_up_to_now(synth)
    assert synth.controls["pan"] == -0.5
    assert synth.engine.allocator.expression["pan"] == -0.5
    assert synth.controls["reverb"] == 0.5
    quiet = dict.fromkeys(("spread", "distance", "reverb", "chorus", "delay"), 0.125)
    assert synth.engine.allocator.channels[3].expression == {"pan": 0.25, "width": 1, **quiet}


def test_a_channel_is_sent_to_a_pair_of_outputs_of_its_own(model: Model) -> None:
    def pairs(*channels: int) -> list[int | None]:
        synth.recorder.read(1000)
        return [synth.engine.allocator.channels[channel].pair for channel in channels]

    with make_synth(model, pairs=4) as synth:
        client = Client(synth.serve_osc(0))
        with client.socket:
            client.send("/cmaudio/output", 9, 3)
            client.send("/cmaudio/output", 2, 4)
            wait_for(lambda: pairs(2, 9) == [4, 3])
            client.send("/cmaudio/output", 9, 0)
            wait_for(lambda: pairs(2, 9) == [4, None])
            client.send("/cmaudio/output", 9, 5)
            assert "no output pair 5: 4 are open" in client.read()[1][0]
