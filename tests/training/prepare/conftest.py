"""What tests of several sources share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    """A folder of sound files, good and bad."""
    from fixtures.sound_folder import make_sounds

    make_sounds(tmp_path / "sounds")
    return tmp_path / "sounds"
