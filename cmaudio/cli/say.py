"""`cmaudio say`."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import TextColumn, TimeElapsedColumn

from cmaudio.cli import options
from cmaudio.cli.terminal import errors, notice, progress_bar, to_json, warn_unspoken
from cmaudio.cli.without_device import file_instead
from cmaudio.errors import CmaudioError, DeviceError
from cmaudio.model.file import Model, load_model
from cmaudio.offline.speak import DEFAULT_VOICE, speak
from cmaudio.offline.spoken import Spoken
from cmaudio.output.player import LEAD_MS
from cmaudio.speech.pronunciations import read_dictionary
from cmaudio.synth import Synth, open

_FALLBACK = Path("say.wav")
_END_OF_LINES_SECONDS = 0.4


def say(
    text: Annotated[str | None, typer.Argument(help="Text to say; standard input when it is not given.")] = None,
    voice: options.VoiceName = DEFAULT_VOICE,
    speaker: Annotated[str | None, typer.Option(help="Speaker, for a voice that has several.")] = None,
    rate: Annotated[float, typer.Option(help="Speaking rate, 0.25 to 4 times the normal one.")] = 1.0,
    pitch: Annotated[float, typer.Option(help="Pitch shift in semitones.")] = 0.0,
    pitch_range: Annotated[float, typer.Option(help="Pitch range: 0 is monotone, 1 normal.")] = 1.0,
    energy: Annotated[float, typer.Option(help="Vocal effort in dB: how loudly the speaker speaks.")] = 0.0,
    gain: Annotated[float, typer.Option(help="Volume in dB.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Random seed; the same seed gives the same samples.")] = 0,
    steps: Annotated[
        int, typer.Option(help="Network evaluations per block, 1 or 2; the embedded voices do not benefit from 2.")
    ] = 1,
    phonemes: Annotated[bool, typer.Option("--phonemes", help="The text is IPA, such as 'həlˈoʊ wˈɚld.'")] = False,
    ssml: Annotated[bool, typer.Option("--ssml", help="The text is SSML: <speak>...</speak>.")] = False,
    dictionary: Annotated[
        Path | None, typer.Option(help="Pronunciations: a text file with a word, a tab and its IPA per line.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write to this sound file (.wav, .flac, .ogg, .opus, .mp3) instead of playing."
        ),
    ] = None,
    marks: Annotated[
        bool, typer.Option("--marks", help="Print the time of each word and phoneme, one JSON object per line.")
    ] = False,
    device: options.Device = None,
    host_api: options.HostApi = None,
    exclusive: options.Exclusive = False,
    asio: options.Asio = False,
    lead: options.OutputBuffer = LEAD_MS,
) -> None:
    """Speak a text on the sound card or to a file; without a sound card, to say.wav."""
    if text is not None and not text.strip():
        raise CmaudioError("the text is empty: give some words, or omit it to read standard input")
    model = load_model(voice)
    style: dict[str, Any] = {"timbre": speaker, "phonemes": phonemes, "seed": seed}
    style |= {"ssml": ssml, "pronunciations": read_dictionary(dictionary) if dictionary is not None else None}
    style |= {"rate": rate, "pitch": pitch, "pitch_range": pitch_range, "energy": energy}
    source = text if text is not None else _lines()
    if output is None:
        try:
            synth = open(
                model,
                device=options.device_of(device),
                lead_ms=lead,
                steps=steps,
                gain_db=gain,
                on_notice=notice,
                open_stream=options.sound_cards(host_api, exclusive, asio),
            )
        except DeviceError as error:
            output = file_instead(error, device, _FALLBACK, "Writing")
        else:
            with synth:
                _say_aloud(synth, source, style, marks)
            return
    spoken, seconds = _to_file(source, output, model, steps, gain, style)
    warn_unspoken(spoken.unspoken)
    for mark in spoken.marks if marks else ():
        _print_mark(mark)
    errors.print(f"{output}: {seconds:.1f} s")


def _to_file(
    source: str | Iterator[str], path: Path, model: Model, steps: int, gain: float, style: dict[str, Any]
) -> tuple[Spoken, float]:
    """Render to a file without keeping the samples in memory, for texts of hours; returns the seconds."""
    columns = (
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.completed:.0f} s"),
        TimeElapsedColumn(),
    )
    with progress_bar(*columns) as bar:
        task = bar.add_task("reading", total=None)

        def show(seconds: float) -> None:
            bar.update(task, completed=seconds, description=path.name)

        settings: dict[str, Any] = {"model": model, "steps": steps, "gain_db": gain, "keep_samples": False} | style
        return speak(source, path, on_progress=show, on_notice=notice, **settings), bar.tasks[0].completed


def _lines() -> Iterator[str]:
    """Standard input as it arrives. A line break ends a sentence only if no other line follows at once."""
    if sys.stdin.isatty():
        errors.print("Each line is spoken when you press Enter; Ctrl-D ends the input.")
    lines: queue.SimpleQueue[str | CmaudioError | None] = queue.SimpleQueue()

    def read() -> None:
        try:
            for line in sys.stdin:
                lines.put(line)
            lines.put(None)
        except (OSError, ValueError) as error:  # no UTF-8, or closed meanwhile
            lines.put(CmaudioError(f"standard input cannot be read ({error}); it must be UTF-8 text"))

    threading.Thread(target=read, name="cmaudio-stdin", daemon=True).start()
    waiting: float | None = None
    line: str | CmaudioError | None
    while True:
        try:
            line = lines.get(timeout=waiting)
        except queue.Empty:
            line, waiting = "\n\n", None
        else:
            waiting = _END_OF_LINES_SECONDS
        if line is None:
            return
        if isinstance(line, CmaudioError):
            raise line
        yield line


def _say_aloud(synth: Synth, source: str | Iterator[str], style: dict[str, Any], marks: bool) -> None:
    speech = synth.say(source, **style)
    warned = 0
    for mark in speech.follow():
        if marks:
            _print_mark(mark)
        warn_unspoken(speech.unspoken[warned:])
        warned = len(speech.unspoken)
        synth.player.raise_if_failed()
    warn_unspoken(speech.unspoken[warned:])
    speech.wait()
    synth.wait(synth.state().player.lead_ms / 1000 + 0.1)


def _print_mark(mark: Any) -> None:
    row = {"seconds": round(mark.seconds, 3), mark.kind: mark.text}
    if mark.kind == "word":
        row |= {"start": mark.start, "end": mark.end}
    print(to_json(row, indent=None), flush=True)
