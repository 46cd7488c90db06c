"""The player of a SoundFont: FluidSynth, which follows all of its modulators, or TinySoundFont."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from cmaudio.errors import CmaudioError
from cmaudio.soundfont.baked import BakedSoundFont
from cmaudio.soundfont.fluid import MISSING, FluidSoundFont, is_installed
from cmaudio.soundfont.player import NO_SOUNDFONT, find_soundfont

Player = Literal["fluidsynth", "tinysoundfont"]


def open_player(path: Path, sample_rate: int, player: Player) -> BakedSoundFont | FluidSoundFont:
    """Open a SoundFont. Raises CmaudioError if the player is missing or cannot load the file."""
    if player == "fluidsynth":
        return FluidSoundFont(path, sample_rate)
    try:
        return BakedSoundFont(path, sample_rate)
    except ImportError as error:
        raise CmaudioError("tinysoundfont is missing: pip install --no-deps tinysoundfont") from error
    except Exception as error:  # TinySoundFont raises its own classes, and says only that loading failed
        raise CmaudioError(f"SoundFont {path} cannot be loaded ({error}); give another .sf2 or .sf3 file") from error


def open_reference(path: Path | None, sample_rate: int, player: Player | None) -> BakedSoundFont | FluidSoundFont | str:
    """A SoundFont to compare with, or the reason as text why there is none.

    Args:
        path: None for the first that is installed.
        sample_rate: Hz.
        player: None for FluidSynth, or TinySoundFont where that is missing.

    Raises:
        CmaudioError: the given file cannot be read, or the given player is missing.
    """
    found = find_soundfont(path)
    if found is None:
        return NO_SOUNDFONT
    if player is None and not is_installed():
        try:
            import tinysoundfont  # noqa: F401
        except ImportError:
            return f"{MISSING}, and so is tinysoundfont: pip install --no-deps tinysoundfont"
    return open_player(found, sample_rate, player or ("fluidsynth" if is_installed() else "tinysoundfont"))
