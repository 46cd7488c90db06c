"""`cmaudio evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cmaudio.cli.options import Json, ModelName
from cmaudio.cli.terminal import console, errors, to_json
from cmaudio.errors import CmaudioError
from cmaudio.model.file import DEFAULT_MODEL
from cmaudio.soundfont.open import Player

SECTIONS = (
    "Instruments: corpus, pitch, partials, modulation, onset, velocity, evenness, drift, held_out, played, residual, "
    "buzz, breath, clicks, music. "
    "Textures: likeness, naming, copies, takes, controls, beds. "
    "Voices: copy_synthesis, speed, first_sound, intonation, pauses, reading, scores."
)


def evaluate(
    model: ModelName = DEFAULT_MODEL,
    soundfont: Annotated[Path | None, typer.Option(help="SoundFont to compare with.")] = None,
    player: Annotated[
        Player | None,
        typer.Option(help="Player of the SoundFont; FluidSynth by default, TinySoundFont where it is missing."),
    ] = None,
    corpus: Annotated[Path | None, typer.Option(help="Prepared corpus: also evaluate on its held-out clips.")] = None,
    teacher: Annotated[str | None, typer.Option(help="Model file of the teacher to compare with.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Maximum number of clips of the corpus.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw spectrograms of the clips to this .png file.")] = None,
    sounds: Annotated[Path | None, typer.Option(help="Save the audio of a voice in this folder.")] = None,
    peer: Annotated[
        list[str] | None, typer.Option(help="Also evaluate hibari or piper on the same sentences; repeatable.")
    ] = None,
    whisper: Annotated[
        Path | None, typer.Option(help="Whisper model (CTranslate2 folder) for the word error rate of a voice.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help=f"Run only this section; repeatable. {SECTIONS}")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A rough measurement in about a minute.")] = False,
    as_json: Json = False,
) -> None:
    """Evaluate the sound of a model: an instrument on notes, a voice on held-out sentences."""
    from cmaudio.evaluation import print_report, run_evaluation

    result = run_evaluation(
        model,
        soundfont=soundfont,
        player=player,
        corpus=corpus,
        teacher=teacher,
        limit=limit,
        picture=picture,
        sounds=sounds,
        peers=peer or (),
        whisper=whisper,
        only=only,
        quick=quick,
        on_progress=errors.print,
    )
    lacking = {name: reason for name, figures in result["sections"].items() if (reason := figures.get("not_measured"))}
    if only and len(lacking) == len(result["sections"]):
        raise CmaudioError(f"nothing was measured: {'; '.join(f'{name}: {lacking[name]}' for name in lacking)}")
    if as_json:
        print(to_json(result))
    else:
        print_report(result, console)
