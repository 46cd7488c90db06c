"""Fixtures of the sequencer's tests: a clock that runs as fast as its engine is read."""

from __future__ import annotations

import pytest
from conftest import TinyModel
from fixtures.clock_rig import ClockRig


@pytest.fixture
def rig(tiny: TinyModel) -> ClockRig:
    return ClockRig(tiny.model, polyphony=16)
