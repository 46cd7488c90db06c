"""A toy run that tests of runs and of their export share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared corpus of synthetic notes."""
    pytest.importorskip("lhotse")
    from fixtures.training_corpus import make_corpus

    path = tmp_path_factory.mktemp("corpus") / "toy"
    make_corpus(path)
    return path


@pytest.fixture(scope="session")
def finished(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that has finished all its stages; tests leave its weights alone."""
    from fixtures.toy_run import config

    from cmaudio.training.run.train import train

    folder = tmp_path_factory.mktemp("runs")
    train(config(folder), corpus, folder / "toy")
    return folder / "toy"
