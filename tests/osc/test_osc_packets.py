"""OSC datagrams and arguments, valid and invalid, generated from the table of addresses."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
import pytest
from fixtures.osc import Client, definitions_of
from hypothesis import given, settings
from hypothesis import strategies as st
from pythonosc.osc_message_builder import build_msg

from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.osc.address import Address, Argument
from cmaudio.osc.addresses import incoming
from cmaudio.osc.packets import decode, encode, messages


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"x",
        b"#bundle\0",
        b"#bundle\0" + bytes(8) + struct.pack(">i", -4) + b"/abc",
        b"#bundle\0" + bytes(8) + struct.pack(">i", 0) * 100,
        b"#bundle\0" + bytes(8) + struct.pack(">i", 2**31 - 1),
        b"/cmaudio/note\0\0\0,ii\0\0\0",
        b"/cmaudio/say\0\0\0\0,s\0\0\xff\xfe\0\0",
        b"/\xff\0\0",
        b"/cmaudio/control/gain",
        b"/cmaudio/seed\0\0\0,[[[[\0\0\0",
    ],
)
def test_invalid_datagrams_are_answered_with_an_error(client: Client, datagram: bytes) -> None:
    client.raw(datagram)
    assert client.read()[0] == "/cmaudio/error"
    client.settle()


def test_nesting_of_bundles_is_limited() -> None:
    datagram = encode("/cmaudio/panic")
    for _ in range(3000):
        datagram = b"#bundle\0" + bytes(8) + struct.pack(">i", len(datagram)) + datagram
    with pytest.raises(CmaudioError, match="nested more than 8 deep"):
        messages(datagram)


atoms = st.one_of(st.floats(), st.integers(-(2**63), 2**63 - 1), st.text(max_size=20), st.booleans(), st.none())


paths = st.sampled_from(["/cmaudio/note", "/cmaudio/timbre", "/cmaudio/control/gain", "/cmaudio/seed", "/cmaudio/keep"])


@settings(deadline=None, max_examples=300)
@given(
    st.one_of(
        st.binary(max_size=120),
        st.builds(lambda data: b"#bundle\0" + data, st.binary(max_size=80)),
        st.builds(lambda data: b"/cmaudio/note\0\0\0," + data, st.binary(max_size=40)),
    )
)
def test_any_datagram_is_parsed_or_refused(datagram: bytes) -> None:
    try:
        found = messages(datagram)
        for _, message in found:
            decode(message)
    except CmaudioError:
        return


@settings(deadline=None, max_examples=200)
@given(paths, st.lists(atoms, max_size=4))
def test_any_arguments_are_read_or_refused(model: Model, path: str, values: list[Any]) -> None:
    table = incoming(definitions_of(model), False)
    try:
        given = table[path].read(values)
    except CmaudioError:
        return
    assert all(g is None or isinstance(g, str | bool) or math.isfinite(g) for g in given)


@given(st.floats(-100, 100, width=32))
def test_numbers_survive_encoding(value: float) -> None:
    path, values = decode(encode("/a", value, 3, True, "ä", 2**40))
    assert (path, values[1:]) == ("/a", [3, 1, "ä", 2**40])
    assert np.float32(Argument("a", "number", -100, 100).read(values[0])) == np.float32(value)


def values_of(argument: Argument) -> st.SearchStrategy[Any]:
    """Values that the argument allows, as a client would send them."""
    if argument.kind == "text":
        return st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=60)
    if argument.kind == "switch":
        return st.sampled_from([0, 1, 0.0, 1.0, True, False])
    if argument.kind == "whole":
        whole = st.integers(int(argument.min), int(argument.max))
        return whole if argument.max > 2**20 else whole | whole.map(float)
    return st.floats(argument.min, argument.max).map(lambda value: float(np.float32(value)))


@st.composite
def valid_messages(draw: st.DrawFn, table: dict[str, Address]) -> tuple[str, list[Any]]:
    """A path and its arguments: optional ones left out from the end, repeated ones repeated."""
    path = draw(st.sampled_from(sorted(table)))
    arguments = table[path].arguments
    if table[path].repeats:
        return path, [draw(values_of(argument)) for _ in range(draw(st.integers(1, 4))) for argument in arguments]
    optional = sum(argument.optional for argument in arguments)
    left_out = draw(st.integers(0, optional))
    return path, [draw(values_of(argument)) for argument in arguments[: len(arguments) - left_out]]


@settings(deadline=None, max_examples=500)
@given(st.data(), st.booleans())
def test_every_valid_message_is_accepted(model: Model, data: st.DataObject, speaks: bool) -> None:
    table = incoming(definitions_of(model), speaks)
    path, values = data.draw(valid_messages(table))
    ((due, message),) = messages(build_msg(path, values).dgram)
    assert due is None
    found, received = decode(message)
    assert found == path
    read = table[path].read(received)
    assert read[: len(values)] == [
        pytest.approx(value, rel=1e-6) if isinstance(value, float) else value for value in values
    ]
    assert all(value is None for value in read[len(values) :])
