"""Embeddings of sound effects by aisfx (Ma and Lerch, ISMIR 2022), a convolutional network trained on libraries.

    pip install --no-deps aisfx

Its weights come with the package (CC-BY-4.0); its code, which asks for old versions of NumPy and librosa, is not run.
The mel spectrogram is that of the package's librosa variant: 44.1 kHz, windows of 2048 samples, 96 bands, a peak of 1.

Shapes: N samples, T frames, M mel bands, P windows, E = 512.
"""

from __future__ import annotations

from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soxr
from numpy.typing import NDArray

from cmaudio.errors import CmaudioError
from cmaudio.signal.dsp import Float

if TYPE_CHECKING:
    from torch import Tensor, nn

_RATE, _N_FFT, _HOP, _BANDS = 44_100, 2048, 1024, 96
_FRAMES, _STEP = 100, 50  # of a window: 2.3 s
_LARGEST = 9.457798957824707  # what the package divides by
_BLOCKS = 4

Array = NDArray[np.float64]


def find_weights() -> Path | None:
    """The checkpoint of the installed package, None without one."""
    spec = find_spec("aisfx")
    folders = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
    return next((path for folder in folders if (path := Path(folder) / "models/checkpoint.pth").is_file()), None)


class SoundEmbedding:
    """Embeds sounds of one sample rate.

    Raises CmaudioError where torch is missing or the checkpoint is damaged.
    """

    def __init__(self, weights: Path, sample_rate: int) -> None:
        try:
            self._network = _network(weights)
        except ModuleNotFoundError as error:
            raise CmaudioError(f"{error.name} is missing: embeddings need pip install 'cmaudio[train]'") from error
        self._rate = sample_rate

    def __call__(self, samples: Float) -> Array:
        """(N,) -> (P, E), one row per window; a sound shorter than one window is padded with silence."""
        import torch

        spectrogram = self._spectrogram(soxr.resample(samples, self._rate, _RATE, quality="HQ"))
        count = max(1, (len(spectrogram) - _FRAMES) // _STEP + 1)
        padded = np.pad(spectrogram, ((0, max(0, _FRAMES - len(spectrogram))), (0, 0)))
        windows = np.stack([padded[i * _STEP : i * _STEP + _FRAMES] for i in range(count)])
        with torch.inference_mode():
            found = self._network(torch.from_numpy(windows.astype(np.float32))[:, None])
        return found.numpy().astype(np.float64)

    def _spectrogram(self, samples: Float) -> Float:
        """(N,) -> (T, M), 0 to about 1."""
        peak = float(np.abs(samples).max()) or 1.0
        half = _N_FFT // 2
        padded = np.pad(samples / peak, (half, half + _HOP))
        frames = np.lib.stride_tricks.sliding_window_view(padded, _N_FFT)[::_HOP]
        power = np.square(np.abs(np.fft.rfft(frames * np.hanning(_N_FFT + 1)[:-1], axis=1)))
        return np.asarray(np.log10(1e4 * power @ self._bands.T + 1) / _LARGEST)

    @cached_property
    def _bands(self) -> Array:
        """(M, bins) triangles on the mel scale of HTK, each of sum 1."""
        mels = np.linspace(0, 2595 * np.log10(1 + _RATE / 2 / 700), _BANDS + 2)
        hz = 700 * (10 ** (mels / 2595) - 1)
        bins = np.linspace(0, _RATE / 2, _N_FFT // 2 + 1)
        rising, falling = (bins - hz[:-2, None]) / np.diff(hz)[:-1, None], (hz[2:, None] - bins) / np.diff(hz)[1:, None]
        triangles = np.maximum(0, np.minimum(rising, falling))
        return triangles / np.maximum(triangles.sum(1, keepdims=True), 1e-9)


def _network(weights: Path) -> nn.Module:
    """Four blocks of two convolutions each, the mean over bands, and the largest value over time."""
    import torch
    from torch import nn

    class Embedding(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            widths = (1, 64, 128, 256, 512)
            for i in range(1, _BLOCKS + 1):
                block = nn.Module()
                for j, inputs in ((1, widths[i - 1]), (2, widths[i])):
                    block.add_module(f"conv{j}", nn.Conv2d(inputs, widths[i], 3, padding=1, bias=False))
                    block.add_module(f"bn{j}", nn.BatchNorm2d(widths[i]))
                self.add_module(f"conv_block{i}", block)

        def forward(self, x: Tensor) -> Tensor:
            for i in range(1, _BLOCKS + 1):
                block = dict(self.get_submodule(f"conv_block{i}").named_children())
                for j in (1, 2):
                    x = torch.relu(block[f"bn{j}"](block[f"conv{j}"](x)))
                if i < _BLOCKS:
                    x = nn.functional.max_pool2d(x, 2)
            return x.mean(3).amax(2)

    network = Embedding()
    network.load_state_dict(_tensors(weights))
    return network.eval()


def _tensors(path: Path) -> dict[str, Tensor]:
    """The weights of the embedding. Besides tensors, the checkpoint holds NumPy numbers; nothing else is allowed."""
    import torch

    scalar = np.float64(0).__reduce__()[0]  # NumPy's function that makes a number, under the name it had before 2.0
    allowed: list[Any] = [(scalar, "numpy.core.multiarray.scalar"), np.dtype, type(np.dtype(np.int64))]
    prefix = "embedding_net."
    try:
        with torch.serialization.safe_globals(allowed):
            found, _ = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, ValueError, OSError) as error:
        raise CmaudioError(f"{path} is damaged ({error}): pip install --no-deps --force-reinstall aisfx") from error
    return {name.removeprefix(prefix): tensor for name, tensor in found.items() if name.startswith(prefix)}
