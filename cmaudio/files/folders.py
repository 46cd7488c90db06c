"""The folders of the user's own files."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def user_folder() -> Path:
    """The user's configuration folder for cmaudio, by the conventions of the platform; it may not exist yet."""
    return platformdirs.user_config_path("cmaudio", appauthor=False, roaming=True)


def state_folder() -> Path:
    """The folder for state that programs keep between runs; it may not exist yet."""
    return platformdirs.user_state_path("cmaudio", appauthor=False)
