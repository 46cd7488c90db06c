"""What the package promises from outside: what it loads, what the README shows, what has a name."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

import cmaudio
from cmaudio.engine.engine import Engine
from cmaudio.instrument.recorder import Recorder
from cmaudio.model.file import Model
from cmaudio.output.player import Player
from cmaudio.output.ring import RingCounters
from cmaudio.output.state import PlayerState
from cmaudio.score.midi_file import write_midi
from cmaudio.score.pieces import builtin_piece
from cmaudio.synth import Synth
from cmaudio.synth import open as open_instrument

README = Path(__file__).parent.parent / "README.md"
HEAVY = ("torch", "sounddevice", "numba", "matplotlib", "onnx", "music21")


@pytest.mark.parametrize(
    "code",
    [
        "import cmaudio",
        "import cmaudio; e = cmaudio.Engine(); e.note_on(60); assert e.read(4800).any()",
        "import cmaudio; from cmaudio.score.events import Score, NoteOn, NoteOff\n"
        "s = Score('', [(0.0, NoteOn(0, 60, 90, 0)), (0.1, NoteOff(0, 60))], 0.1, [0])\n"
        "assert cmaudio.render(s, 'out.wav', tail=0.1).any()",
        "import cmaudio.cli.main",
    ],
    ids=["import", "engine", "render", "command line"],
)
def test_loads_neither_torch_nor_a_device(code: str, tmp_path: Path) -> None:
    code += f"\nimport json, sys; print(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout.splitlines()[-1]) == []


class SilentPlayer:
    """Stands in for the sound card."""

    def wake(self) -> None: ...
    def raise_if_failed(self) -> None: ...
    def close(self) -> None: ...

    def state(self) -> PlayerState:
        return PlayerState("playing", "", 48_000, 0.0, 0.0, RingCounters(), (), None)


class SilentSynth(Synth):
    """Reads the engine instead of waiting for a sound card."""

    def wait(self, seconds: float) -> None:
        self.recorder.read(round(min(seconds, 2) * self.engine.sample_rate))


def test_readme_code_runs(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Synth] = []

    def open_silently(chosen: Model | None = None, **settings: Any) -> Synth:
        known = inspect.signature(open_instrument).parameters
        assert set(settings) <= set(known), settings
        for name in ("device", "lead_ms", "on_notice"):
            settings.pop(name, None)
        recorder = Recorder(Engine(chosen or model, **settings))
        opened.append(SilentSynth(recorder.engine, recorder, cast("Player", SilentPlayer())))
        return opened[-1]

    monkeypatch.setattr(cmaudio, "open", open_silently)
    monkeypatch.chdir(tmp_path)
    piece = builtin_piece()
    write_midi("song.mid", replace(piece, events=[pair for pair in piece.events if pair[0] < 3]))
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    assert blocks, "the README shows no Python"
    shared: dict[str, Any] = {}
    for index, block in enumerate(blocks):
        exec(compile(block, f"README.md, Python block {index + 1}", "exec"), shared)
    assert opened


@pytest.mark.parametrize("name", cmaudio.__all__)
def test_public_names_say_what_they_are(name: str) -> None:
    thing = getattr(cmaudio, name)
    assert thing.__doc__
    assert not thing.__doc__.startswith(f"{name}(")  # what a dataclass writes by itself
    if inspect.isclass(thing):
        for member, value in vars(thing).items():
            if not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
                assert value.__doc__, f"{name}.{member}"
