"""Every control of a sounding instrument by name: what it is now, how it is set, and who is told.

Whatever a performer uses (MIDI bindings, OSC, panel, notebook, presets) moves the same controls here, and sees what the
others move. The controls come from the model's schema; those that belong to a single note (its pitch, its gate) are
left to the notes. Methods may be called from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cmaudio.checks import in_range, whole_number
from cmaudio.controls.timbre_map import TimbreMap
from cmaudio.engine.note import Note
from cmaudio.engine.speech import Speech
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.model.manifest import ControlDefinition
from cmaudio.model.timbres import Timbre
from cmaudio.score.expression import EXPRESSIONS
from cmaudio.score.ranges import BEND_MAX_SEMITONES, SEED_MAX
from cmaudio.speech.style import STYLE_LIMITS

if TYPE_CHECKING:
    from cmaudio.engine.engine import Engine

MORPH_SECONDS = 0.1
_STAY = ("gain", "timbre_x", "timbre_y")
_BEND = ControlDefinition(
    name="bend", unit="semitones", min=-24, max=24, default=0, description="of the whole instrument"
)
Listener = Callable[[str, object, str], None]


def control_definitions(model: Model, gain_range_db: tuple[float, float]) -> dict[str, ControlDefinition]:
    """The controls of an instrument: those of the model's schema that act on it as a whole, and the common ones."""
    schema = {control.name: control for control in model.manifest.controls}
    speech = model.manifest.speech is not None
    common = [
        ControlDefinition(
            name="gain", unit="dB", min=gain_range_db[0], max=gain_range_db[1], default=0,
            description="master gain, before the limiter",
        ),
        ControlDefinition(
            name="steps", unit="evaluations", min=1, max=2, default=1,
            description="of the network a block, for new notes; 2 is fine",
        ),
        ControlDefinition(
            name="timbre_x", unit="of the timbre map", min=-1, max=1, default=0, description="morphs what sounds"
        ),
        ControlDefinition(
            name="timbre_y", unit="of the timbre map", min=-1, max=1, default=0, description="morphs what sounds"
        ),
        *(
            ControlDefinition(name=e.name, unit=e.unit, min=e.min, max=e.max, default=0, description=e.description)
            for e in EXPRESSIONS.values()
        ),
    ]  # fmt: skip
    own = [control for name, control in schema.items() if speech and name in STYLE_LIMITS]
    if not speech:
        own = [
            ControlDefinition(
                name="velocity", unit="MIDI velocity", min=1, max=127, default=96,
                description="of keys that do not say how hard they are struck",
            ),
            schema.get("bend", _BEND),
            ControlDefinition(
                name="bend_range", unit="semitones", min=0, max=BEND_MAX_SEMITONES, default=2,
                description="at full pitch wheel",
            ),
        ]  # fmt: skip
    return {control.name: control for control in (*own, *common)}


class Controls:
    """The controls of one engine.

    Attributes:
        definitions: name -> unit, range, default and meaning, in the order in which a panel shows them.
        seed: what new notes are drawn from; None: each has its own. seed_locked: `roll_seed` leaves it alone.
    """

    def __init__(self, engine: Engine, gain_range_db: tuple[float, float], gain_db: float = 0.0) -> None:
        self.engine = engine
        self.definitions: Mapping[str, ControlDefinition] = control_definitions(engine.model, gain_range_db)
        self._values = {name: control.default for name, control in self.definitions.items()}
        self._values |= {"gain": gain_db, "steps": engine.allocator.steps}
        if "bend_range" in self._values:
            self._values["bend_range"] = engine.bend_range
        self.seed: int | None = None
        self.seed_locked = False
        self._mix: dict[str, float] | None = {engine.model.manifest.default_timbre: 1.0}
        self._vector = engine.model.timbre_vector(None)
        self._listeners: list[Listener] = []
        self._lock = threading.RLock()  # a value and what it does to the engine go together

    # -- controls ----------------------------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> float:
        return self._values[self._known(name).name]

    def values(self) -> dict[str, float]:
        """All of them, by name."""
        return dict(self._values)

    def set(self, name: str, value: float, source: str = "", at: int | None = None) -> float:
        """Move a control; what sounds follows.

        Args:
            source: who moves it; listeners are told, so that nobody is told of his own doing twice.
            at: sample of the engine's clock, None for at once.
        Returns the value it has now (`steps` is rounded). Raises CmaudioError for an unknown name (with the nearest) or
        a value out of range; then nothing changes.
        """
        control = self._known(name)
        checked = in_range(name, value, control.min, control.max, control.unit)
        if name == "steps":
            checked = float(round(checked))
        with self._lock:
            self._values[name] = checked
            if name in ("timbre_x", "timbre_y"):
                mix = self.timbre_map.mix(self._values["timbre_x"], self._values["timbre_y"])
                self._move_timbre(mix, MORPH_SECONDS, at)
            else:
                self._act(name, checked, at)
        self._tell(name, checked, source)
        if name in ("timbre_x", "timbre_y"):
            self._tell("timbre", self.timbre, source)
        return checked

    def apply(self, settings: Mapping[str, float], source: str = "", at: int | None = None) -> None:
        """Move several controls, all others but gain and timbre to their default.

        Raises CmaudioError for an unknown name or a value out of range; then nothing changes.
        """
        for name, value in settings.items():
            control = self._known(name)
            in_range(name, value, control.min, control.max, control.unit)
        for name, control in self.definitions.items():
            if name in settings or name not in _STAY:
                self.set(name, settings.get(name, control.default), source, at)

    def reset(self, source: str = "") -> None:
        """All controls as they are by default; timbre, seed and gain stay."""
        self.apply({}, source)

    def _known(self, name: str) -> ControlDefinition:
        found = self.definitions.get(name)
        if found is None:
            raise CmaudioError(f"no control {name!r}; this model has {', '.join(self.definitions)}")
        return found

    def _act(self, name: str, value: float, at: int | None) -> None:
        engine = self.engine
        if name == "gain":
            engine.master_gain(value, at)
        elif name == "steps":
            engine.allocator.steps = int(value)
        elif name == "bend":
            engine.bend(value, None, at)
        elif name == "bend_range":
            engine.bend_range = value
        elif name in EXPRESSIONS:
            engine.express(name, value, None, at)
        elif name in STYLE_LIMITS:
            for handle in list(engine.allocator.notes.values()):
                if isinstance(handle, Speech):
                    handle.steer(at=at, **{name: value})

    @property
    def style(self) -> dict[str, float]:
        """Speaking style as the controls have it; empty for a model that plays notes."""
        return {name: value for name, value in self._values.items() if name in STYLE_LIMITS}

    # -- timbre ------------------------------------------------------------------------------------------------------

    @cached_property
    def timbre_map(self) -> TimbreMap:
        """The named timbres on a plane."""
        return TimbreMap(self.engine.model.manifest.timbres)

    @property
    def vector(self) -> NDArray[np.float64]:
        """(Z,) timbre of new notes."""
        return self._vector

    @property
    def timbre(self) -> dict[str, float] | None:
        """The same as names and weights, None where it was given as a vector."""
        return dict(self._mix) if self._mix is not None else None

    def set_timbre(
        self, timbre: Timbre, seconds: float = MORPH_SECONDS, source: str = "", at: int | None = None
    ) -> None:
        """Go to a timbre (name, mix or vector); what sounds morphs to it. Raises CmaudioError for an unknown one."""
        with self._lock:
            self._move_timbre(timbre, seconds, at)
            x, y = self._place(timbre)
            self._values["timbre_x"], self._values["timbre_y"] = x, y
        self._tell("timbre", self.timbre, source)
        self._tell("timbre_x", x, source)
        self._tell("timbre_y", y, source)

    def go_to(
        self, x: float, y: float, seconds: float = MORPH_SECONDS, source: str = "", at: int | None = None
    ) -> None:
        """Go to a place of the timbre map, both coordinates at once. Raises CmaudioError for one outside of it."""
        place = {"timbre_x": x, "timbre_y": y}
        for name, value in place.items():
            place[name] = in_range(name, value, -1, 1, self.definitions[name].unit)
        with self._lock:
            self._move_timbre(self.timbre_map.mix(x, y), seconds, at)
            self._values |= place
        self._tell("timbre", self.timbre, source)
        for name, value in place.items():
            self._tell(name, value, source)

    def _place(self, timbre: Timbre) -> tuple[float, float]:
        if isinstance(timbre, str):
            index = self.timbre_map.names.index(timbre.strip().lower())
            x, y = self.timbre_map.places[index].tolist()
            return x, y
        return self.timbre_map.place(self._vector)

    def _move_timbre(self, timbre: Timbre, seconds: float, at: int | None) -> None:
        vector = self.engine.model.timbre_vector(timbre)
        if isinstance(timbre, str):
            self._mix = {timbre.strip().lower(): 1.0}
        else:
            self._mix = {str(k): float(v) for k, v in timbre.items()} if isinstance(timbre, Mapping) else None
        self._vector = vector
        for handle in list(self.engine.allocator.notes.values()):
            if isinstance(handle, Note | Speech):
                handle.morph(vector, seconds, at)

    # -- seed --------------------------------------------------------------------------------------------------------

    def set_seed(self, seed: int | None, source: str = "") -> None:
        """Draw new notes from this seed; None: each from its own. Raises CmaudioError for one out of range."""
        self.seed = None if seed is None else whole_number("seed", seed, 0, 2**63 - 1)
        self._tell("seed", self.seed, source)

    def lock_seed(self, locked: bool, source: str = "") -> None:
        """Keep the seed from being drawn anew."""
        self.seed_locked = bool(locked)
        self._tell("seed_locked", self.seed_locked, source)

    def roll_seed(self, source: str = "") -> int | None:
        """Draw another seed, unless it is locked; returns the seed."""
        if not self.seed_locked:
            self.set_seed(int(np.random.default_rng().integers(0, SEED_MAX)), source)
        return self.seed

    # -- listening ---------------------------------------------------------------------------------------------------

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have `listener(name, value, source)` called after every change, on the thread that made it.

        Names are those of the controls, and "timbre", "seed", "seed_locked". Returns what ends it.
        """
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def _tell(self, name: str, value: object, source: str) -> None:
        for listener in tuple(self._listeners):
            listener(name, value, source)
