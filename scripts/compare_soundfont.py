"""Render a MIDI file with cmaudio and with a SoundFont, and draw both spectrograms.

    python scripts/compare_soundfont.py [song.mid] [-o picture.png] [--soundfont FILE] [--wav FOLDER] [--seconds 12]

Without a MIDI file: Bach's chorale BWV 66.6 from music21's corpus, played by the timbres of a string quartet.
Needs tinysoundfont and matplotlib, and music21 for the chorale.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from cmaudio.evaluation.context import level_db
from cmaudio.files.audio_file import AudioFileWriter
from cmaudio.model.file import load_model
from cmaudio.offline.render import render
from cmaudio.score.controllers import ALL_NOTES_OFF, SUSTAIN, VOLUME
from cmaudio.score.events import AllNotesOff, ChannelGain, Event, NoteOff, NoteOn, PitchBend, Score, Sustain
from cmaudio.score.midi_file import read_midi
from cmaudio.signal.dsp import Float, Stft
from cmaudio.soundfont.player import SoundFont, open_soundfont

CHORALE = "bach/bwv66.6"
CHORALE_PROGRAMS = (40, 40, 41, 42)  # violin, violin, viola, cello
TAIL_SECONDS = 3.0
TOP_HZ, RANGE_DB, COLUMNS = 8_000.0, 80.0, 500
COLOURS = 40
WIDTH_INCHES, HEIGHT_INCHES, DOTS_PER_INCH = 12.0, 6.4, 100


def chorale(folder: Path) -> Path:
    """Write the chorale as a MIDI file with a program for each voice."""
    from music21 import corpus, instrument

    piece = corpus.parse(CHORALE)
    for part, program in zip(piece.parts, CHORALE_PROGRAMS, strict=True):
        for old in part.recurse().getElementsByClass(instrument.Instrument):
            old.activeSite.remove(old)
        player = instrument.Instrument()
        player.midiProgram = program
        part.insert(0, player)
    path = folder / "chorale.mid"
    piece.write("midi", path)
    return path


def play_event(soundfont: SoundFont, event: Event) -> None:
    """Play one event of a score; a channel's gain becomes MIDI volume, whose square is the amplitude."""
    match event:
        case NoteOn(channel, pitch, velocity, program):
            soundfont.program(program, channel)
            soundfont.on(pitch, velocity, channel)
        case NoteOff(channel, pitch):
            soundfont.off(pitch, channel)
        case PitchBend(channel, semitones):
            soundfont.bend(semitones, channel)
        case Sustain(channel, down):
            soundfont.control(SUSTAIN, 127 if down else 0, channel)
        case ChannelGain(channel, gain):
            soundfont.control(VOLUME, round(127 * min(gain, 1.0) ** 0.5), channel)
        case AllNotesOff(channel):
            soundfont.control(ALL_NOTES_OFF, 0, channel)


def render_soundfont(soundfont: SoundFont, score: Score) -> Float:
    """(N,) samples of a score, with sample-accurate events."""
    pieces, now = [], 0
    for channel in range(16):
        soundfont.select(0, channel)
    for seconds, event in score.events:
        at = round(seconds * soundfont.sample_rate)
        if at > now:
            pieces.append(soundfont.read(at - now))
            now = at
        play_event(soundfont, event)
    end = round((score.duration + TAIL_SECONDS) * soundfont.sample_rate)
    return np.concatenate([*pieces, soundfont.read(max(1, end - now))])


def spectrogram_db(signal: Float, stft: Stft, columns: int) -> Float:
    """(F, columns) dB re the signal's loudest bin; the frames of a column are averaged in power."""
    power = np.square(np.abs(stft.analyse(np.concatenate([np.zeros(stft.overlap, np.float32), signal]))))
    edges = np.linspace(0, len(power), columns + 1).astype(int)[:-1]
    mean = np.add.reduceat(power, edges, axis=0) / np.diff([*edges, len(power)])[:, None]
    picture: Float = (10 * np.log10(mean / mean.max() + 1e-12)).T.astype(np.float32)
    return picture


def draw(path: Path, title: str, panels: dict[str, Float], sample_rate: int) -> None:
    """Stacked spectrograms on one time axis, 1200 pixels wide."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from PIL import Image

    stft = Stft(4096, 1024)
    shape = (len(panels), 1)
    figure, axes = pyplot.subplots(*shape, sharex=True, figsize=(WIDTH_INCHES, HEIGHT_INCHES), layout="constrained")
    for axis, (name, signal) in zip(axes, panels.items(), strict=True):
        shown = spectrogram_db(signal, stft, COLUMNS)[: int(TOP_HZ / sample_rate * stft.n_fft)]
        extent = (0, len(signal) / sample_rate, 0, TOP_HZ / 1000)
        image = axis.imshow(
            shown, origin="lower", aspect="auto", extent=extent, vmin=-RANGE_DB, vmax=0, cmap="magma", rasterized=True
        )
        axis.set_title(name, loc="left", fontsize=13)
        axis.set_ylabel("frequency (kHz)", fontsize=12)
        axis.tick_params(labelsize=11)
    axes[-1].set_xlabel("time (s)", fontsize=12)
    figure.colorbar(image, ax=axes, pad=0.01).set_label("dB re the loudest point", fontsize=12)
    figure.suptitle(title, fontsize=14)
    figure.savefig(path, dpi=DOTS_PER_INCH)
    pyplot.close(figure)
    with Image.open(path) as picture:  # noise compresses badly, few colours compress well
        small = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


def describe(name: str, signal: Float, sample_rate: int) -> str:
    """Peak, level, largest step between samples and final level, as text."""
    steps = np.abs(np.diff(signal))
    last = signal[-round(0.1 * sample_rate) :]
    return (
        f"{name}: {len(signal) / sample_rate:.2f} s, peak {np.abs(signal).max():.3f}, level {level_db(signal):.1f} dB, "
        f"largest step {steps.max():.3f} at {np.argmax(steps) / sample_rate:.3f} s, last 100 ms {level_db(last):.1f} dB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("midi", type=Path, nargs="?", help="MIDI file; Bach's chorale BWV 66.6 by default")
    parser.add_argument("-o", "--output", type=Path, default=Path("chorale.png"), help="picture to write")
    parser.add_argument("--soundfont", type=Path, help="a .sf2 or .sf3 file; the first installed one by default")
    parser.add_argument("--seconds", type=float, default=16.0, help="length of the picture")
    parser.add_argument("--wav", type=Path, help="folder for both renderings as sound files")
    options = parser.parse_args()
    model = load_model()
    soundfont = open_soundfont(options.soundfont, model.manifest.sample_rate)
    if isinstance(soundfont, str):
        parser.error(soundfont)
    with tempfile.TemporaryDirectory() as folder:
        midi = options.midi or chorale(Path(folder))
        score = read_midi(midi)
        title = midi.stem if options.midi else "J. S. Bach, chorale BWV 66.6, string quartet"
    panels = {
        "cmaudio": render(score, model=model, tail=TAIL_SECONDS, channels=1, on_notice=print),
        f"SoundFont ({soundfont.path.stem})": render_soundfont(soundfont, score),
    }
    for name, signal in panels.items():
        print(describe(name, signal, soundfont.sample_rate))
        if options.wav:
            options.wav.mkdir(parents=True, exist_ok=True)
            with AudioFileWriter(options.wav / f"{name.split()[0].lower()}.wav", soundfont.sample_rate) as writer:
                writer.write(signal)
    shown = round(min(options.seconds, score.duration + 1) * soundfont.sample_rate)
    cut = {name: np.pad(signal[:shown], (0, max(0, shown - len(signal)))) for name, signal in panels.items()}
    draw(options.output, title, cut, soundfont.sample_rate)
    print(f"{options.output}: {options.output.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
