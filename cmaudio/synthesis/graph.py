"""One loaded ONNX graph of a model file: arrays in, arrays out, with explicit streaming state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.model.graph_check import check_graph
from cmaudio.signal.dsp import Float


class Graph:
    """One ONNX graph. Inputs and outputs whose names start with `state_` and `new_state_` are its streaming state."""

    def __init__(self, name: str, content: bytes, path: Path | None = None) -> None:
        self._title = f"graph {name!r}" if path is None else f"{path}: graph {name!r}"
        options = ort.SessionOptions()
        # One thread: spinning pools of several sessions compete for the cores, and without spinning two gain nothing.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # 17 MB less resident, and no slower
        options.log_severity_level = 4  # its errors are raised, so they need not be printed
        try:
            self._session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime has its own exception class for every kind of bad graph
            raise CmaudioError(
                f"{self._title} cannot be loaded: {_first_line(error)}; export the model again"
            ) from error
        self._session._model_bytes = None  # 30 MB, held in case the provider is changed, which never happens
        self.name = name
        self.input_names = [node.name for node in self._session.get_inputs()]
        self._output_names = [node.name for node in self._session.get_outputs()]
        nodes = (*self._session.get_inputs(), *self._session.get_outputs())
        self.shapes = {node.name: node.shape for node in nodes}
        self._check_state({node.name: node.type for node in nodes})

    def _check_state(self, types: Mapping[str, str]) -> None:
        """Every state must be returned with the same shape, or the next block could not be computed."""
        for name in filter(lambda name: name.startswith("state_"), self.input_names):
            fixed = all(isinstance(size, int) for size in self.shapes[name][1:])
            wrong = self.misfit(f"new_{name}", tuple(self.shapes[name][1:])) if fixed else f"{name} has no fixed shape"
            if types[name] != "tensor(float)":
                wrong = f"{name} is {types[name]}, not tensor(float)"
            if wrong:
                raise CmaudioError(f"{self._title}: {wrong}; export the model again")

    def __call__(self, *inputs: NDArray[Any], state: Sequence[Float] = ()) -> list[Float]:
        try:
            outputs: list[Float] = self._session.run(None, dict(zip(self.input_names, (*inputs, *state), strict=True)))
        except Exception as error:
            shapes = ", ".join(f"{name} {self.shapes[name]}" for name in self.input_names)
            raise CmaudioError(
                f"{self._title} ({shapes}) cannot be computed: {_first_line(error)}; export the model again"
            ) from error
        voices = len(inputs[0])
        for name, output in zip(self._output_names, outputs, strict=True):
            if output.shape[:1] != (voices,):
                raise CmaudioError(
                    f"{self._title}: {name} is {output.shape} for {voices} voices; export the model again"
                )
        return outputs

    def misfit(self, name: str, shape: tuple[int, ...]) -> str:
        """Describes a wrong shape of an input or output (its voice axis left out); "" if it is right."""
        found = tuple(self.shapes.get(name, ["?"])[1:])
        # The shape of an output may be unknown before it is computed; such axes carry a name.
        fits = len(found) == len(shape) and all(f == s or isinstance(f, str) for f, s in zip(found, shape, strict=True))
        return "" if fits and name in self.shapes else f"{self.name}.{name} is {found}, not {shape}"

    def init_state(self, batch: int) -> list[Float]:
        """The initial state, of a silent past."""
        shapes = [self.shapes[name] for name in self.input_names if name.startswith("state_")]
        return [np.zeros((batch, *shape[1:]), np.float32) for shape in shapes]


def load_graph(model: Model, name: str) -> Graph:
    """Load and check one graph of a model. Raises CmaudioError that names the file and the graph."""
    content = model.graph(name)
    check_graph(model.path, name, content)
    return Graph(name, content, model.path)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
