"""Extracts the networks' weights from a model file, so that training can start from any model.

A traced graph keeps the names of biases and embeddings. The matrix of a product is unnamed, but its node is named:
`/blocks.0/mlp/widen/MatMul` multiplies with the transposed `blocks.0.mlp.widen.weight`. 8-bit matrices are
dequantised.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.training.networks.consistency import ConsistencyNetwork
from cmaudio.training.networks.prior import PriorNetwork
from cmaudio.training.networks.prosody import ProsodyNetwork
from cmaudio.training.networks.vocoder import VocoderNetwork

# The graphs that a network is divided into, and the prefixes of their weights: (graph, prefix there, prefix here).
_PARTS: dict[type[nn.Module], tuple[tuple[str, str, str], ...]] = {
    ConsistencyNetwork: (
        ("controls", "", "control_encoder."),
        ("context", "encoder.", "context_encoder."),
        ("head", "", "head."),
    ),
    VocoderNetwork: (("vocoder", "vocoder.", ""),),
    ProsodyNetwork: (("prosody", "", ""),),
    PriorNetwork: (("prior", "prior.", ""),),
}
_FOLDED = "/Gather_output_0"  # of a block's depthwise convolution: its taps, gathered for every pair of frames
Array = NDArray[np.generic]


def weights_of(model: Model, module: nn.Module) -> dict[str, Tensor]:
    """State dict for a network like `module` from the graphs of a model; timbres are a table in the manifest's order.

    Raises CmaudioError for a model without such a network. Shapes are checked by `load_weights`.
    """
    state: dict[str, Tensor] = {}
    for graph, there, here in next(parts for kind, parts in _PARTS.items() if isinstance(module, kind)):
        if graph not in model.manifest.graphs:
            raise CmaudioError(f"{model.path} has no {graph} network to start from: give a model that has one")
        found = _named(onnx.load_from_string(model.graph(graph)).graph)
        state |= {here + name.removeprefix(there): torch.from_numpy(array.copy()) for name, array in found.items()}
    if isinstance(module, ConsistencyNetwork | PriorNetwork):
        vectors = [timbre.vector for timbre in model.manifest.timbres]
        state["timbres.weight"] = torch.tensor(vectors, dtype=torch.float32)
    return state


def _named(graph: onnx.GraphProto) -> dict[str, Array]:
    arrays: dict[str, Array] = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    arrays |= {node.output[0]: _dequantised(arrays, node) for node in graph.node if _is_weight(arrays, node)}
    named = {name: array for name, array in arrays.items() if not name.startswith(("/", "onnx::"))}
    for node in graph.node:
        if node.op_type in ("MatMul", "Gemm") and node.input[1] in arrays and not _transposed(node):
            named[_weight_name(node.name.rpartition("/")[0])] = arrays[node.input[1]].T
    for name, array in arrays.items():
        if name.endswith(_FOLDED):
            named[_weight_name(name.removesuffix(_FOLDED))] = _unfolded(array)
    return named


def _weight_name(path: str) -> str:
    """The name of the matrix at a node's path. The tracer names a container's child twice: `mlp/mlp.0` is `mlp.0`."""
    parts = path.strip("/").split("/")
    modules = [part for part, after in zip(parts, [*parts[1:], ""], strict=True) if not after.startswith(part + ".")]
    return ".".join([*modules, "weight"])


def _is_weight(arrays: Mapping[str, Array], node: onnx.NodeProto) -> bool:
    return node.op_type == "DequantizeLinear" and node.input[0] in arrays and arrays[node.input[0]].ndim == 2


def _dequantised(arrays: Mapping[str, Array], node: onnx.NodeProto) -> Array:
    quantised, scale, zero = (arrays[name].astype(np.float32) for name in node.input)
    axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 1)
    shape = (-1, 1) if axis == 0 else (1, -1)
    return (quantised - zero.reshape(shape)) * scale.reshape(shape)


def _transposed(node: onnx.NodeProto) -> bool:
    return any(attribute.name == "transB" and attribute.i for attribute in node.attribute)


def _unfolded(gathered: Array) -> Array:
    """(K, K, D) taps by output and input frame -> (2K - 1, D) kernel: tap s - t + K - 1 is at [t, s]."""
    k = len(gathered)
    kernel = np.zeros((2 * k - 1, gathered.shape[2]), np.float32)
    for t in range(k):
        for s in range(k):
            kernel[s - t + k - 1] = gathered[t, s]
    return kernel
