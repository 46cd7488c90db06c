"""The model file: what is written is read again, and whatever else a file may hold is refused with a remedy."""

from __future__ import annotations

import ast
import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import TinyModel, make_tiny_model

import cmaudio
from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model, embedded_models, load_model
from cmaudio.model.manifest import GRAPHS
from cmaudio.model.saving import save_model
from cmaudio.synthesis.filter_kernel import load_kernels
from cmaudio.synthesis.networks import Synthesizer

MEMBERS = ("manifest.json", "card.md", *(f"{graph}.onnx" for graph in GRAPHS))
Members = dict[str, bytes]


@pytest.fixture
def file(tiny: TinyModel, tmp_path: Path) -> Path:
    return Path(shutil.copy(tiny.model.path, tmp_path / "copy.cmaudio"))


def graphs_of(model: Model) -> dict[str, bytes]:
    return {name: model.graph(name) for name in GRAPHS}


def rewrite(path: Path, change: Callable[[Members], object]) -> None:
    """Write a valid zip again with other members."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def edit_manifest(path: Path, change: Callable[[Any], object]) -> None:
    def edit(members: Members) -> None:
        fields = json.loads(members["manifest.json"])
        change(fields)
        members["manifest.json"] = json.dumps(fields).encode()

    rewrite(path, edit)


def refuses(path: Path, *words: str) -> None:
    """The file is refused with a message that names it, contains these words, and says what to do."""
    with pytest.raises(CmaudioError) as caught:
        load_model(path)
    text = str(caught.value)
    for word in (str(path), *words):
        assert word in text
    assert any(remedy in text for remedy in ("export", "get", "give", "update", "not a cmaudio model", "not a model"))


# -- round trip ------------------------------------------------------------------------------------------------------


def test_save_and_load_round_trip(tiny: TinyModel, tmp_path: Path) -> None:
    loaded, path = tiny.model, tmp_path / "again.cmaudio"
    save_model(path, loaded.manifest, graphs_of(loaded), loaded.card)
    again = load_model(path)
    assert again.manifest == loaded.manifest
    assert graphs_of(again) == graphs_of(again) == graphs_of(loaded)  # asked for once or twice
    assert again.card == loaded.card == "A random model."
    assert path.read_bytes() == loaded.path.read_bytes()  # no dates, no order by chance
    assert [entry.name for entry in tmp_path.iterdir()] == ["again.cmaudio"]


def test_embedded_model_is_whole_and_small(model: Model) -> None:
    assert embedded_models()["instrument"] == model.path
    assert model.path.stat().st_size <= 36 * 2**20
    assert model.manifest.sample_rate == 48_000
    assert len(model.timbres) == len(model.manifest.timbres) == 175
    assert (len(model.programs), len(model.drums)) == (128, 47)  # all of General MIDI
    assert all(model.timbres[name].program == program for program, name in model.programs.items())
    assert "licen" in model.card.lower()


# -- damage ----------------------------------------------------------------------------------------------------------


def test_embedded_textures_are_unpitched_and_name_their_authors() -> None:
    textures = load_model("textures")
    assert textures.path.stat().st_size <= 25 * 2**20
    assert len(textures.timbres) == 90
    assert not any(timbre.pitched for timbre in textures.manifest.timbres)
    assert {"rain", "wind", "fire", "thunder", "door close", "hard step"} <= set(textures.timbres)
    assert all(author in textures.card for author in ("Mike Koenig", "OpenClonk team", "James Swift"))


def test_missing_file_names_the_embedded_models(tmp_path: Path) -> None:
    refuses(tmp_path / "none.cmaudio", "no model", "instrument")
    refuses(tmp_path, "no model")


@pytest.mark.parametrize("content", [b"", b"RIFF....WAVE", b"PK\x03\x04 but no more"])
def test_not_a_zip(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "song.cmaudio"
    path.write_bytes(content)
    refuses(path, "damaged")


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9, 0.999])
def test_truncated(file: Path, share: float) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    refuses(file, "damaged")


@pytest.mark.parametrize("member", MEMBERS)
def test_flipped_byte_on_the_disk(file: Path, member: str) -> None:
    with zipfile.ZipFile(file) as archive:
        info = archive.getinfo(member)
    content = bytearray(file.read_bytes())
    content[info.header_offset + 30 + len(member) + info.compress_size // 2] ^= 0x55
    file.write_bytes(content)
    refuses(file, "damaged")


@pytest.mark.parametrize("member", [name for name in MEMBERS if name != "manifest.json"])
def test_exchanged_content_in_a_whole_zip(file: Path, member: str) -> None:
    rewrite(file, lambda members: members.update({member: members[member][:-1] + b"!"}))
    refuses(file, member, "checksum")


@pytest.mark.parametrize("member", MEMBERS)
def test_missing_member(file: Path, member: str) -> None:
    rewrite(file, lambda members: members.pop(member))
    refuses(file, member, "missing")


def test_member_that_claims_to_be_huge(file: Path) -> None:
    content = bytearray(file.read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = (2**30).to_bytes(4, "little")
    file.write_bytes(content)
    refuses(file, "manifest.json", "8 MiB")


def test_random_damage_is_refused_or_harmless(file: Path, tiny: TinyModel) -> None:
    whole, rng = file.read_bytes(), np.random.default_rng(0)
    with zipfile.ZipFile(file) as archive:
        directory = archive.start_dir
    for trial in range(300):
        content = bytearray(whole)
        content[int(rng.integers(directory if trial % 2 else 0, len(whole)))] = int(rng.integers(256))
        file.write_bytes(content)
        try:
            found = graphs_of(load_model(file))
        except CmaudioError as error:
            told = str(error)
        else:
            assert found == graphs_of(tiny.model)
            told = str(file)
        assert str(file) in told


# -- manifest --------------------------------------------------------------------------------------------------------


def set_nan(fields: Any) -> None:
    fields["timbres"][1]["vector"][0] = float("nan")


MANIFESTS: dict[str, tuple[Callable[[Any], object], str]] = {
    "version": (lambda fields: fields.update(format_version=2), "format version 2"),
    "no version": (lambda fields: fields.pop("format_version"), "format_version"),
    "unknown key": (lambda fields: fields.update(colour="red"), "colour"),
    "unknown nested key": (lambda fields: fields["mel"].update(colour="red"), "mel.colour"),
    "missing key": (lambda fields: fields.pop("licence"), "licence"),
    "NaN in a vector": (set_nan, "timbres.1.vector.0"),
    "infinite mean": (lambda fields: fields["mel"]["mean"].__setitem__(0, float("inf")), "mel.mean.0"),
    "zero std": (lambda fields: fields["mel"]["std"].__setitem__(0, 0.0), "mel.std.0"),
    "short vector": (lambda fields: fields["timbres"][0]["vector"].pop(), "'first' has 4 of 5"),
    "short mean": (lambda fields: fields["mel"]["mean"].pop(), "15 values for 16 bands"),
    "hop": (lambda fields: fields.update(hop_length=128), "hop_length 128"),
    "default": (lambda fields: fields.update(default_timbre="tuba"), "tuba"),
    "no timbres": (lambda fields: fields.update(timbres=[]), "timbres"),
    "text": (lambda fields: fields.update(block_frames="many"), "block_frames"),
    "features": (lambda fields: fields.update(features="note-9"), "features"),
}


@pytest.mark.parametrize("kind", MANIFESTS)
def test_wrong_manifest(file: Path, kind: str) -> None:
    change, words = MANIFESTS[kind]
    edit_manifest(file, change)
    refuses(file, words)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b"null", b"{" * 50, b"[" * 100_000])
def test_a_manifest_that_is_not_one_is_refused(file: Path, content: bytes) -> None:
    rewrite(file, lambda members: members.update({"manifest.json": content}))
    refuses(file)


# -- graphs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("graph", "sizes"),
    [
        ("controls", {"timbre_dims": 6}),
        ("head", {"block_frames": 2}),
        ("head", {"bands": 24}),
        ("context", {"bands": 24}),
        ("vocoder", {"bands": 24}),
        pytest.param("controls", {"conditioning": 36}),
        pytest.param("context", {"block_frames": 2}),
        pytest.param("vocoder", {"block_frames": 2}),
        pytest.param("head", {"width": 40}),
    ],
)
def test_graph_of_another_model(tiny: TinyModel, tmp_path: Path, graph: str, sizes: dict[str, Any]) -> None:
    other = make_tiny_model(tmp_path, **sizes).model
    path = tmp_path / "mixed.cmaudio"
    save_model(path, tiny.model.manifest, {**graphs_of(tiny.model), graph: other.graph(graph)}, "")
    mixed = load_model(path)
    with pytest.raises(CmaudioError, match=r"mixed\.cmaudio.*export the model again"):
        Synthesizer(mixed)


@pytest.mark.parametrize("content", [b"", b"no graph"])
def test_a_graph_that_is_not_one_is_refused(tiny: TinyModel, tmp_path: Path, content: bytes) -> None:
    save_model(tmp_path / "bad.cmaudio", tiny.model.manifest, {**graphs_of(tiny.model), "head": content}, "")
    with pytest.raises(CmaudioError, match=r"'head'.*export the model again"):
        Synthesizer(load_model(tmp_path / "bad.cmaudio"))


def test_loading_never_unpickles(tiny: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("unpickled")

    load_kernels()  # from numba's cache, which is pickled
    for owner, name in ((pickle, "load"), (pickle, "loads"), (pickle, "Unpickler"), (np, "load")):
        monkeypatch.setattr(owner, name, refuse)
    engine = Engine(load_model(tiny.model.path), channels=1)
    engine.note_on(60)
    assert engine.read(4800).any()
    package = Path(cmaudio.__file__).parent
    for source in package.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            assert not {"pickle", "marshal", "shelve", "joblib"} & {*names, getattr(node, "module", "")}, source
