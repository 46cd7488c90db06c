"""Model files that are damaged or made to do harm: one clear error each, before much memory or time is spent."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import TinyModel

from cmaudio.errors import CmaudioError
from cmaudio.model.file import embedded_models, load_model
from cmaudio.model.graph_check import OPERATORS, check_graph
from cmaudio.model.manifest import GRAPHS
from cmaudio.model.motion import MOST_FRAMES, Motion, MotionTake, coded
from cmaudio.model.saving import save_model
from cmaudio.synthesis.networks import Synthesizer

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper

Change = Callable[[Any], object]


def changed_manifest(tiny: TinyModel, tmp_path: Path, change: Change) -> Path:
    path = tmp_path / "changed.cmaudio"
    with zipfile.ZipFile(tiny.model.path) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "manifest.json":
                fields = json.loads(content)
                change(fields)
                content = json.dumps(fields).encode()
            target.writestr(name, content)
    return path


def one_long_course_among_short_ones(manifest: Any) -> None:
    """4096 frames in the file, two million when all are as long as the longest."""
    bands = len(manifest["mel"]["mean"])
    ends = [*range(2, 2048, 2), MOST_FRAMES]
    take = MotionTake(point=[0.0], offset_db=[0.0] * bands, ends=ends)
    course = coded(np.zeros((MOST_FRAMES, 1)))
    motion = Motion(takes=[take], directions_db=[[0.0] * bands], course=course, kept=[1.0] * bands)
    manifest["timbres"][0].update(sustained=False, motion=motion.model_dump())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (one_long_course_among_short_ones, "at most 4096 are allowed"),
        (lambda m: m["mel"].update(floor=0.0), "mel.floor"),
        (lambda m: m["mel"]["std"].__setitem__(0, 1e300), "mel.std"),
        (lambda m: m["mel"]["mean"].__setitem__(0, float("nan")), "mel.mean"),
        (lambda m: m["mel"].update(f_min_hz=9_000.0), "f_min_hz 9000.0 must be below"),
        (lambda m: m["mel"].update(f_max_hz=90_000.0), "above half of the sample rate"),
        (lambda m: m["sigma"].update(max=1e300), "sigma.max"),
        (lambda m: m["timbres"][0]["vector"].__setitem__(0, float("inf")), "timbres.0.vector"),
        (lambda m: m["timbres"].append(m["timbres"][0] | {"name": "FIRST"}), "the same name"),
        (lambda m: m.update(timbres=m["timbres"] * 2000), "at most 4096"),
        (lambda m: m.update(name=""), "name"),
        (lambda m: m.update(hop_length=2**20), "hop_length"),
    ],
)
def test_values_out_of_range_are_refused(tiny: TinyModel, tmp_path: Path, change: Change, message: str) -> None:
    with pytest.raises(CmaudioError, match=message):
        load_model(changed_manifest(tiny, tmp_path, change))


def test_a_timbre_is_found_in_any_case(tiny: TinyModel, tmp_path: Path) -> None:
    def rename(manifest: Any) -> None:
        manifest["timbres"][1]["name"] = "Grand PIANO"

    model = load_model(changed_manifest(tiny, tmp_path, rename))
    vector = model.manifest.timbres[1].vector
    for name in ("Grand PIANO", "grand piano", " GRAND PIANO "):
        assert model.timbre_vector(name).tolist() == vector


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"manifest.json": b"[" * (9 * 2**20)}, "manifest.json is larger than 8 MiB"),
        ({"manifest.json": b"[" * 10_000}, "manifest cannot be read"),
        ({f"{i}": b"" for i in range(70)}, "70 members, more than 64"),
        ({f"{i}": bytes(150 * 2**20) for i in range(4)}, "larger than 512 MiB in total"),
    ],
    ids=["large manifest", "deep manifest", "many members", "large in all"],
)
def test_budgets_hold_before_anything_is_read(tmp_path: Path, members: dict[str, bytes], message: str) -> None:
    path = tmp_path / "large.cmaudio"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in ("manifest.json", "card.md", *(f"{graph}.onnx" for graph in GRAPHS)):
            if name not in members and len(members) == 1:
                archive.writestr(name, b"")
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(CmaudioError, match=message):
        load_model(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression_is_named(tiny: TinyModel, tmp_path: Path, method: int) -> None:
    path = tmp_path / "packed.cmaudio"
    with zipfile.ZipFile(tiny.model.path) as source, zipfile.ZipFile(path, "w", method) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    with pytest.raises(CmaudioError, match=f"compressed by method {method}"):
        load_model(path)


def graph(*nodes: Any, initializers: tuple[Any, ...] = (), functions: tuple[Any, ...] = ()) -> bytes:
    made = helper.make_graph(
        list(nodes),
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
        list(initializers),
    )
    model = helper.make_model(made, functions=list(functions))
    return bytes(model.SerializeToString())


def loop() -> bytes:
    body = helper.make_graph([], "body", [], [])
    return graph(helper.make_node("Identity", ["x"], ["y"], body=body))


def external() -> bytes:
    tensor = numpy_helper.from_array(np.zeros(4, np.float32), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return graph(helper.make_node("Add", ["x", "w"], ["y"]), initializers=(tensor,))


def lying() -> bytes:
    tensor = numpy_helper.from_array(np.zeros(4, np.float32), "w")
    tensor.dims[0] = 2**20
    return graph(helper.make_node("Add", ["x", "w"], ["y"]), initializers=(tensor,))


def function() -> bytes:
    made = helper.make_function("own", "F", ["a"], ["b"], [helper.make_node("Identity", ["a"], ["b"])], [])
    return graph(helper.make_node("Identity", ["x"], ["y"]), functions=(made,))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (graph(helper.make_node("Loop", ["x"], ["y"])), "operator 'Loop'"),
        (graph(helper.make_node("If", ["x"], ["y"])), "operator 'If'"),
        (graph(helper.make_node("RandomNormal", [], ["y"], shape=[1])), "operator 'RandomNormal'"),
        (graph(helper.make_node("Add", ["x", "x"], ["y"], domain="evil.domain")), "operator 'evil.domain.Add'"),
        (loop(), "a graph inside a graph"),
        (external(), "keeps tensors in other files"),
        (lying(), "shape .1048576. in 16 bytes"),
        (function(), "defines functions"),
        (b"\xff" * 40, "damaged"),
        (b"\x3a\x05abc", "damaged"),
        (b"", "0 graphs"),
    ],
    ids=["loop", "if", "random", "domain", "subgraph", "external", "lying", "function", "noise", "short", "empty"],
)
def test_graphs_of_others_are_refused(content: bytes, message: str) -> None:
    with pytest.raises(CmaudioError, match=message):
        check_graph(Path("bad.cmaudio"), "head", content)


@pytest.mark.parametrize("name", list(embedded_models()))
def test_embedded_models_pass(name: str) -> None:
    model = load_model(name)
    for each in model.manifest.graphs:
        check_graph(model.path, each, model.graph(each))


def test_only_operators_that_are_exported_are_allowed(tiny: TinyModel) -> None:
    assert {"Loop", "If", "Scan", "SequenceMap", "RandomNormal", "Resize"}.isdisjoint(OPERATORS)
    for each in tiny.model.manifest.graphs:
        check_graph(tiny.model.path, each, tiny.model.graph(each))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "cache")
    return tmp_path / "cache"


def copied(tiny: TinyModel, tmp_path: Path, head: Callable[[Any], object]) -> Path:
    """The tiny model with another head, as another process would have written it."""
    graphs = {name: tiny.model.graph(name) for name in tiny.model.manifest.graphs}
    changed = onnx.load_model_from_string(graphs["head"])
    head(changed.graph)
    graphs["head"] = changed.SerializeToString()
    path = tmp_path / "other.cmaudio"
    save_model(path, tiny.model.manifest, graphs, "card")
    return path


def others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cmaudio.synthesis.trial.is_own", lambda model: False)


def scale(factor: float) -> Callable[[Any], object]:
    def change(made: Any) -> None:
        last = next(node for node in made.node if "denoised" in node.output)
        last.output[list(last.output).index("denoised")] = "before"
        made.initializer.append(numpy_helper.from_array(np.array(factor, np.float32), "factor"))
        made.node.append(helper.make_node("Mul", ["before", "factor"], ["denoised"]))

    return change


def huge(made: Any) -> None:
    side = 60_000  # 14 GB
    for name, shape in (("column", (side, 1)), ("row", (1, side))):
        made.initializer.append(numpy_helper.from_array(np.zeros(shape, np.float32), name))
    last = next(node for node in made.node if "denoised" in node.output)
    last.output[list(last.output).index("denoised")] = "before"
    made.node.append(helper.make_node("MatMul", ["column", "row"], ["folded"]))
    made.node.append(helper.make_node("ReduceSum", ["folded"], ["sum"], keepdims=0))
    made.node.append(helper.make_node("Add", ["before", "sum"], ["denoised"]))


def doubled(made: Any) -> None:
    last = next(node for node in made.node if "denoised" in node.output)
    last.output[list(last.output).index("denoised")] = "before"
    made.node.append(helper.make_node("Concat", ["before", "before"], ["denoised"], axis=0))


def tiled(made: Any) -> None:
    made.node.append(helper.make_node("Tile", ["noisy", "noisy"], ["unused"]))


def test_a_model_that_works_is_tried_once(
    tiny: TinyModel, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others(monkeypatch)
    model = load_model(shutil.copy(tiny.model.path, tmp_path / "copy.cmaudio"))
    Synthesizer(model)
    assert len(list((cache / "tried").iterdir())) == 1
    monkeypatch.setattr("subprocess.run", lambda *a, **k: pytest.fail("tried again"))
    Synthesizer(model)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (scale(float("nan")), "no sound"),
        (scale(1e30), "no sound"),
        (huge, "graph 'head' .* cannot be computed"),
        (doubled, r"graph 'head': denoised is \(\d, .* for \d voices"),
        (tiled, "graph 'head' uses the operator 'Tile'"),
    ],
    ids=["nan", "overflow", "memory", "twice the voices", "operator"],
)
def test_a_model_that_does_harm_is_refused_by_its_trial(
    tiny: TinyModel, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, head: Change, message: str
) -> None:
    others(monkeypatch)
    model = load_model(copied(tiny, tmp_path, head))
    with pytest.raises(CmaudioError, match=message) as caught:
        Synthesizer(model)
    assert str(caught.value).startswith(f"{model.path}: graph")
    assert str(caught.value).count(str(model.path)) == 1
    assert str(caught.value).isprintable()
    assert not (cache / "tried").exists()
