"""A graph of a model file in torch, so that gradients flow through it to its inputs; its weights are fixed.

A model file holds exported graphs, quantised or not, and no trainable networks. Their operators are few
(`cmaudio.model.graph_check`), so they are computed one by one. Rounding to 8 bit is left out: activations stay as they
are, which differ by less than a step of their scale from what is played.

Shapes: as in the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor
from torch.nn import functional as F

from cmaudio.errors import CmaudioError

Attributes = Mapping[str, Any]
Operator = Callable[[list[Any], Attributes], Any]
_NAMED_ALIKE = "Add Cos Exp Greater Log MatMul Mul Neg Pow Reciprocal Sigmoid Sin Sqrt Sub Tanh Where".split()
_DTYPES = {1: torch.float32, 6: torch.int32, 7: torch.int64, 9: torch.bool}


class OnnxModule:
    """Called with the graph's inputs in their order; gives its outputs, as the ONNX runtime does."""

    def __init__(self, content: bytes) -> None:
        graph = onnx.load_from_string(content).graph
        self._constants = {one.name: _tensor(numpy_helper.to_array(one)) for one in graph.initializer}
        self._inputs = [one.name for one in graph.input if one.name not in self._constants]
        self._outputs = [one.name for one in graph.output]
        self._nodes = [
            (node.op_type, list(node.input), list(node.output), {a.name: _attribute(a) for a in node.attribute})
            for node in graph.node
        ]
        unknown = sorted({kind for kind, *_ in self._nodes} - _OPERATORS.keys())
        if unknown:
            raise CmaudioError(f"this model's graphs have operators that are not tuned through: {', '.join(unknown)}")
        self._fold()

    def _fold(self) -> None:
        """Compute what depends on constants alone once: weights that are stored in 8 bit above all."""
        rest = []
        for kind, inputs, outputs, attributes in self._nodes:
            if all(not name or name in self._constants for name in inputs):
                self._constants[outputs[0]] = _run(kind, [self._constants.get(name) for name in inputs], attributes)
            else:
                rest.append((kind, inputs, outputs, attributes))
        self._nodes = rest

    def __call__(self, *inputs: Tensor) -> list[Tensor]:
        known: dict[str, Any] = {**self._constants, **dict(zip(self._inputs, inputs, strict=True))}
        for kind, names, outputs, attributes in self._nodes:
            known[outputs[0]] = _run(kind, [known[name] if name else None for name in names], attributes)
        return [known[name] for name in self._outputs]


def _run(kind: str, inputs: list[Any], attributes: Attributes) -> Any:
    return _OPERATORS[kind](inputs, attributes)


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(array))


def _attribute(attribute: onnx.AttributeProto) -> Any:
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, onnx.TensorProto):
        return _tensor(numpy_helper.to_array(value))
    return value.decode() if isinstance(value, bytes) else value


def _slice(inputs: list[Any], attributes: Attributes) -> Tensor:
    data, starts, ends, *rest = inputs
    axes = rest[0].tolist() if rest and rest[0] is not None else list(range(len(starts)))
    steps = rest[1].tolist() if len(rest) > 1 and rest[1] is not None else [1] * len(starts)
    place: list[Any] = [slice(None)] * data.dim()
    for axis, start, end, step in zip(axes, starts.tolist(), ends.tolist(), steps, strict=True):
        if step < 1:
            raise CmaudioError("this model's graphs have slices that run backwards, which are not tuned through")
        size = data.shape[axis]
        first, last = (max(0, min(size, i + size if i < 0 else i)) for i in (start, end))
        place[axis] = slice(first, last, step)
    return data[tuple(place)]


def _gather(inputs: list[Any], attributes: Attributes) -> Tensor:
    data, index = inputs
    axis = attributes.get("axis", 0)
    found = torch.index_select(data, axis, index.reshape(-1) % data.shape[axis])
    return found.reshape((*data.shape[:axis], *index.shape, *data.shape[axis + 1 :]))


def _reduce(reduce: Callable[..., Tensor]) -> Operator:
    def run(inputs: list[Any], attributes: Attributes) -> Tensor:
        axes = inputs[1].tolist() if len(inputs) > 1 and inputs[1] is not None else attributes.get("axes")
        return reduce(inputs[0], dim=axes, keepdim=bool(attributes.get("keepdims", 1)))

    return run


def _gemm(inputs: list[Any], attributes: Attributes) -> Tensor:
    a = inputs[0].T if attributes.get("transA") else inputs[0]
    b = inputs[1].T if attributes.get("transB") else inputs[1]
    product = attributes.get("alpha", 1.0) * (a @ b)
    return product + attributes.get("beta", 1.0) * inputs[2] if len(inputs) > 2 else product


def _layer_norm(inputs: list[Any], attributes: Attributes) -> Tensor:
    axis = attributes.get("axis", -1) % inputs[0].dim()
    bias = inputs[2] if len(inputs) > 2 else None
    return F.layer_norm(inputs[0], inputs[0].shape[axis:], inputs[1], bias, attributes.get("epsilon", 1e-5))


def _clip(inputs: list[Any], attributes: Attributes) -> Tensor:
    low, high = (inputs[i] if len(inputs) > i else None for i in (1, 2))
    return torch.clamp(inputs[0], low, high)


def _quantize(inputs: list[Any], attributes: Attributes) -> Tensor:
    """What the 8 bits can hold, but not rounded to them."""
    value, scale, zero = inputs
    limits = torch.iinfo(zero.dtype)
    low, high = ((limit - zero.float()) * scale for limit in (limits.min, limits.max))
    return torch.maximum(torch.minimum(value, high), low)


def _dequantize(inputs: list[Any], attributes: Attributes) -> Tensor:
    value, scale, *rest = inputs
    if value.is_floating_point():  # of activations, which were not rounded
        return value
    shape = [1] * value.dim()
    if scale.dim():
        shape[attributes.get("axis", 1)] = -1
    zero = rest[0].float().reshape(shape) if rest else 0.0
    return (value.float() - zero) * scale.reshape(shape)


def _shape(value: Tensor) -> Tensor:
    return torch.tensor(value.shape)


def _divide(a: Tensor, b: Tensor) -> Tensor:
    """Of whole numbers, which are sizes, the whole part."""
    return a / b if a.is_floating_point() else torch.div(a, b, rounding_mode="trunc")


def _reshape(inputs: list[Any], attributes: Attributes) -> Tensor:
    shape = [inputs[0].shape[i] if size == 0 else size for i, size in enumerate(inputs[1].tolist())]
    return inputs[0].reshape(shape)


def _unsqueeze(inputs: list[Any], attributes: Attributes) -> Tensor:
    found = inputs[0]
    for axis in sorted(inputs[1].tolist()):
        found = found.unsqueeze(axis)
    return found


def _squeeze(inputs: list[Any], attributes: Attributes) -> Tensor:
    return inputs[0].squeeze(tuple(inputs[1].tolist()))


def _simple(function: Callable[..., Tensor]) -> Operator:
    return lambda inputs, attributes: function(*inputs)


_OPERATORS: Mapping[str, Operator] = {
    **{name: _simple(getattr(torch, name.lower())) for name in _NAMED_ALIKE},
    "Div": lambda inputs, attributes: _divide(*inputs),
    "Equal": _simple(torch.eq),
    "Min": _simple(torch.minimum),
    "Max": _simple(torch.maximum),
    "Softplus": _simple(F.softplus),
    "Identity": lambda inputs, attributes: inputs[0],
    "Gelu": lambda inputs, attributes: F.gelu(inputs[0], approximate=attributes.get("approximate", "none")),
    "Constant": lambda inputs, attributes: attributes["value"],
    "Cast": lambda inputs, attributes: inputs[0].to(_DTYPES[attributes["to"]]),
    "Shape": lambda inputs, attributes: _shape(inputs[0])[attributes.get("start", 0) : attributes.get("end")],
    "Range": lambda inputs, attributes: torch.arange(*(one.item() for one in inputs)),
    "Concat": lambda inputs, attributes: torch.cat(inputs, attributes["axis"]),
    "Expand": lambda inputs, attributes: inputs[0] * torch.ones(inputs[1].tolist(), dtype=inputs[0].dtype),
    "Transpose": lambda inputs, attributes: inputs[0].permute(attributes["perm"]),
    "Slice": _slice,
    "Gather": _gather,
    "ReduceSum": _reduce(torch.sum),
    "ReduceMean": _reduce(torch.mean),
    "Gemm": _gemm,
    "LayerNormalization": _layer_norm,
    "Clip": _clip,
    "QuantizeLinear": _quantize,
    "DequantizeLinear": _dequantize,
    "Reshape": _reshape,
    "Unsqueeze": _unsqueeze,
    "Squeeze": _squeeze,
}  # fmt: skip
