"""A JACK server of our own on a dummy device, so that tests reach PortAudio without a sound card."""

from collections.abc import Iterator

import pytest

from cmaudio.bench.jack import SAMPLE_RATE, JackServer, what_is_missing

__all__ = ["SAMPLE_RATE", "JackServer", "running_jack_server"]


def running_jack_server() -> Iterator[JackServer]:
    """The body of the `jack_server` fixture. Skips where jackd, libjack or PortAudio is missing."""
    missing = what_is_missing()
    if missing is not None:
        pytest.skip(missing)
    server = JackServer()
    try:
        server.start()
    except TimeoutError as error:
        pytest.skip(str(error))
    try:
        yield server
    finally:
        server.stop()
