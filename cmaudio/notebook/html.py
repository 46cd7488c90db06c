"""What a notebook shows: sounds with player and spectrogram, texts with their words, an instrument with its controls.

Plain HTML with everything inside it: no IPython is needed, and a saved notebook still plays.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from cmaudio.instrument.playable import RemotelyPlayable
from cmaudio.signal.dsp import Float
from cmaudio.signal.spectrogram import spectrogram_png

if TYPE_CHECKING:
    from cmaudio.offline.speak import Spoken

SHOWN_SECONDS = 60.0  # about 8 MB in the notebook
_MOST_WORDS = 400


def sound_html(samples: Float, sample_rate: int) -> str:
    """A player and a mel spectrogram of (N,) samples, of their first minute at most."""
    shown = np.asarray(samples[: round(SHOWN_SECONDS * sample_rate)])
    seconds = len(samples) / sample_rate
    caption = f"{seconds:.2f} s, {sample_rate} Hz"
    if len(shown) < len(samples):
        caption += f"; the first {SHOWN_SECONDS:g} s are shown"
    picture = _data_uri("image/png", spectrogram_png(shown, sample_rate))
    return (
        f'<div><audio controls preload="metadata" src="{_data_uri("audio/wav", _wav(shown, sample_rate))}"></audio>'
        f'<br><img alt="mel spectrogram" src="{picture}" style="width:100%;max-width:800px;height:160px">'
        f"<br><small>{caption}</small></div>"
    )


def spoken_html(spoken: Spoken) -> str:
    """The sound of a text, its words with their times, and what was not said."""
    words = [mark for mark in spoken.marks if mark.kind == "word"]
    said = " ".join(f'<span title="{m.seconds:.2f} s">{escape(m.text)}</span>' for m in words[:_MOST_WORDS])
    more = f" and {len(words) - _MOST_WORDS} words more" if len(words) > _MOST_WORDS else ""
    parts = [sound_html(spoken.audio, spoken.sample_rate), f"<p>{said}{more}</p>"]
    if spoken.unspoken:
        parts.append(f"<p>not said: {escape('; '.join(spoken.unspoken[:20]))}</p>")
    return f"<div>{''.join(parts)}</div>"


def synth_html(synth: RemotelyPlayable) -> str:
    """The model, its timbre, seed and controls as they are now, and how it goes."""
    controls, state = synth.controls, synth.state()
    mix = controls.timbre
    timbre = "a vector" if mix is None else ", ".join(f"{name} {weight:.0%}" for name, weight in mix.items())
    facts = [
        ("timbre", timbre),
        ("seed", "each note its own" if controls.seed is None else str(controls.seed)),
        ("level", f"{state.engine.peak_db:.1f} dB"),
        ("voices", f"{state.engine.voices} of {state.engine.limit}"),
        ("sound card", f"{state.player.status}, {state.player.device_name}"),
    ]
    rows = [
        (c.name, f"{controls[c.name]:g}", c.unit, f"{c.min:g} to {c.max:g}", c.description)
        for c in controls.definitions.values()
    ]
    return f"<div><b>{escape(synth.model.manifest.name)}</b>{_table(facts)}{_table(rows)}</div>"


def _table(rows: Iterable[Iterable[str]]) -> str:
    lines = ("".join(f'<td style="text-align:left">{escape(cell)}</td>' for cell in row) for row in rows)
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _wav(samples: Float, sample_rate: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.clip(samples, -1, 1), sample_rate, "PCM_16", format="WAV")
    return file.getvalue()


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
