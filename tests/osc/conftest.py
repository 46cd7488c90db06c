"""An instrument with an OSC server and a client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fixtures.osc import Client, make_synth

from cmaudio.osc import OscServer
from cmaudio.synth import Synth

if TYPE_CHECKING:
    from conftest import TinyModel


@pytest.fixture
def synth(tiny: TinyModel) -> Iterator[Synth]:
    with make_synth(tiny.model) as synth:
        yield synth


@pytest.fixture
def server(synth: Synth, tmp_path: Path) -> OscServer:
    return synth.serve_osc(0, files=tmp_path)


@pytest.fixture
def client(server: OscServer) -> Iterator[Client]:
    client = Client(server)
    with client.socket:
        yield client
