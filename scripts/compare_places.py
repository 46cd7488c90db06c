"""Compare the stereo position of each channel of a General MIDI file with that from a SoundFont player.

    python scripts/compare_places.py [--soundfont FILE] [--reverb 40] [--chorus 30] [--fluidsynth]

16 channels, each with a pan and a volume of its own, play one note after another. The level difference between right
and left is measured, minus that of the same file with all pans centred, since SoundFonts have stereo samples.
TinySoundFont has no effects, so it is compared with the stems without effects; FluidSynth has effects, and is compared
with the whole mix. Prints a Markdown table. Needs tinysoundfont, or fluidsynth (apt install fluidsynth).
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import mido
import numpy as np
import soundfile
from numpy.typing import NDArray

from cmaudio.offline.render import render
from cmaudio.score.controllers import BY_EXPRESSION, PAN, VOLUME
from cmaudio.score.events import PERCUSSION_CHANNEL
from cmaudio.signal.dsp import Float
from cmaudio.soundfont.player import PLACES

RATE = 48_000
SLOT_SECONDS, NOTE_SECONDS = 2.0, 1.0
MIDDLE = 64
_SNARE = 38
# Program, pan and volume of each channel; the drums have no program.
PARTS = (
    (73, 64, 100), (56, 10, 127), (40, 32, 90), (68, 50, 60), (71, 90, 127), (72, 118, 110),
    (0, 20, 100), (19, 100, 80), (48, 5, 100), (0, 40, 110), (65, 75, 90), (60, 122, 100),
    (42, 84, 120), (24, 28, 127), (89, 58, 100), (11, 110, 90),
)  # fmt: skip


def midi_file(path: Path, reverb: int, chorus: int, panned: bool) -> None:
    """Write the notes, one per channel."""
    song = mido.MidiFile(ticks_per_beat=480)
    for channel, (program, pan, volume) in enumerate(PARTS):
        track = mido.MidiTrack()
        sends = (BY_EXPRESSION["reverb"], reverb), (BY_EXPRESSION["chorus"], chorus)
        for number, value in ((VOLUME, volume), (PAN, pan if panned else MIDDLE), *sends):
            track.append(mido.Message("control_change", channel=channel, control=number, value=value))
        if channel != PERCUSSION_CHANNEL:
            track.append(mido.Message("program_change", channel=channel, program=program))
        key = _SNARE if channel == PERCUSSION_CHANNEL else 60
        start, length = (round(seconds * 960) for seconds in (channel * SLOT_SECONDS, NOTE_SECONDS))
        track.append(mido.Message("note_on", channel=channel, note=key, velocity=90, time=start))
        track.append(mido.Message("note_off", channel=channel, note=key, time=length))
        song.tracks.append(track)
    song.save(path)


def balances_db(sides: Float) -> list[float]:
    """Level of the right side minus that of the left while each channel's note sounds, in dB."""
    balances = []
    for channel in range(len(PARTS)):
        start = round(channel * SLOT_SECONDS * RATE)
        left, right = np.square(sides[start : start + round(NOTE_SECONDS * RATE)], dtype=np.float64).sum(0)
        balances.append(float(10 * np.log10(right / left)))
    return balances


def fluidsynth(song: Path, soundfont: Path) -> Float:
    """The samples (N, 2) of FluidSynth."""
    out = song.with_suffix(".wav")
    command = ["fluidsynth", "-ni", "-q", "-r", str(RATE), "-g", "0.5", "-F", str(out), str(soundfont), str(song)]
    subprocess.run(command, check=True, capture_output=True)
    samples: Float = soundfile.read(out, dtype="float32")[0]
    return samples


def tinysoundfont(soundfont: Path, panned: bool) -> Float:
    """The samples (N, 2) of TinySoundFont, which has no effects."""
    from tinysoundfont import Synth

    synth: Any = Synth(samplerate=RATE)
    font, made = synth.sfload(str(soundfont)), []
    for channel, (program, pan, volume) in enumerate(PARTS):
        drums = channel == PERCUSSION_CHANNEL
        synth.program_select(channel, font, 128 if drums else 0, 0 if drums else program, drums)
        synth.control_change(channel, VOLUME, volume)
        synth.control_change(channel, PAN, pan if panned else MIDDLE)
        key = _SNARE if drums else 60
        synth.noteon(channel, key, 90)
        made.append(bytes(synth.generate(round(NOTE_SECONDS * RATE))))
        synth.noteoff(channel, key)
        made.append(bytes(synth.generate(round((SLOT_SECONDS - NOTE_SECONDS) * RATE))))
    return np.frombuffer(b"".join(made), np.float32).reshape(-1, 2)


def without_effects(song: Path) -> Float:
    """The samples (N, 2) of cmaudio, without the effects."""
    parts = song.with_suffix("")
    render(song, controls={"spread": 0.0}, stems=parts)
    return np.sum([soundfile.read(path)[0] for path in parts.glob("*.wav") if path.stem != "effects"], 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--soundfont", type=Path, default=next((place for place in PLACES if place.is_file()), None))
    parser.add_argument("--reverb", type=int, default=40, help="controller 91 of every channel")
    parser.add_argument("--chorus", type=int, default=30, help="controller 93 of every channel")
    parser.add_argument("--fluidsynth", action="store_true", help="play it with FluidSynth, effects included")
    arguments = parser.parse_args()
    if arguments.soundfont is None or (arguments.fluidsynth and shutil.which("fluidsynth") is None):
        sys.exit(
            "needs a General MIDI SoundFont and its player: apt install musescore-general-soundfont-small fluidsynth"
        )
    theirs, ours = [], []
    with tempfile.TemporaryDirectory() as folder:
        for panned in (True, False):
            song = Path(folder) / f"{panned}.mid"
            midi_file(song, arguments.reverb, arguments.chorus, panned)
            if arguments.fluidsynth:
                theirs.append(balances_db(fluidsynth(song, arguments.soundfont)))
                ours.append(balances_db(render(song, controls={"spread": 0.0})))
            else:
                theirs.append(balances_db(tinysoundfont(arguments.soundfont, panned)))
                ours.append(balances_db(without_effects(song)))
    show(*(np.subtract(panned, plain) for panned, plain in (theirs, ours)))


def show(expected: NDArray[np.float64], found: NDArray[np.float64]) -> None:
    """Print a table of the balance of each channel."""
    print("| channel | pan | SoundFont | cmaudio | difference |\n|---|---|---|---|---|")
    for channel, (_, pan, _) in enumerate(PARTS):
        difference = found[channel] - expected[channel]
        print(f"| {channel + 1} | {pan} | {expected[channel]:.2f} | {found[channel]:.2f} | {difference:+.2f} dB |")
    print(f"\nLargest difference: {np.abs(found - expected).max():.2f} dB")


if __name__ == "__main__":
    main()
