"""Renders a score with FluidSynth, without its reverb and chorus."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile

from cmaudio.errors import CmaudioError
from cmaudio.score.events import Score
from cmaudio.score.midi_file import write_midi
from cmaudio.signal.dsp import Float

PROGRAM = "fluidsynth"
_GAIN = 0.5
_SECONDS = 300.0  # longer than it takes on any machine
_LAST_WORDS = 200


def is_installed() -> bool:
    return shutil.which(PROGRAM) is not None


def play(score: Score, soundfont: Path, sample_rate: int) -> Float:
    """(N,) samples, left and right averaged.

    Raises CmaudioError if FluidSynth refuses to play, or plays nothing: it says little of a file that it cannot load.
    """
    with TemporaryDirectory(prefix="cmaudio-") as folder:
        song, sound = Path(folder) / "song.mid", Path(folder) / "song.wav"
        write_midi(song, score)
        options = ["-ni", "-q", "-R", "0", "-C", "0", "-r", str(sample_rate), "-g", str(_GAIN), "-F", str(sound)]
        try:
            done = subprocess.run(
                [PROGRAM, *options, str(soundfont), str(song)], check=True, capture_output=True, timeout=_SECONDS
            )
            samples = soundfile.read(sound, dtype="float32", always_2d=True)[0]
        except (OSError, subprocess.SubprocessError, soundfile.SoundFileError) as error:
            stderr = getattr(error, "stderr", None) or b""
            detail = stderr.decode(errors="replace").strip()[-_LAST_WORDS:] or str(error)
            raise CmaudioError(f"FluidSynth cannot play {soundfont} ({detail}); give another --soundfont") from error
    if not samples.any():
        detail = done.stderr.decode(errors="replace").strip()[-_LAST_WORDS:] or "no sound"
        raise CmaudioError(f"FluidSynth plays nothing with {soundfont} ({detail}); give another --soundfont")
    return np.asarray(samples.mean(1), np.float32)
