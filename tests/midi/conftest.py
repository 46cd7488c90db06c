"""A synth that only the tests read, played from a fake MIDI port."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from fixtures.midi import Rig, rig, still_synth

from cmaudio.engine.engine import Engine
from cmaudio.synth import Synth

if TYPE_CHECKING:
    from conftest import TinyModel


@pytest.fixture(scope="module")
def synth(tiny: TinyModel) -> Synth:
    return still_synth(Engine(tiny.model, polyphony=4))


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def keys(synth: Synth, told: list[str]) -> Iterator[Rig]:
    with rig(synth, told=told) as made:
        yield made
