"""Checks an ONNX graph before the runtime loads it: only operators that the exporter writes, and no hidden code.

Parses only the parts of the protobuf encoding (protobuf.dev/programming-guides/encoding) that this needs, so that the
live half does not depend on `onnx`. Field numbers are those of onnx.proto3 (ONNX 1.17).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from cmaudio.errors import CmaudioError

# Operators that the exporter writes, quantised or not. No control flow, random numbers, strings or sequences.
OPERATORS = frozenset(
    "Add Cast Clip Concat Constant ConstantOfShape Conv Cos DequantizeLinear Div Equal Exp Expand Gather Gelu Gemm "
    "Greater Identity LayerNormalization Log MatMul Max Min Mul Neg Pow QuantizeLinear Range Reciprocal ReduceMean "
    "ReduceSum Reshape Shape Sigmoid Sin Slice Softplus Split Sqrt Squeeze Sub Tanh Transpose Unsqueeze Where".split()
)
_MAX_NODES = 20_000
_MAX_DIMENSION = 2**24
_ITEM_BYTES = {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 16: 2}  # by data type

_Field = tuple[int, "int | memoryview"]


def check_graph(path: Path, name: str, content: bytes) -> None:
    """Refuse a graph that the exporter cannot have written.

    Args:
        path: of the model file, for the message.
        name: of the graph.
        content: the serialised ModelProto.
    Raises:
        CmaudioError: names the graph and the fault.
    """
    try:
        _model(memoryview(content))
    except _RefusedError as error:
        raise CmaudioError(f"{path}: graph {name!r} {error}; export the model again with cmaudio") from None
    except (ValueError, IndexError, RecursionError):
        raise CmaudioError(f"{path}: graph {name!r} is damaged; get or export the model again") from None


class _RefusedError(Exception):
    pass


def _model(message: memoryview) -> None:
    graphs = 0
    for number, value in _fields(message):
        if number == 25:
            raise _RefusedError("defines functions of its own")
        if number == 7:
            graphs += 1
            _graph(_bytes(value))
    if graphs != 1:
        raise _RefusedError(f"holds {graphs} graphs instead of one")


def _graph(message: memoryview) -> None:
    nodes = 0
    for number, value in _fields(message):
        if number == 1:
            nodes += 1
            if nodes > _MAX_NODES:
                raise _RefusedError(f"has more than {_MAX_NODES} nodes")
            _node(_bytes(value))
        elif number == 5:
            _tensor(_bytes(value))
        elif number == 15:
            raise _RefusedError("holds sparse tensors")


def _node(message: memoryview) -> None:
    operator = domain = ""
    for number, value in _fields(message):
        if number == 4:
            operator = bytes(_bytes(value)).decode("utf-8", "replace")
        elif number == 7:
            domain = bytes(_bytes(value)).decode("utf-8", "replace")
        elif number == 5:
            _attribute(_bytes(value))
    if operator not in OPERATORS or domain not in ("", "ai.onnx"):
        full = f"{domain}.{operator}" if domain else operator
        raise _RefusedError(f"uses the operator {full[:60]!r}, which no model of cmaudio needs")


def _attribute(message: memoryview) -> None:
    for number, value in _fields(message):
        if number in (6, 11):
            raise _RefusedError("holds a graph inside a graph")
        if number in (5, 10):
            _tensor(_bytes(value))
        elif number in (22, 23):
            raise _RefusedError("holds sparse tensors")


def _tensor(message: memoryview) -> None:
    dimensions: list[int] = []
    data_type, raw = 0, None
    for number, value in _fields(message):
        if number == 1:
            dimensions += [value] if isinstance(value, int) else list(_varints(value))
        elif number == 2 and isinstance(value, int):
            data_type = value
        elif number == 9:
            raw = len(_bytes(value))
        elif number == 13 or (number == 14 and value):
            raise _RefusedError("keeps tensors in other files")
    if any(not 0 <= size <= _MAX_DIMENSION for size in dimensions):
        raise _RefusedError(f"holds a tensor of shape {dimensions[:8]}")
    if data_type not in _ITEM_BYTES:
        raise _RefusedError(f"holds a tensor of data type {data_type}")
    if raw is not None and raw != math.prod(dimensions) * _ITEM_BYTES[data_type]:
        raise _RefusedError(f"holds a tensor of shape {dimensions[:8]} in {raw} bytes")


def _fields(message: memoryview) -> Iterator[_Field]:
    """(field number, value) of a message; a value is an integer, or the bytes of a length-delimited field."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield number, value
        elif wire == 2:
            length, at = _varint(message, at)
            if length > len(message) - at:
                raise ValueError
            yield number, message[at : at + length]
            at += length
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
            if at > len(message):
                raise ValueError
        else:
            raise ValueError


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError


def _varints(message: memoryview) -> Iterator[int]:
    at = 0
    while at < len(message):
        value, at = _varint(message, at)
        yield value


def _bytes(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError
    return value
