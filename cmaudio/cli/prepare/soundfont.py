"""`cmaudio prepare soundfont`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cmaudio.cli.cluster import Cluster
from cmaudio.cli.extras import requires_extra
from cmaudio.cli.prepare import corpus
from cmaudio.errors import CmaudioError
from cmaudio.soundfont.open import Player


def soundfont(
    file: Annotated[Path, typer.Argument(help="SoundFont (.sf2 or .sf3).")],
    output: corpus.Output,
    notes: Annotated[int, typer.Option(min=0, help="Number of random training notes.")] = 24_000,
    programs: Annotated[
        str, typer.Option(help='General MIDI programs, numbered from 1, such as "1-8,41"; "" for none.')
    ] = "1-128",
    drums: Annotated[bool, typer.Option(help="Include the drum kit, one timbre per drum.")] = True,
    held_out: Annotated[int, typer.Option(min=0, help="Number of notes held out for evaluation.")] = 256,
    short_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of notes that are released immediately.")
    ] = 0.25,
    long_share: Annotated[float, typer.Option(min=0, max=1, help="Share of notes held for 10 to 30 s.")] = 0.05,
    ring_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of struck or plucked notes held for 3 to 12 s.")
    ] = 0.05,
    every_key: Annotated[
        bool, typer.Option("--every-key", help="Also each key at three velocities, for `export --correction`.")
    ] = False,
    seed: corpus.Seed = 1,
    workers: corpus.Workers = corpus.CORES,
    cluster: Cluster = False,
    sample_rate: corpus.SampleRate = 48_000,
    hop_length: corpus.HopLength = None,
    bands: corpus.Bands = 128,
    licence: corpus.Licence = "",
    player: Annotated[
        Player,
        typer.Option(help="FluidSynth follows velocity as the SoundFont says (apt install libfluidsynth3)."),
    ] = "tinysoundfont",
) -> None:
    """Notes of a SoundFont, at random over all velocities and lengths, with vibrato, glides and long notes."""
    with requires_extra("train"):
        from cmaudio.training.prepare.notes import parse_programs
        from cmaudio.training.prepare.soundfont import SoundFontSource
    try:
        chosen = tuple(parse_programs(programs))
    except ValueError as error:
        raise CmaudioError(
            f'--programs must be a list of programs from 1 to 128, such as "1-8,41", not {programs!r}'
        ) from error
    if short_share + long_share + ring_share > 1:
        raise CmaudioError(
            f"--short-share {short_share:g}, --long-share {long_share:g} and --ring-share {ring_share:g} "
            "add up to more than 1"
        )
    if not notes and not every_key:
        raise CmaudioError("--notes 0 leaves nothing to record: give at least 1, or --every-key")
    source = SoundFontSource(
        file,
        programs=chosen,
        drums=drums,
        notes=notes,
        held_out=held_out,
        seed=seed,
        short_share=short_share,
        long_share=long_share,
        ring_share=ring_share,
        licence=licence,
        player=player,
        every_key=every_key,
    )
    corpus.write_with_progress(output, source, corpus.define_signal(sample_rate, hop_length, bands), workers, cluster)
