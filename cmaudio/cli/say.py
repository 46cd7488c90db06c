"""The command line of voices: say, recite."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cmaudio.cli.terminal import any_output, console, device_of, errors, notice
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model, load_model
from cmaudio.offline.recite import recite as recite_lines
from cmaudio.offline.speak import DEFAULT_VOICE, speak
from cmaudio.output.player import LEAD_MS
from cmaudio.synth import Synth, open

VoiceName = Annotated[str, typer.Option("--voice", help="Embedded voice's name, or a model file.")]
Speaker = Annotated[str | None, typer.Option(help="Timbre of the voice, where it has several.")]
_FALLBACK = Path("say.wav")


def _report(unspoken: list[str]) -> None:
    for text in unspoken:
        errors.print("[yellow]not said:[/] ", end="")
        errors.print(text, highlight=False, markup=False)


def say(
    text: Annotated[str | None, typer.Argument(help="What to say; without it, standard input, line by line.")] = None,
    voice: VoiceName = DEFAULT_VOICE,
    speaker: Speaker = None,
    rate: Annotated[float, typer.Option(help="Times as fast, 0.25 to 4.")] = 1.0,
    pitch: Annotated[float, typer.Option(help="Semitones up or down.")] = 0.0,
    pitch_range: Annotated[float, typer.Option(help="Of the melody: 0 is one tone, 1 as it is.")] = 1.0,
    energy: Annotated[float, typer.Option(help="Effort, dB.")] = 0.0,
    gain: Annotated[float, typer.Option(help="Volume, dB.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Same seed, same samples.")] = 0,
    steps: Annotated[
        int, typer.Option(help="Network evaluations a block: 1 or 2; embedded voices gain nothing by 2.")
    ] = 1,
    phonemes: Annotated[bool, typer.Option("--phonemes", help="The text is IPA, e.g. 'həlˈoʊ wˈɚld.'")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A .wav or .flac instead of sound.")] = None,
    marks: Annotated[bool, typer.Option("--marks", help="Print when words and phonemes begin, a JSON a line.")] = False,
    device: Annotated[str | None, typer.Option(help="Output (`cmaudio devices`).")] = None,
    lead: Annotated[float, typer.Option(help="How far synthesis runs ahead of the sound card, ms.")] = LEAD_MS,
) -> None:
    """Say a text through the sound card, or write it to a file. Without a sound card it goes to say.wav."""
    model = load_model(voice)
    how: dict[str, Any] = {"timbre": speaker, "phonemes": phonemes, "seed": seed}
    how |= {"rate": rate, "pitch": pitch, "pitch_range": pitch_range, "energy": energy}
    source = text if text is not None else _lines()
    if output is None:
        try:
            synth = _open(model, device, lead, steps, gain)
        except CmaudioError as error:
            if device is not None or any_output():
                raise
            output = _FALLBACK
            notice(f"{error} Writing to {output} instead.")
        else:
            with synth:
                _say_aloud(synth, source, how, marks)
            return
    spoken = speak(source, output, model=model, steps=steps, gain_db=gain, **how)
    _report(spoken.unspoken)
    for mark in spoken.marks if marks else ():
        _print_mark(mark)
    errors.print(f"{output}: {len(spoken.audio) / spoken.sample_rate:.1f} s", highlight=False)


def _lines() -> Iterator[str]:
    """Standard input as it comes."""
    if sys.stdin.isatty():
        errors.print("Each line is said when you press Enter; Ctrl-D ends.", highlight=False)
    yield from sys.stdin


def _open(model: Model, device: str | None, lead: float, steps: int, gain: float) -> Synth:
    return open(model, device=device_of(device), lead_ms=lead, steps=steps, gain_db=gain, on_notice=notice)


def _say_aloud(synth: Synth, source: str | Iterator[str], how: dict[str, Any], marks: bool) -> None:
    speech = synth.say(source, **how)
    reported = 0
    for mark in speech.follow():
        if marks:
            _print_mark(mark)
        _report(speech.unspoken[reported:])
        reported = len(speech.unspoken)
        synth.player.raise_if_failed()
    _report(speech.unspoken[reported:])
    speech.wait()
    synth.wait(synth.state().player.lead_ms / 1000 + 0.1)


def _print_mark(mark: Any) -> None:
    print(json.dumps({"seconds": round(mark.seconds, 3), mark.kind: mark.text}, ensure_ascii=False), flush=True)


def recite(
    source: Annotated[Path, typer.Argument(help="Text file in UTF-8, an utterance a line.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the corpus.")],
    voice: VoiceName = DEFAULT_VOICE,
    speaker: Annotated[list[str] | None, typer.Option(help="Timbre; may be given again.")] = None,
    rate: Annotated[list[float] | None, typer.Option(help="Times as fast; may be given again.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How often each line is said, with other noise.")] = 1,
    workers: Annotated[int, typer.Option(min=1, help="Processes side by side.")] = 1,
) -> None:
    """Make a speech corpus from a text file: LJSpeech's layout, with phonemes and their times."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task(source.name, total=None)
        unspoken = recite_lines(
            source,
            output,
            model=voice,
            timbres=speaker or (),
            rates=rate or (1.0,),
            seeds=seeds,
            workers=workers,
            on_progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    for name, texts in unspoken.items():
        _report([f"{name}: {text}" for text in texts])
    console.print(f"{output}: metadata.csv, phonemes.jsonl, wavs/", highlight=False)
