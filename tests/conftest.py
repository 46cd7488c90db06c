"""Fixtures that more than one test file uses."""

from collections.abc import Iterator

import pytest
from jack import JackServer, running_jack_server


@pytest.fixture
def jack_server() -> Iterator[JackServer]:
    """A running JACK server with a dummy device, gone after the test."""
    yield from running_jack_server()
