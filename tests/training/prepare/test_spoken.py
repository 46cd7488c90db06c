"""Phonemes that a corpus brings."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
for package in ("lhotse", "lightning_fabric", "tensorboard", "onnx"):
    pytest.importorskip(package)

from cmaudio.errors import CmaudioError
from cmaudio.training.prepare.speech import SpeechSource
from cmaudio.training.prepare.spoken import read_given


@pytest.mark.parametrize(
    "row",
    [
        "not json",
        '{"id": "u"}',
        '{"id": "u", "phonemes": ["s"], "ends": [1]}',
        '{"id": "u", "phonemes": ["", "s"], "ends": [1]}',
        '{"id": "u", "phonemes": ["", "s"], "ends": [1, 0.5]}',
        '{"id": "u", "phonemes": ["", "s"], "ends": ["a", "b"]}',
        '{"id": "u", "phonemes": ["", "s"], "ends": [1, NaN]}',
        '{"id": "u", "phonemes": ["", "s"], "ends": [1, Infinity]}',
        '{"phonemes": ["", "s"]}',
        "[1]",
        "1",
        "[" * 50_000,
    ],
)
def test_a_malformed_phoneme_line_is_named(tmp_path: Path, row: str) -> None:
    (tmp_path / "phonemes.jsonl").write_text('{"id": "a", "phonemes": [""]}\n' + row + "\n", encoding="utf-8")
    with pytest.raises(CmaudioError, match=r"phonemes\.jsonl, line 2: .*correct the line"):
        read_given(tmp_path)


def test_a_language_without_data_fails_before_preparing_anything(tmp_path: Path) -> None:
    with pytest.raises(CmaudioError, match="pip install gruut-lang-de"):
        SpeechSource(tmp_path, "ljspeech", language="de-de")
