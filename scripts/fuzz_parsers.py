"""The parsers that `scripts/fuzz.py` tests: for each, valid inputs, tokens to insert, and a function that parses."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cmaudio.engine.engine import Engine
from cmaudio.instrument.preset_files import load_preset, preset_files
from cmaudio.midi.stream import MidiStream
from cmaudio.model.file import Model, load_model
from cmaudio.model.graph_check import _fields, check_graph
from cmaudio.model.manifest import parse_manifest
from cmaudio.model.saving import save_model
from cmaudio.osc.packets import decode, encode, messages
from cmaudio.panel.commands import parse_command
from cmaudio.score.midi_file import parse_midi
from cmaudio.score.midi_writer import encode_score
from cmaudio.score.pieces import builtin_piece
from cmaudio.speech.language import language
from cmaudio.speech.phonemes import parse_phonemes
from cmaudio.speech.pronunciations import Pronunciations, read_dictionary
from cmaudio.speech.ssml import parse_ssml
from cmaudio.training.config.files import read_config
from cmaudio.training.prepare.ljspeech import ljspeech_lines

_GRAPH, _NODE = 7, 1  # field numbers of onnx.proto3
_NAME = Path("fuzzed")
_ONE_NOTE = b"MThd\0\0\0\6\0\0\0\1\1\xe0MTrk\0\0\0\x0c\0\x90\x3c\x40\x60\x80\x3c\0\0\xff\x2f\0"

# One text of many kinds of writing, and short ones, which take less time a case.
_ENGLISH = (
    "On 5 May 1990 Dr. Smith paid $3.50 (50%) at www.a.com - twice! [a](/ə/) e.g. 1/2.",
    "Call 555-0173 at 5:30 a.m. on Dec. 25.",
    "-5 °C, 5'11\", 2 1/2 cups",
    "NASA's MP3s; 1080p, H₂O",
    "£5 million–€20k, 1,482,905",
    "Louis XIV (1638–1715), 5 + 3 = 8",
)
_RUSSIAN = (
    "В 2024 году 5% из 2 книг за 100 руб. — А. С. Пушкин, ФСБ и за\u0301мок.",
    "5-го мая в 10:30, 1-й этаж.",
    "— Пётр I? — Да, XX век!",
    "20 °C, 10² км/ч, т. е. 1/2",
    "Google и USB: +7 (495) 123-45-67",
)


@dataclass(frozen=True)
class Parser:
    """What is fuzzed: valid inputs, pieces to put into them, and what reads the result."""

    seeds: Callable[[], list[bytes]]
    read: Callable[[bytes], object]
    tokens: tuple[bytes, ...] = ()


@cache
def _voice(name: str) -> Model:
    return load_model(name)


@cache
def _scratch() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="cmaudio-fuzz-")
    _kept.append(folder)
    return Path(folder.name)


_kept: list[tempfile.TemporaryDirectory[str]] = []


def _file(name: str, data: bytes) -> Path:
    path = _scratch() / name
    path.write_bytes(data)
    return path


def _manifests() -> list[bytes]:
    with zipfile.ZipFile(_voice("english").path) as archive:
        return [archive.read("manifest.json")]


def _graphs() -> list[bytes]:
    model = _voice("english")
    with zipfile.ZipFile(model.path) as archive:
        return [_shortened(archive.read(f"{graph}.onnx")) for graph in ("controls", "prosody")]


def _shortened(model: bytes) -> bytes:
    """An ONNX model with the first nodes of its graph and its small tensors."""
    parts, nodes = b"", 0
    for number, value in _fields(memoryview(model)):
        if number != _GRAPH or isinstance(value, int):
            continue
        graph = b""
        for field, part in _fields(value):
            nodes += field == _NODE
            if not isinstance(part, int) and len(part) < 300 and nodes < 40:
                graph += _field(field, bytes(part))
        parts += _field(number, graph)
    return parts


def _field(number: int, content: bytes) -> bytes:
    return bytes(_varint(number << 3 | 2)) + bytes(_varint(len(content))) + content


def _varint(value: int) -> list[int]:
    """Protobuf's varint, low bits first."""
    return [value] if value < 128 else [value & 127 | 128, *_varint(value >> 7)]


def _containers() -> list[bytes]:
    path, manifest = _scratch() / "seed.cmaudio", _voice("english").manifest
    save_model(path, manifest, dict.fromkeys(manifest.graphs, b"graph"), "card")
    return [path.read_bytes()]


def _songs() -> list[bytes]:
    return [
        encode_score(builtin_piece())[:3000],
        _ONE_NOTE,
    ]


def _packets() -> list[bytes]:
    plain = [encode("/cmaudio/note", 60, 90.0), encode("/cmaudio/set", "gain", -3.0), encode("/cmaudio/panic")]
    bundle = b"#bundle\0" + bytes(7) + b"\1" + b"".join(len(each).to_bytes(4, "big") + each for each in plain)
    return [*plain, bundle]


def _commands() -> list[bytes]:
    texts = (
        {"kind": "set", "name": "gain", "value": 1.0},
        {"kind": "press", "pitch": 60, "velocity": 90},
        {"kind": "save_preset", "name": "Mine", "description": ""},
        {"kind": "say", "text": "Hello"},
        {"kind": "panic"},
    )
    return [json.dumps(text).encode() for text in texts]


def _configurations() -> list[bytes]:
    return [path.read_bytes() for path in sorted((Path(__file__).parent.parent / "configs").glob("*.yaml"))[:3]]


def _read_osc(data: bytes) -> None:
    for _, message in messages(data):
        decode(message)


def _read_text(code: str, data: bytes) -> None:
    symbols = _symbols("english" if code == "en-us" else "russian")
    own = Pronunciations(symbols, {"a": "a"} if code == "ru-ru" else {"a": "ə"})
    for _ in language(code).phrases([data.decode("utf-8", "replace")], own):
        pass


@cache
def _symbols(name: str) -> tuple[str, ...]:
    speech = _voice(name).manifest.speech
    assert speech
    return tuple(speech.symbols)


def _read_ssml(data: bytes) -> None:
    document = parse_ssml(data.decode("utf-8", "replace"))
    for _ in document.apply(language("en-us").phrases([document.text], Pronunciations(_symbols("english")))):
        pass


def _read_dictionary(data: bytes) -> None:
    Pronunciations(_symbols("english"), read_dictionary(_file("words.txt", data)))


def _read_corpus(data: bytes) -> None:
    _file("metadata.csv", data)
    for _ in ljspeech_lines(_scratch()):
        pass


@cache
def _engine() -> Engine:
    return Engine("instrument")


def _steer(data: bytes) -> None:
    try:
        name, *values = json.loads(data)
    except (ValueError, TypeError):
        return
    engine = _engine()
    calls: dict[object, Callable[..., object]] = {
        "note": engine.note_on,
        "bend": engine.bend,
        "express": engine.express,
        "gain": engine.channel_gain,
        "master": engine.master_gain,
        "wheel": engine.pitch_wheel,
    }
    if isinstance(name, str) and name in calls and 1 <= len(values) <= 2:
        calls[name](*values)


PARSERS = {
    "manifest": Parser(_manifests, lambda data: parse_manifest(_NAME, data), (b"null", b"1e999", b"[]", b'"', b"-1")),
    "graph": Parser(_graphs, lambda data: check_graph(_NAME, "controls", data), (b"\xff" * 9, b"\x80" * 9)),
    "container": Parser(_containers, lambda data: load_model(_file("a.cmaudio", data))),
    "midi": Parser(_songs, lambda data: parse_midi(data, "a.mid"), (b"MTrk", b"\xff\x51\3", b"\xf0", b"\0")),
    "stream": Parser(_songs, lambda data: MidiStream().feed(data), (b"\xf0", b"\xf7", b"\xf8", b"\xb0")),
    "osc": Parser(_packets, _read_osc, (b"#bundle\0", b",ifsdhTFN", b"\xff" * 4)),
    "preset": Parser(
        lambda: [path.read_bytes() for path in preset_files().values()],
        lambda data: load_preset(_file("a.json", data)),
        (b"null", b"1e999", b"[]", b"{}", b"NaN"),
    ),
    "panel": Parser(_commands, parse_command, (b"null", b"1e999", b"[]", b"NaN", b'"kind":"panic"')),
    "corpus": Parser(lambda: [b"a1|One.|One.\na2|Two 2.|Two two.\n"], _read_corpus, (b"|", b"\n", b"..", b"/", b"\0")),
    "configuration": Parser(
        _configurations, lambda data: read_config(_file("a.yaml", data)), (b"&a ", b"*a", b"!!", b"- ", b": ", b"{")
    ),
    "english": Parser(
        lambda: [text.encode() for text in _ENGLISH],
        lambda data: _read_text("en-us", data),
        (b"<", b"&", b"1", b"-", b"[a](/", b"$", "½".encode(), b"http://", b"I", b"."),
    ),
    "russian": Parser(
        lambda: [text.encode() for text in _RUSSIAN],
        lambda data: _read_text("ru-ru", data),
        (b"<", b"1", b"-", "\u0301".encode(), "№".encode(), "ё".encode(), b"."),
    ),
    "ssml": Parser(
        lambda: [b"<speak>a <break time='1s'/><prosody rate='fast'>b</prosody> <sub alias='c'>d</sub></speak>"],
        _read_ssml,
        (b"<p>", b"</p>", b"<mark name='a'/>", b"&amp;", b"<!DOCTYPE", b"<say-as interpret-as='ordinal'>1</say-as>"),
    ),
    "dictionary": Parser(lambda: ["a\tə\nnginx\tˈɛn # b\n".encode()], _read_dictionary, (b"\t", b"\n", b"#")),
    "phonemes": Parser(
        lambda: ["həlˈoʊ, wˈɚld!".encode()],
        lambda data: list(parse_phonemes(data.decode("utf-8", "replace"), _symbols("english"))),
        ("ˈ".encode(), b",", b" ", "ə".encode()),
    ),
    "steering": Parser(
        lambda: [b'["note", 60, 90]', b'["bend", 1.5, 0]', b'["express", "vibrato", 0.5]', b'["gain", 0.5, 1]',
                 b'["master", -3]', b'["wheel", 0.5, 2]'],
        _steer,
        (b"null", b"1e999", b"NaN", b"[]", b"{}", b'"a"', b"-1", b"true"),
    ),
}  # fmt: skip
