"""Servers for the tests of one file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")

from fixtures.serving import Running, running

from cmaudio.serve.service import ServiceSettings


@pytest.fixture(scope="module")
def english() -> Iterator[Running]:
    """The English voice, served."""
    with running(ServiceSettings(models=("english",), most_letters=500)) as server:
        yield server
