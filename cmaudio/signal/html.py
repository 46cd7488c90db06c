"""A sound as HTML for notebooks: a player and a spectrogram, with embedded data, so that a saved page still plays."""

from __future__ import annotations

import base64
import io

import numpy as np
import soundfile

from cmaudio.signal.dsp import Float
from cmaudio.signal.spectrogram import spectrogram_png

SHOWN_SECONDS = 60.0  # about 8 MB in the notebook


def sound_html(samples: Float, sample_rate: int) -> str:
    """An audio player and a mel spectrogram of samples (N,) or (N, 2), at most the first minute."""
    first = np.asarray(samples[: round(SHOWN_SECONDS * sample_rate)])
    shown = np.clip(np.nan_to_num(first), -1, 1)
    seconds = len(samples) / sample_rate
    caption = f"{seconds:.2f} s, {sample_rate} Hz"
    if len(shown) < len(samples):
        caption += f"; the first {SHOWN_SECONDS:g} s are shown"
    if not np.isfinite(first).all():
        caption += "; samples that are not finite are shown as silence or full scale"
    picture = _data_uri("image/png", spectrogram_png(shown if shown.ndim == 1 else shown.mean(1), sample_rate))
    return (
        f'<div><audio controls preload="metadata" src="{_data_uri("audio/wav", _wav(shown, sample_rate))}"></audio>'
        f'<br><img alt="mel spectrogram" src="{picture}" style="width:100%;max-width:800px;height:160px">'
        f"<br><small>{caption}</small></div>"
    )


def _wav(samples: Float, sample_rate: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, sample_rate, "PCM_16", format="WAV")
    return file.getvalue()


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
