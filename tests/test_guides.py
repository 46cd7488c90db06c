"""The README and the guides: their Python runs, their commands parse, what they link to and name exists."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from typer.main import get_command

import cmaudio
from cmaudio.cli.app import app
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

ROOT = Path(__file__).parent.parent
GUIDES = sorted(path for path in ROOT.rglob("README.md") if ".venv" not in path.parts)
README_LINES = 150
WALK_STATIONS = 10
STATION = re.compile(r"^\d+\. `([\w/]+\.(?:py|js):[\w.]+)`", re.MULTILINE)
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(guide: Path) -> str:
    return str(guide.relative_to(ROOT))


def blocks(guide: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", guide.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands(guide: Path) -> list[list[str]]:
    """The words of every `cmaudio` command of a guide."""
    lines = "".join(blocks(guide, "sh")).replace("\\\n", " ").splitlines()
    found = []
    for line in lines:
        words = shlex.split(line, comments=True)
        for at, word in enumerate(words):
            if word in ("cmaudio", "cmaudio.cli") and (at == 0 or words[at - 1] in ("|", "&&", "-m")):
                end = next((i for i in range(at, len(words)) if words[i] in (">", "|", "&&")), len(words))
                found.append(words[at + 1 : end])
                break
    return found


class SilentPlayer:
    """Stands in for the sound card."""

    def wake(self) -> None: ...
    def notify(self, text: str) -> None: ...
    def raise_if_failed(self) -> None: ...
    def close(self) -> None: ...
    def heard_by(self, seconds: float) -> float:
        return 0.0

    def state(self) -> PlayerState:
        return PlayerState("playing", "", 48_000, 0.0, 0.0, RingCounters(), (), None)


class SilentSynth(Synth):
    """Reads the engine instead of waiting for a sound card."""

    def wait(self, seconds: float) -> None:
        self.recorder.read(round(min(seconds, 2) * self.engine.sample_rate))


def open_silently(chosen: Model | str = "instrument", **settings: Any) -> Synth:
    assert set(settings) <= set(inspect.signature(open_instrument).parameters), settings
    for name in ("device", "lead_ms", "on_notice"):
        settings.pop(name, None)
    recorder = Recorder(Engine(chosen, **settings))
    return SilentSynth(recorder.engine, recorder, cast("Player", SilentPlayer()))


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server of the English voice, which OpenAI's client finds whatever address it is given."""
    openai = pytest.importorskip("openai")
    from fixtures.serving import running

    from cmaudio.serve.service import ServiceSettings

    with running(ServiceSettings()) as server:
        to_it = partial(openai.OpenAI, base_url=f"{server.url}/v1", api_key="none")
        monkeypatch.setattr(openai, "OpenAI", lambda base_url, api_key: to_it())
        yield


@pytest.mark.parametrize("guide", [guide for guide in GUIDES if blocks(guide, "python")], ids=name_of)
def test_python_runs(
    guide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if guide.parent.name == "serve":
        request.getfixturevalue("served")
    monkeypatch.setattr(cmaudio, "open", open_silently)
    monkeypatch.chdir(tmp_path)
    piece = builtin_piece()
    write_midi("song.mid", replace(piece, events=[pair for pair in piece.events if pair[0] < 3]))
    shared: dict[str, Any] = {}
    for index, block in enumerate(blocks(guide, "python")):
        exec(compile(block, f"{name_of(guide)}, Python block {index + 1}", "exec"), shared)


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize("guide", [guide for guide in GUIDES if blocks(guide, "sh")], ids=name_of)
def test_shell_commands_parse(guide: Path) -> None:
    for block in blocks(guide, "sh"):
        subprocess.run(["bash", "-n"], input=block, text=True, check=True)


@pytest.mark.parametrize(
    "words", [words for guide in GUIDES for words in commands(guide)], ids=lambda words: " ".join(words)[:60]
)
def test_documented_options_exist(words: list[str]) -> None:
    command: Any = get_command(app)
    arguments = list(words)
    while hasattr(command, "commands") and arguments:
        command = command.commands[arguments.pop(0)]
    if hasattr(command, "commands"):
        assert command.invoke_without_command, "it needs one of its own commands"
        return
    assert command.make_context(words[0], arguments).params


@pytest.mark.parametrize("guide", GUIDES, ids=name_of)
def test_links_have_existing_targets(guide: Path) -> None:
    prose = re.sub(r"(`+).*?\1", "", guide.read_text(encoding="utf-8"), flags=re.DOTALL)  # code holds no links
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", prose):
        assert "://" in link or (guide.parent / link).exists(), link


@pytest.mark.parametrize("guide", GUIDES, ids=name_of)
def test_paths_of_the_project_exist(guide: Path) -> None:
    paths = re.findall(r"`((?:cmaudio|configs|scripts|tests)/[\w./-]*)`", guide.read_text(encoding="utf-8"))
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_configuration_is_in_the_training_guide() -> None:
    guide = (ROOT / "configs" / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in (ROOT / "configs").glob("*.yaml") if f"| `{path.name}` |" not in guide] == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= README_LINES


def walkthroughs() -> dict[str, list[str]]:
    """Heading of each walkthrough in the package's guide -> its steps, `file:function`."""
    text = (ROOT / "cmaudio" / "README.md").read_text(encoding="utf-8")
    sections = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    found = {
        part.splitlines()[0]: re.findall(r"^\d+\. `([\w/]+\.(?:py|js):[\w.]+)`", part, re.MULTILINE)
        for part in sections
    }
    return {name: stations for name, stations in found.items() if stations}


def test_walkthroughs_are_short_and_visit_no_function_twice() -> None:
    assert len(walkthroughs()) == 4
    assert all(2 <= len(stations) <= WALK_STATIONS for stations in walkthroughs().values())
    visited = [station for stations in walkthroughs().values() for station in stations]
    assert len(set(visited)) == len(visited)


def functions(module: ast.Module) -> set[str]:
    """Names of the functions of a module, and of the methods of its classes as `Class.method`."""
    found = {node.name for node in module.body if isinstance(node, FUNCTIONS)}
    for owner in module.body:
        if isinstance(owner, ast.ClassDef):
            found |= {f"{owner.name}.{node.name}" for node in owner.body if isinstance(node, FUNCTIONS)}
    return found


@pytest.mark.parametrize("station", [station for stations in walkthroughs().values() for station in stations])
def test_the_steps_of_the_walkthroughs_exist(station: str) -> None:
    file, _, function = station.partition(":")
    source = (ROOT / "cmaudio" / file).read_text(encoding="utf-8")
    if file.endswith(".js"):
        assert re.search(rf"\b{re.escape(function)}\s*(?:\(|=)", source), station
        return
    assert function in functions(ast.parse(source)), station
