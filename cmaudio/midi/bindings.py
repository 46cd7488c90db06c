"""MIDI learn: bindings of controllers to controls, learned by moving the controller, saved as versioned JSON."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from cmaudio.controls.binding import Binding, Controller
from cmaudio.errors import CmaudioError, explain
from cmaudio.files import folders
from cmaudio.files.atomic import atomic_file
from cmaudio.files.reading import read_file
from cmaudio.strict import Strict

VERSION = 1  # of the file format
_MAX_BYTES = 2**20
_TRAVEL = 8 / 127  # movement before a controller counts as moved: worn ones jitter
_REST: dict[Controller, float] = {"bend": 0.5, "pressure": 0.0}
# Bank and parameter numbers, data entry, increments and channel modes cannot be bound.
_NO_KNOBS = frozenset((0, 32, 6, 38, *range(96, 102), *range(120, 128)))


class _File(Strict, strict=True):
    version: Literal[1]
    bindings: list[Binding]


@dataclass
class _Learning:
    control: str
    min: float
    max: float
    any_channel: bool
    begun: dict[tuple[int, Controller], float] = field(default_factory=dict)


class Bindings:
    """At most one controller per control, and one control per controller of a channel. Thread-safe."""

    def __init__(self, bindings: Iterable[Binding] = ()) -> None:
        self._lock = threading.Lock()
        self._bound: dict[tuple[int | None, Controller], Binding] = {}
        self._learning: _Learning | None = None
        self._positions: dict[tuple[int, Controller], float] = {}
        for binding in bindings:
            self.add(binding)

    def __iter__(self) -> Iterator[Binding]:
        return iter(tuple(self._bound.values()))

    def __len__(self) -> int:
        return len(self._bound)

    def add(self, binding: Binding) -> None:
        """Add a binding; it replaces those of the same control and of the same controller."""
        source = (binding.channel, binding.controller)
        with self._lock:
            others = {k: b for k, b in self._bound.items() if b.control != binding.control and k != source}
            self._bound = {**others, source: binding}  # other threads see the old or the new mapping

    def remove(self, control: str) -> None:
        """Unbind a control. Raises CmaudioError if it is not bound."""
        with self._lock:
            left = {k: b for k, b in self._bound.items() if b.control != control}
            if len(left) == len(self._bound):
                bound = ", ".join(b.control for b in self._bound.values()) or "none"
                raise CmaudioError(f"no controller is bound to {control!r}; bound controls: {bound}")
            self._bound = left

    def find(self, channel: int, controller: Controller) -> Binding | None:
        """The binding of a controller; one for its channel takes precedence over one for any channel."""
        bound = self._bound
        return bound.get((channel, controller)) or bound.get((None, controller))

    @property
    def learning(self) -> str | None:
        """The control that is waiting to be bound, if any."""
        waiting = self._learning
        return waiting.control if waiting else None

    def learn(self, control: str, low: float, high: float, any_channel: bool = False) -> None:
        """Bind the next controller that moves to a control; it spans `low` to `high`."""
        self._learning = _Learning(control, low, high, any_channel, dict(self._positions))

    def forget_learning(self) -> None:
        """Stop waiting."""
        self._learning = None

    def moved(self, channel: int, controller: Controller, position: float) -> Binding | None:
        """Report a controller's position 0..1; returns the binding if this completes the learning."""
        source, waiting = (channel, controller), self._learning
        self._positions[source] = position
        if waiting is None or controller in _NO_KNOBS:
            return None
        if abs(position - waiting.begun.setdefault(source, _REST.get(controller, position))) < _TRAVEL:
            return None
        self._learning = None
        learnt = Binding(
            channel=None if waiting.any_channel else channel,
            controller=controller,
            control=waiting.control,
            min=waiting.min,
            max=waiting.max,
        )
        self.add(learnt)
        return learnt

    @classmethod
    def load(cls, path: str | Path | None = None) -> Bindings:
        """The bindings in a file, by default the user's own, which need not exist.

        Raises CmaudioError for a file that cannot be read or is not a bindings file.
        """
        file = Path(path) if path is not None else bindings_file()
        if path is None and not file.exists():
            return cls()
        try:
            return cls(_File.model_validate_json(read_file(file, "MIDI bindings", _MAX_BYTES)).bindings)
        except ValidationError as error:
            raise CmaudioError(
                f"{file} is not a MIDI bindings file of version {VERSION}: {explain(error)}. Correct or remove it"
            ) from error

    def save(self, path: str | Path | None = None) -> Path:
        """Write the bindings to a file, by default the user's own. Raises CmaudioError if that fails."""
        file = Path(path) if path is not None else bindings_file()
        text = _File(version=1, bindings=list(self)).model_dump_json(indent=1) + "\n"
        try:
            if path is None:
                file.parent.mkdir(parents=True, exist_ok=True)
            with atomic_file(file) as part:
                part.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CmaudioError(f"MIDI bindings {file} cannot be written ({error.strerror})") from error
        return file


def bindings_file() -> Path:
    """The user's own file, beside the presets."""
    return folders.user_folder() / "midi.json"
