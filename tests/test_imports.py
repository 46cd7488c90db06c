"""What importing and using the live half loads: neither the training half's libraries nor a sound card."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = tuple("torch torchaudio librosa sounddevice numba matplotlib onnx music21 lhotse nicegui fastapi".split())
COMPILED = ["numba"]  # notes whose pitch deviates have compiled loops


@pytest.mark.parametrize(
    ("code", "loaded"),
    [
        ("import cmaudio", []),
        ("import cmaudio; e = cmaudio.Engine(); e.note_on(60); assert e.read(4800).any()", COMPILED),
        (
            "import cmaudio; from cmaudio.score.events import Score, NoteOn, NoteOff\n"
            "s = Score('', [(0.0, NoteOn(0, 60, 90, 0)), (0.1, NoteOff(0, 60))], 0.1, [0])\n"
            "assert cmaudio.render(s, 'out.wav', tail=0.1).any()",
            COMPILED,
        ),
        ("import cmaudio.cli.app", []),
    ],
    ids=["import", "engine", "render", "command line"],
)
def test_loads_neither_torch_nor_a_device(code: str, loaded: list[str], tmp_path: Path) -> None:
    code += f"\nimport json, sys; print(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout.splitlines()[-1]) == loaded
