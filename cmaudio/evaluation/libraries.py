"""Optional libraries of the evaluation, imported when a measure needs them."""

from __future__ import annotations

import importlib
from typing import Any

from cmaudio.errors import CmaudioError


def librosa_module() -> Any:
    """librosa. Raises CmaudioError if it is missing or cannot be loaded."""
    return _library("librosa")


def librosa_display() -> Any:
    """librosa.display. Raises CmaudioError if it is missing or cannot be loaded."""
    return _library("librosa.display")


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise CmaudioError(
            f"{error.name} is missing, which this measure needs: pip install 'cmaudio[evaluate]'"
        ) from error
    except (ImportError, OSError, RuntimeError) as error:  # a binary built for another version
        raise CmaudioError(
            f"{name} cannot be loaded ({error}): its binary may not fit the installed NumPy; "
            f"pip install --force-reinstall {name.partition('.')[0]}"
        ) from error
