"""`cmaudio prepare`: from sound on disk to a corpus to train on. Heavy libraries are imported when a command runs."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from cmaudio.cli.terminal import console, errors
from cmaudio.errors import CmaudioError

if TYPE_CHECKING:
    from cmaudio.training.corpus.description import SignalDefinition
    from cmaudio.training.prepare.source import Source

FRAME_RATE = 93.75
app = typer.Typer(help="Prepare a corpus: from sound on disk to what `cmaudio train` reads.", no_args_is_help=True)


class Labels(StrEnum):
    """What names a file's timbre."""

    folder = "folder"
    name = "name"
    none = "none"


class Pitched(StrEnum):
    """Whether recordings have a pitch to be conditioned on."""

    auto = "auto"
    yes = "yes"
    no = "no"


class SpeechLayout(StrEnum):
    """How a speech corpus lies on disk."""

    ljspeech = "ljspeech"
    vctk = "vctk"
    libritts = "libritts"
    cmu_arctic = "cmu_arctic"


Output = Annotated[
    Path, typer.Option("--output", "-o", help="Folder of the corpus; one that was begun is gone on with.")
]
Workers = Annotated[int, typer.Option(min=1, help="Processes that work at once.")]
SampleRate = Annotated[int, typer.Option(help="Of the corpus and of models trained on it, in Hz.")]
HopLength = Annotated[int | None, typer.Option(help="Samples a frame; 93.75 frames a second when not given.")]
Bands = Annotated[int, typer.Option(help="Mel bands.")]
Seed = Annotated[int, typer.Option(min=0, help="Of all that is drawn at random.")]
Licence = Annotated[str, typer.Option(help="Of the sound; it ends up in the model's card.")]
CORES = os.cpu_count() or 1


@app.command()
def soundfont(
    file: Annotated[Path, typer.Argument(help="SoundFont (.sf2, .sf3).")],
    output: Output,
    notes: Annotated[int, typer.Option(min=1, help="Training notes.")] = 24_000,
    programs: Annotated[
        str, typer.Option(help='General MIDI programs from 1 on, e.g. "1-8,41"; "" for none.')
    ] = "1-128",
    drums: Annotated[bool, typer.Option(help="Also the drum kit, a timbre a drum.")] = True,
    held_out: Annotated[int, typer.Option(min=0, help="Notes kept apart to evaluate with.")] = 256,
    short_share: Annotated[float, typer.Option(min=0, max=1, help="Part of the notes let go at once.")] = 0.25,
    long_share: Annotated[float, typer.Option(min=0, max=1, help="Part held for 10 to 30 s.")] = 0.05,
    seed: Seed = 1,
    workers: Workers = CORES,
    sample_rate: SampleRate = 48_000,
    hop_length: HopLength = None,
    bands: Bands = 128,
    licence: Licence = "",
) -> None:
    """Random notes of a SoundFont: all velocities and lengths, with vibrato, glides and long holds."""
    with _wanting_extra():
        from cmaudio.training.prepare.notes import parse_programs
        from cmaudio.training.prepare.soundfont import SoundFontSource
    try:
        chosen = tuple(parse_programs(programs))
    except ValueError as error:
        raise CmaudioError(f'--programs {programs!r} is no list of programs from 1 to 128, such as "1-8,41"') from error
    if short_share + long_share > 1:
        raise CmaudioError(f"--short-share {short_share:g} and --long-share {long_share:g} add up to more than 1")
    source = SoundFontSource(
        file,
        programs=chosen,
        drums=drums,
        notes=notes,
        held_out=held_out,
        seed=seed,
        short_share=short_share,
        long_share=long_share,
        licence=licence,
    )
    prepare(output, source, define_signal(sample_rate, hop_length, bands), workers)


@app.command()
def folder(
    directory: Annotated[Path, typer.Argument(help="Folder with sound files, searched to its depths.")],
    output: Output,
    labels: Annotated[Labels, typer.Option(help="What names a sound's timbre.")] = Labels.folder,
    pitched: Annotated[
        Pitched, typer.Option(help="Whether sounds have a pitch; auto: where one is heard.")
    ] = Pitched.auto,
    piece_seconds: Annotated[float, typer.Option(help="Longer files are cut into pieces of at most this.")] = 10.0,
    held_out: Annotated[float, typer.Option(min=0, max=0.5, help="Share of the files kept apart.")] = 0.05,
    gain_db: Annotated[float | None, typer.Option(help="Level; by itself the loudest sounds come to -12 dB.")] = None,
    seed: Seed = 1,
    workers: Workers = CORES,
    sample_rate: SampleRate = 48_000,
    hop_length: HopLength = None,
    bands: Bands = 128,
    licence: Licence = "not stated",
) -> None:
    """A folder of recordings: one-shots, loops, textures, instruments."""
    with _wanting_extra():
        from cmaudio.training.prepare.folder import FolderSource
    source = FolderSource(
        directory,
        labels=labels.value,
        pitched=pitched.value,
        piece_seconds=piece_seconds,
        held_out=held_out,
        seed=seed,
        gain_db=gain_db,
        licence=licence,
    )
    prepare(output, source, define_signal(sample_rate, hop_length, bands), workers)


@app.command()
def speech(
    layout: Annotated[SpeechLayout, typer.Argument(help="How the corpus lies on disk.")],
    directory: Annotated[Path, typer.Argument(help="Folder of the corpus.")],
    output: Output,
    held_out_share: Annotated[float, typer.Option(min=0, max=0.5, help="Share of the utterances kept apart.")] = 0.02,
    max_seconds: Annotated[float, typer.Option(help="Longer utterances are left out.")] = 60.0,
    language: Annotated[
        str | None, typer.Option(help="Of the texts, e.g. en-us: the corpus is then for voices that read.")
    ] = None,
    speeds: Annotated[
        str, typer.Option(help='At which training utterances are read as well, e.g. "0.9,1.1", each as a speaker.')
    ] = "",
    workers: Workers = CORES,
    sample_rate: SampleRate = 24_000,
    hop_length: HopLength = None,
    bands: Bands = 128,
    licence: Licence = "not stated",
) -> None:
    """A corpus of read speech through Lhotse's recipes: a timbre a speaker, with pitch and voicing."""
    with _wanting_extra():
        from cmaudio.training.prepare.speech import SpeechSource
    try:
        chosen = tuple(map(float, filter(None, speeds.split(","))))
    except ValueError as error:
        raise CmaudioError(f'--speeds {speeds!r} is no list of numbers, such as "0.9,1.1"') from error
    source = SpeechSource(
        directory,
        layout.value,
        held_out_share=held_out_share,
        max_seconds=max_seconds,
        licence=licence,
        language=language,
        speeds=chosen,
    )
    prepare(output, source, define_signal(sample_rate, hop_length, bands), workers)
    if language:
        _warn_of_lag(output)


def _warn_of_lag(corpus: Path) -> None:
    """Where the corpus brings times of phonemes that do not fit its sound: one shard tells."""
    from cmaudio.training.corpus.corpus import read_clips
    from cmaudio.training.corpus.description import read_description
    from cmaudio.training.corpus.label_lag import lag_of

    description = read_description(corpus)
    lag = lag_of(read_clips(corpus, description, "train", [0], with_audio=False))
    if lag is not None and lag.is_wrong:
        seconds = lag.frames / description.signal.frame_rate
        errors.print(
            f"warning: the times in phonemes.jsonl come {abs(seconds):.3f} s too {'late' if seconds > 0 else 'early'}: "
            f"as they are they explain {lag.explained:.0%} of the spectrum, moved by that much "
            f"{lag.explained_when_moved:.0%}. A voice trained on them will be indistinct; mend them, or remove the "
            "file and let the run's aligner find them.",
            highlight=False,
        )


def define_signal(sample_rate: int, hop_length: int | None, bands: int) -> SignalDefinition:
    """Raises CmaudioError for values outside their ranges."""
    from pydantic import ValidationError

    from cmaudio.training.corpus.description import SignalDefinition

    hop = hop_length or 2 * round(sample_rate / FRAME_RATE / 2)
    f_max_hz = min(24_000.0, sample_rate / 2)
    try:
        return SignalDefinition(sample_rate=sample_rate, hop_length=hop, bands=bands, f_max_hz=f_max_hz)
    except ValidationError as error:
        first = error.errors()[0]
        raise CmaudioError(f"{'.'.join(map(str, first['loc'])) or 'signal'}: {first['msg']}") from error


def prepare(output: Path, source: Source[Any], definition: SignalDefinition, workers: int) -> None:
    """Write the corpus with a progress bar, its picture, and a table on the terminal."""
    with _wanting_extra():
        from cmaudio.training.prepare.summary import draw_summary, print_summary
        from cmaudio.training.prepare.writer import write_corpus

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        rate, left = TextColumn("{task.fields[rate]:.1f} clips/s, left"), TimeRemainingColumn()
        with Progress(*columns, rate, left, console=errors, transient=True) as bar:
            task = bar.add_task(source.name, total=None, rate=0.0)

            def show(progress: Any) -> None:
                elapsed = bar.tasks[0].elapsed or 0
                rate = progress.clips / elapsed if elapsed else 0.0
                bar.update(task, total=progress.of_items, completed=progress.items, rate=rate)

            description, outcomes = write_corpus(output, source, definition, workers=workers, on_progress=show)
        draw_summary(output, description, outcomes)
    print_summary(description, outcomes, console)
    console.print(f"{output}: corpus.json, report.json, summary.png", highlight=False)


class _wanting_extra:
    """Turns a missing package of the training half into what to install."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ModuleNotFoundError):
            raise CmaudioError(f"{error.name} is missing, which this needs: pip install 'cmaudio[train]'") from error
