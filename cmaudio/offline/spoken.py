"""The result of speaking a text: its sound, and the start of each word and phoneme."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from cmaudio.engine.utterance import Mark
from cmaudio.signal.html import sound_html
from cmaudio.signal.sound import Sound

_SHOWN_WORDS = 400
_SHOWN_UNSPOKEN = 20


@dataclass(frozen=True)
class Spoken:
    """A spoken text: its sound and its marks. A notebook shows and plays it.

    Attributes:
        audio: samples (N,), in stereo (N, 2), within [-1, 1].
        sample_rate: in Hz.
        marks: start times of words and phonemes, in order.
        unspoken: parts of the text that could not be spoken.
    """

    audio: Sound
    sample_rate: int
    marks: list[Mark]
    unspoken: list[str]

    def _repr_html_(self) -> str:
        words = [mark for mark in self.marks if mark.kind == "word"]
        said = " ".join(f'<span title="{m.seconds:.2f} s">{escape(m.text)}</span>' for m in words[:_SHOWN_WORDS])
        more = f" and {len(words) - _SHOWN_WORDS} more words" if len(words) > _SHOWN_WORDS else ""
        parts = [sound_html(self.audio, self.sample_rate), f"<p>{said}{more}</p>"]
        if self.unspoken:
            parts.append(f"<p>not spoken: {escape('; '.join(self.unspoken[:_SHOWN_UNSPOKEN]))}</p>")
        return f"<div>{''.join(parts)}</div>"
