"""`cmaudio prepare speech`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cmaudio.cli.cluster import Cluster
from cmaudio.cli.extras import requires_extra
from cmaudio.cli.prepare import corpus
from cmaudio.cli.terminal import errors
from cmaudio.errors import CmaudioError
from cmaudio.files.place import Place, as_place

if TYPE_CHECKING:
    from cmaudio.training.prepare.pace import Misfit


def speech(
    layout: Annotated[
        str,
        typer.Argument(
            help="File layout of the corpus: ljspeech, vctk, libritts, cmu_arctic, or one of another package "
            "(entry point or module:name)."
        ),
    ],
    directory: Annotated[Path, typer.Argument(help="Folder of the corpus.")],
    output: corpus.Output,
    held_out_share: Annotated[
        float, typer.Option(min=0, max=0.5, help="Share of utterances held out for evaluation.")
    ] = 0.02,
    max_seconds: Annotated[float, typer.Option(help="Longer utterances are skipped.")] = 60.0,
    language: Annotated[
        str | None,
        typer.Option(help="Language of the texts, such as en-us; needed for text-to-speech voices."),
    ] = None,
    speeds: Annotated[
        str,
        typer.Option(help='Also add the training utterances at these speeds, each as a speaker, such as "0.9,1.1".'),
    ] = "",
    workers: corpus.Workers = corpus.CORES,
    cluster: Cluster = False,
    sample_rate: corpus.SampleRate = 24_000,
    hop_length: corpus.HopLength = None,
    bands: corpus.Bands = 128,
    licence: corpus.Licence = "not stated",
) -> None:
    """A corpus of read speech: one timbre per speaker, with pitch and voicing."""
    with requires_extra("train"):
        from cmaudio.training.prepare.speech import SpeechSource
    try:
        chosen = tuple(map(float, filter(None, speeds.split(","))))
    except ValueError as error:
        raise CmaudioError(f'--speeds must be a list of numbers, such as "0.9,1.1", not {speeds!r}') from error
    source = SpeechSource(
        directory,
        layout,
        held_out_share=held_out_share,
        max_seconds=max_seconds,
        licence=licence,
        language=language,
        speeds=chosen,
    )
    _warn_of_misfits(source.misfits)
    corpus.write_with_progress(output, source, corpus.define_signal(sample_rate, hop_length, bands), workers, cluster)
    if language:
        _warn_of_lag(as_place(output))


def _warn_of_misfits(misfits: Sequence[Misfit]) -> None:
    """Warn of texts whose length does not match their audio, and list the worst."""
    if not misfits:
        return
    from cmaudio.training.prepare.pace import SHOWN

    worst = [f"\n  {misfit}" for misfit in misfits[:SHOWN]]
    errors.print(
        Text.assemble(
            ("warning: ", "yellow"),
            f"the text of {len(misfits)} utterances does not match the length of their audio: truncated clips, or "
            "texts of other clips. They are used nevertheless; correct them or remove their lines. The worst:",
            *worst,
        )
    )


def _warn_of_lag(place: Place) -> None:
    """Warn if the phoneme times of the corpus do not match its audio, judged by one shard."""
    from cmaudio.training.corpus.description import read_description
    from cmaudio.training.corpus.label_lag import lag_of
    from cmaudio.training.corpus.reading import read_clips

    description = read_description(place)
    lag = lag_of(read_clips(place, description, "train", [0], with_audio=False))
    if lag is not None and lag.is_wrong:
        seconds = lag.frames / description.signal.frame_rate
        errors.print(
            Text.assemble(
                ("warning: ", "yellow"),
                f"the times in phonemes.jsonl are {abs(seconds):.3f} s too {'late' if seconds > 0 else 'early'}: "
                f"as given they explain {lag.explained:.0%} of the spectrum, and {lag.explained_when_moved:.0%} if "
                "shifted by that much. A voice trained on them will be indistinct; correct them, or delete "
                "the file so that training aligns the phonemes itself.",
            )
        )
