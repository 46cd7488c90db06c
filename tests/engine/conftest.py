"""What the engine's tests share."""

from __future__ import annotations

import pytest
from fixtures.engine import (
    performance,
)

from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float


@pytest.fixture(scope="module")
def offline(model: Model) -> Float:
    return performance(model, 26_000)
