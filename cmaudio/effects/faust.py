"""Effects written in Faust, run by the optional package cyfaust, for `synth.insert`."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from cmaudio.errors import CmaudioError
from cmaudio.signal.dsp import Float


class FaustEffect:
    """A Faust program as a function of (n, channels) blocks.

    A program with one input and one output processes each channel separately; others need an input and an output for
    each channel.

    Args:
        path: the program, usually *.dsp.
        sample_rate: Hz.
        channels: of the blocks.

    Raises:
        CmaudioError: cyfaust or the file is missing, the program does not compile, or has other inputs and outputs.
    """

    def __init__(self, path: str | Path, sample_rate: int, channels: int = 2) -> None:
        self.__name__ = Path(path).name
        factory = _compile(Path(path).expanduser())
        first = self._start(factory, sample_rate)
        inputs, outputs = first.get_numinputs(), first.get_numoutputs()
        if (inputs, outputs) == (channels, channels):
            self._instances = [first]
        elif (inputs, outputs) == (1, 1):
            self._instances = [first, *(self._start(factory, sample_rate) for _ in range(channels - 1))]
        else:
            raise CmaudioError(
                f"{path} has {inputs} inputs and {outputs} outputs; an insert of {channels} channels needs 1 or "
                f"{channels} of each"
            )
        self._factory = factory  # it owns the instances' code
        self._rows = np.zeros((2, channels, 0), np.float32)

    @staticmethod
    def _start(factory: Any, sample_rate: int) -> Any:
        instance = factory.create_dsp_instance()
        instance.init(sample_rate)
        return instance

    def set(self, name: str, value: float) -> None:
        """Set a control of the program by its label or its path.

        Raises CmaudioError for an unknown one.
        """
        for instance in self._instances:
            try:
                instance.set_param(name, value)
            except Exception as error:
                known = ", ".join(str(each) for each in instance.params())
                raise CmaudioError(f"{self.__name__} has no control {name!r}; it has {known or 'none'}") from error

    def __call__(self, block: Float) -> Float:
        """(n, channels) -> (n, channels)"""
        count, channels = block.shape
        if self._rows.shape[2] != count:
            self._rows = np.zeros((2, channels, count), np.float32)
        inputs, outputs = self._rows
        inputs[:] = block.T
        share = channels // len(self._instances)
        for i, instance in enumerate(self._instances):
            rows = slice(i * share, (i + 1) * share)
            instance.compute(count, inputs[rows], outputs[rows])
        return outputs.T


def _compile(path: Path) -> Any:
    """Compile the program; returns its factory. The compiler's own messages go to standard error."""
    try:
        cyfaust: Any = importlib.import_module("cyfaust")
    except ImportError as error:
        raise CmaudioError("Faust effects need an optional package: pip install 'cmaudio[faust]'") from error
    try:
        code = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CmaudioError(f"{path}: the Faust program cannot be read ({error})") from error
    factory = cyfaust.create_dsp_factory_from_string(path.stem, code)
    if factory is None:
        raise CmaudioError(f"{path}: Faust does not compile it; the reason was printed above")
    return factory
