"""Columns of a live spectrogram: log-mel frames of the latest samples of each side, quantised to bytes."""

from __future__ import annotations

import base64

import numpy as np
from numpy.typing import NDArray

from cmaudio.instrument.recorder import Recorder
from cmaudio.model.file import Model

_BRIGHTEST_NEPERS = 1.0  # natural logarithm of the band energy with the brightest colour
_MAX_SECONDS = 0.5  # maximum backlog after a time without open pages


class Spectrum:
    """Follows a recorder, with the model's mel bands, so that it shows the network's output."""

    def __init__(self, model: Model, recorder: Recorder) -> None:
        self._stft, self._mel, self._recorder = model.stft, model.mel, recorder
        self._next = recorder.made_samples  # sample at which the next frame's hop starts
        self._floor = float(np.log(self._mel.floor))

    def take(self) -> NDArray[np.uint8]:
        """(T, C, M) columns since the last call, the oldest first; 0 is the floor, 255 the brightest.

        C is 2, left and right, or 1.
        """
        hop, heard = self._stft.hop_length, self._recorder.made_samples
        most = round(_MAX_SECONDS * self._recorder.sample_rate)
        self._next = max(self._next, heard - most)
        frames = (heard - self._next) // hop
        sides = self._recorder.recorded_channels
        if frames <= 0:
            return np.zeros((0, sides, self._mel.bands), np.uint8)
        start, self._next = self._next - self._stft.overlap, self._next + frames * hop
        samples = np.concatenate([*self._recorder.samples(max(0, start), self._next)])
        if not samples.any():
            return np.zeros((frames, sides, self._mel.bands), np.uint8)
        each = np.pad(samples.reshape(len(samples), sides).T, ((0, 0), (max(0, -start), 0)))
        log_mel = self._mel(self._stft.analyse(np.ascontiguousarray(each)))
        scaled = (log_mel.swapaxes(0, 1) - self._floor) / (_BRIGHTEST_NEPERS - self._floor)
        return np.round(255 * np.clip(scaled, 0, 1)).astype(np.uint8)

    def message(self) -> str:
        """The columns in base64, C times M bytes each; empty if there is nothing new."""
        return base64.b64encode(self.take().tobytes()).decode()
