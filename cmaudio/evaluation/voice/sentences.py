"""Held-out sentences of a corpus: text and recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cmaudio.errors import CmaudioError
from cmaudio.evaluation.corpus.clips import HeldOut
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float

if TYPE_CHECKING:
    from cmaudio.training.corpus.alignment import Spoken

_PEAK = 0.7  # -3 dB


@dataclass(frozen=True)
class Sentence:
    """A text and its recording.

    Attributes:
        name: of the clip.
        text: what is said.
        clip: the recording, from its first frame on, as the networks hear it.
        phonemes: symbol, begin and end in seconds of each; empty where the corpus has no times.
    """

    name: str
    text: str
    clip: HeldOut
    phonemes: tuple[tuple[str, float, float], ...] = ()


def held_out_sentences(corpus: Path, voice: Model, limit: int) -> list[Sentence]:
    """At most `limit` held-out clips, spread over the split.

    Raises:
        CmaudioError: the packages of the training half are missing, or the corpus has no held-out clips with text.
    """
    try:
        from lhotse import CutSet

        from cmaudio.training.corpus.description import read_description
        from cmaudio.training.corpus.reading import read_clips
    except ModuleNotFoundError as error:
        raise CmaudioError(
            f"{error.name} is missing, which reading a corpus needs: pip install 'cmaudio[train]'"
        ) from error
    description = read_description(corpus)
    if not description.symbols or not description.splits["held_out"].clips:
        raise CmaudioError(f"{corpus} has no held-out clips with text; prepare it with --language and --held-out")
    clips = read_clips(corpus, description, "held_out", None, with_audio=True)
    cuts = (corpus / "held_out").glob("cuts.*.jsonl.gz")
    texts = {cut.id: cut.supervisions[0].text for path in cuts for cut in CutSet.from_file(path)}
    mean, std = (np.array(x, np.float32) for x in (voice.manifest.mel.mean, voice.manifest.mel.std))
    k, sentences = voice.manifest.block_frames, []
    for i in np.unique(np.linspace(0, len(clips.names) - 1, min(limit, len(clips.names))).astype(int)).tolist():
        first, frames = int(clips.first[i]), int(clips.frames[i]) // k * k
        rows = slice(first, first + frames)
        clip = HeldOut(
            name=clips.names[i],
            timbre=description.timbres[int(clips.timbre[i])].name,
            mel=(clips.log_mel[rows].float().numpy() - mean) / std,
            controls=clips.controls[rows].float().numpy(),
            f0=clips.f0[rows].numpy(),
            audio=clips.audio[rows].numpy().reshape(-1).astype(np.float32) * np.float32(description.gain / 32768),
        )
        timed = _timed(clips.spoken[i], description.symbols, description.signal.frame_rate)
        sentences.append(Sentence(clip.name, texts[clip.name], clip, timed))
    return sentences


def _timed(spoken: Spoken | None, symbols: Sequence[str], frame_rate: float) -> tuple[tuple[str, float, float], ...]:
    if spoken is None:
        return ()
    ends = (spoken.ends / frame_rate).tolist()
    names = [symbols[symbol] for symbol in spoken.ids[:, 0].tolist()]
    return tuple(zip(names, [0.0, *ends[:-1]], ends, strict=True))


def at_peak(audio: Float) -> Float:
    """Scaled to a peak of -3 dB."""
    return (audio / max(1e-9, float(np.abs(audio).max(initial=0))) * _PEAK).astype(np.float32)
