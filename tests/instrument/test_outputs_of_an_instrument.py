"""MIDI channels on pairs of a device's outputs, from opening it to what it plays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import typer
from fixtures.fake_card import FakeCard
from typer.testing import CliRunner

import cmaudio
from cmaudio.cli.options import Routes, routes_of
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.output.callback import output_callback


@pytest.mark.parametrize(
    ("settings", "pairs", "first_output"),
    [
        ({}, 1, 0),
        ({"pair": 3}, 1, 4),
        ({"routes": {9: 2}}, 2, 0),
        ({"routes": {9: 2, 3: 5}, "pair": 3}, 5, 0),
        ({"routes": {9: 1}, "pair": 4}, 4, 0),
        ({"pairs": 4}, 4, 0),
        ({"pairs": 4, "routes": {0: 2}}, 4, 0),
    ],
)
def test_as_many_pairs_are_opened_as_are_needed(
    model: Model, settings: dict[str, Any], pairs: int, first_output: int
) -> None:
    card = FakeCard()
    with cmaudio.open(model, open_stream=card, **settings) as synth:
        ring = card.streams[0].ring
        assert (ring.source_channels, ring.first_output) == (2 * pairs, first_output)
        routed = {n: c.pair for n, c in enumerate(synth.engine.allocator.channels) if c.pair is not None}
        assert routed == settings.get("routes", {})


def test_what_a_routed_channel_plays_comes_from_its_pair(model: Model) -> None:
    card = FakeCard()
    with cmaudio.open(model, open_stream=card, routes={9: 2}) as synth:
        stream = card.streams[0]
        stream.ring.channels = 4
        synth.note_on(60, channel=9, timbre="flute")
        heard = []
        for _ in range(200):
            stream.pull(128)
            heard.append(output_callback().drive(stream.ring, stream.ring.readable))
        output = np.concatenate(heard)
    assert not output[:, :2].any()
    assert output[:, 2:].any()


@pytest.mark.parametrize(
    ("options", "expected"),
    [([], {}), (["10:2"], {9: 2}), (["1:1", "16:12"], {0: 1, 15: 12})],
)
def test_routes_on_the_command_line_count_channels_from_one(options: list[str], expected: dict[int, int]) -> None:
    found: list[dict[int, int]] = []
    app = typer.Typer()

    @app.command()
    def command(route: Routes = None) -> None:
        found.append(routes_of(route))

    arguments = [argument for option in options for argument in ("--route", option)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert found == [expected]


@pytest.mark.parametrize("option", ["10", "0:1", "17:1", "10:0", "10:-1", "a:2", "10:2:3", ":", "١:٢x"])
def test_a_route_that_is_not_two_numbers_is_refused(option: str) -> None:
    with pytest.raises(CmaudioError, match="--route must be a MIDI channel from 1 to 16, a colon and an output pair"):
        routes_of([option])
