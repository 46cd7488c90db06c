"""Plugins: the guide's examples train, play and are read; mistakes in them are named."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
for package in ("lhotse", "lightning_fabric", "onnx"):
    pytest.importorskip(package)
from fixtures.speech_corpora import write_tone
from fixtures.toy_run import config
from torch import nn

from cmaudio import Engine
from cmaudio.errors import CmaudioError
from cmaudio.model.manifest import NoiseLevels
from cmaudio.training.corpus.description import read_description
from cmaudio.training.export.graphs import check_exportable
from cmaudio.training.export.packing import pack_run
from cmaudio.training.networks.consistency import ConsistencyNetwork
from cmaudio.training.objectives.build import make_objective
from cmaudio.training.plugins import load_plugin
from cmaudio.training.prepare.speech import SpeechSource
from cmaudio.training.run.build_networks import make_consistency_network
from cmaudio.training.run.train import train

GUIDE = Path(__file__).parents[2] / "configs" / "README.md"
SIGMA = NoiseLevels(min=0.002, max=80, data=1, fine=1, context=0.1)
NETWORK = "network.kind=own_parts:ForgetfulNetwork"
OBJECTIVE = "teacher.objective={objective: own_parts:HuberDenoising, delta: 1.0}"
TOML = '[project.entry-points."cmaudio.objectives"]\nhuber = "own_parts:HuberDenoising"\n'


@pytest.fixture
def own_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The examples of the guide as the module `own_parts`."""
    text = (
        GUIDE.read_text(encoding="utf-8")
        .partition("## Custom objectives, networks and layouts")[2]
        .partition("\n## ")[0]
    )
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "own_parts.py").write_text(
        "\n".join(re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    )
    monkeypatch.syspath_prepend(folder)
    yield folder
    sys.modules.pop("own_parts", None)


def module(monkeypatch: pytest.MonkeyPatch, **parts: Any) -> None:
    """The module `wrong`, with these in it."""
    made = types.ModuleType("wrong")
    vars(made).update(parts)
    monkeypatch.setitem(sys.modules, "wrong", made)


def test_the_guides_network_and_objective_train_and_play(own_parts: Path, corpus: Path, tmp_path: Path) -> None:
    rest = ["network.settings.kernel=7", "vocoder_tuning=null", "joint=null", "vocoder.steps=1"]
    settings = config(tmp_path, NETWORK, OBJECTIVE, *rest)
    check_exportable(settings, corpus)
    train(settings, corpus, tmp_path / "run")
    model = pack_run(tmp_path / "run", tmp_path / "own.cmaudio")
    engine = Engine(model, channels=1)
    engine.note_on(60, 100, timbre="saw")
    whole = engine.read(4000)
    assert np.isfinite(whole).all()
    assert "objective: own_parts:HuberDenoising" in model.card
    again = make_consistency_network(settings, read_description(corpus))
    assert again.context_encoder.get_submodule("first").kernel == 7


def test_the_guides_layout_is_read(own_parts: Path, tmp_path: Path) -> None:
    for name, hz in (("ada/1", 120), ("ada/2", 140), ("ben/1", 220)):
        write_tone(tmp_path / "corpus" / f"{name}.wav", hz)
        if name != "ada/2":
            (tmp_path / "corpus" / f"{name}.txt").write_text("Said,\n aloud.")
    source = SpeechSource(tmp_path / "corpus", "own_parts:beside")
    read = {utterance.name: utterance for utterance in source.utterances}
    assert {name: (one.speaker, one.text) for name, one in read.items() if not one.trouble} == {
        "ada/1": ("ada", "Said, aloud."),
        "ben/1": ("ben", "Said, aloud."),
    }
    assert read["ada/2"].trouble == "no text beside it"
    assert source.settings["layout"] == "own_parts:beside"


def test_an_installed_part_is_named_by_its_entry_point(own_parts: Path, tmp_path: Path) -> None:
    assert TOML in GUIDE.read_text(encoding="utf-8")
    about = own_parts / "own_parts-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: own-parts\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[cmaudio.objectives]\nhuber = own_parts:HuberDenoising\n")
    settings = config(tmp_path, "teacher.objective={objective: huber, delta: 2.0}")
    assert settings.teacher is not None
    made = make_objective(settings.teacher.objective, SIGMA)
    assert (type(made).__name__, vars(made)["delta"]) == ("HuberDenoising", 2.0)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("teacher.objective={objective: hubr}", ["teacher.objective", "hubr", "edm, cd", "cmaudio.objectives"]),
        ("teacher.objective={objective: 'a b:C'}", ["no objective 'a b:C'"]),
        ("teacher.objective={objective: 7}", ["teacher.objective"]),
        ("network.kind=consistncy", ["network", "did you mean 'consistency'?", "cmaudio.networks"]),
        ("network.settings={kernel: 7}", ["settings are for a network from another package"]),
    ],
)
def test_names_that_cannot_be_parts_are_refused_when_read(tmp_path: Path, override: str, told: list[str]) -> None:
    with pytest.raises(CmaudioError) as caught:
        config(tmp_path, override)
    for part in told:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("objective", "told"),
    [
        ({"objective": "nowhere:Huber"}, "no module 'nowhere'; install its package, or set PYTHONPATH"),
        ({"objective": "own_parts:Hubr"}, "no 'Hubr'; did you mean 'HuberDenoising'?"),
        (
            {"objective": "own_parts:HuberDenoising", "width": 1},
            r"unexpected keyword argument 'width'; it takes .*delta",
        ),
        ({"objective": "own_parts:beside"}, "is a Layout, not a class"),
        ({"objective": "own_parts:ShortMemory"}, "missing a required argument: 'width'"),
        ({"objective": "own_parts:HuberDenoising", "delta": "wide"}, "loss fails on a trial batch"),
    ],
)
def test_objectives_that_cannot_be_made_are_named(
    own_parts: Path, tmp_path: Path, objective: dict[str, Any], told: str
) -> None:
    settings = config(tmp_path, f"teacher.objective={objective}")
    assert settings.teacher is not None
    with pytest.raises(CmaudioError, match=told):
        make_objective(settings.teacher.objective, SIGMA)


def objective_with(**methods: Any) -> type:
    """An objective that is right but for what is given."""

    def draw(self: Any, x_shape: tuple[int, ...], generator: Any, device: Any, progress: float) -> dict[str, Any]:
        return {"t": torch.ones(x_shape[0])}

    def loss(self: Any, f: Any, x: Any, draws: Mapping[str, Any], *, teacher: Any) -> tuple[Any, dict[str, Any]]:
        return f(x, draws["t"]).mean((1, 2)), {}

    right = {"needs_teacher": False, "differentiates_forward": False, "__init__": lambda self, sigma: None}
    return type("Objective", (), {**right, "draw": draw, "loss": loss, **methods})


@pytest.mark.parametrize(
    ("methods", "told"),
    [
        ({}, None),
        ({"needs_teacher": None}, "lacks the attribute needs_teacher"),
        ({"loss": None}, "has no method loss"),
        ({"draw": lambda self, shape: {}}, "method draw: too many positional arguments"),
        ({"loss": lambda self, f, x, draws: 0}, "method loss: .*unexpected keyword argument 'teacher'"),
        ({"draw": lambda self, shape, generator, device, progress: {"t": torch.ones(1)}}, "a row for every block"),
        ({"loss": lambda self, f, x, draws, teacher: f(x, 0).mean()}, "must return the losses and a dictionary"),
        (
            {"loss": lambda self, f, x, draws, teacher: (f(x, 0).mean(), {})},
            r"losses \(3,\), one for each block, not \(\)",
        ),
        ({"loss": lambda self, f, x, draws, teacher: (x.mean((1, 2)), {})}, "no gradient"),
        ({"loss": lambda self, f, x, draws, teacher: (f(x, 0).mean((1, 2)), {"a": 1})}, "metrics must be tensors"),
        ({"loss": lambda self, f, x, draws, teacher: 1 / 0}, "ZeroDivisionError"),
    ],
)
def test_objectives_of_another_signature_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, methods: dict[str, Any], told: str | None
) -> None:
    module(monkeypatch, Objective=objective_with(**methods))
    settings = config(tmp_path, "teacher.objective={objective: wrong:Objective}")
    assert settings.teacher is not None
    if told is None:
        make_objective(settings.teacher.objective, SIGMA)
        return
    with pytest.raises(CmaudioError, match=rf"objective wrong:Objective.*{told}"):
        make_objective(settings.teacher.objective, SIGMA)


class Peeking(ConsistencyNetwork):
    """Its context reads the frame that comes next."""

    def __init__(self, **shape: Any) -> None:
        super().__init__(**shape)
        encode = self.context_encoder.forward
        self.context_encoder.forward = lambda frames, *rest: encode(frames.roll(-1, 1), *rest)  # type: ignore[method-assign]


class Narrow(ConsistencyNetwork):
    """Its head returns too few bands."""

    def __init__(self, **shape: Any) -> None:
        super().__init__(**shape)
        self.head.out = nn.Linear(shape["width"], 2)


class Rounding(ConsistencyNetwork):
    """Its controls are rounded, for which model files have no operation."""

    def __init__(self, **shape: Any) -> None:
        super().__init__(**shape)
        encode = self.control_encoder.forward
        self.control_encoder.forward = lambda controls, timbre: encode(controls.round(), timbre)  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("network", "override", "told"),
    [
        (nn.Linear, "", "is not a class derived from .*ConsistencyNetwork"),
        (Peeking, "", "gives a different output for frames that come in two parts"),
        (Narrow, "", "head fails on a trial batch"),
        (Rounding, "", "Round.*OPERATORS"),
        (Peeking, "network.settings={width: 9}", "network.settings has width, which the section network has"),
        (Peeking, "network.settings={depth: 9}", "unexpected keyword argument 'depth'|cannot be made"),
    ],
)
def test_networks_that_do_not_fit_are_named(
    monkeypatch: pytest.MonkeyPatch, corpus: Path, tmp_path: Path, network: type, override: str, told: str
) -> None:
    module(monkeypatch, Network=network)
    settings = config(tmp_path, "network.kind=wrong:Network", *filter(None, [override]))
    with pytest.raises(CmaudioError, match=told):
        check_exportable(settings, corpus)


@pytest.mark.parametrize(
    ("layout", "told"),
    [
        (lambda folder: [], "is a function, not a .*Layout"),
        ({"lines": lambda: [], "audio": lambda folder: []}, "lines: too many positional arguments"),
        ({"lines": lambda folder: ["a"], "audio": lambda folder: []}, "lines must list Line, not str"),
        ({"lines": lambda folder: [], "audio": lambda folder: [1 / 0]}, "ZeroDivisionError"),
        (
            {"lines": lambda folder: [], "audio": lambda folder: []},
            "is not laid out like wrong:layout: expected sounds",
        ),
    ],
)
def test_layouts_that_are_none_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, layout: Any, told: str
) -> None:
    from cmaudio.training.prepare.speech_layouts import Layout

    made = Layout(expected="sounds", **layout) if isinstance(layout, dict) else layout
    module(monkeypatch, layout=made)
    with pytest.raises(CmaudioError, match=told):
        _ = SpeechSource(tmp_path, "wrong:layout").utterances


def test_a_module_that_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "failing_parts.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(CmaudioError, match=r"importing failing_parts failed \(ZeroDivisionError"):
        load_plugin("objective", "failing_parts:Huber")
