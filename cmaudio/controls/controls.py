"""All controls of an instrument by name, shared by MIDI bindings, OSC, panel, sliders and presets.

Each of them sets controls here, and is notified of the changes of the others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cmaudio.callbacks import Subscribers
from cmaudio.checks import in_range, whole_number
from cmaudio.controls.definitions import control_definitions
from cmaudio.controls.routes import RouteLike, checked_routes
from cmaudio.controls.timbre_map import TimbreMap
from cmaudio.effects.settings import SETTINGS, checked_setting
from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.model.manifest import ControlDefinition
from cmaudio.model.timbres import Timbre
from cmaudio.modulation.settings import MODULATION_CHOICES, MODULATION_CONTROLS, Route, modulation_of
from cmaudio.score.expression import EXPRESSIONS
from cmaudio.score.ranges import SEED_LIMIT, SEED_MAX
from cmaudio.speech.style import STYLE_LIMITS

MORPH_SECONDS = 0.1
_KEPT_BY_APPLY = ("gain", "timbre_x", "timbre_y")
Listener = Callable[[str, object, str], None]


class Controls:
    """The controls of one engine. Its methods may be called from any thread.

    Args:
        engine: the engine to control.
        gain_db: the master gain that the engine was created with.

    Attributes:
        definitions: name -> unit, range, default and meaning, in the order in which they are shown.
        seed: seed of new notes; None gives each a different one.
        seed_locked: whether `roll_seed` leaves the seed alone.
    """

    def __init__(self, engine: Engine, gain_db: float = 0.0) -> None:
        self.engine = engine
        self.definitions: Mapping[str, ControlDefinition] = control_definitions(engine.model, engine.channels)
        self._values = {name: control.default for name, control in self.definitions.items()}
        self._values |= {"gain": gain_db, "steps": engine.allocator.steps}
        if "bend_range" in self._values:
            self._values["bend_range"] = engine.bend_range
        self.seed: int | None = None
        self.seed_locked = False
        self._mix: dict[str, float] | None = {engine.model.manifest.default_timbre: 1.0}
        self._vector = engine.model.timbre_vector(None)
        self._routes: tuple[Route, ...] = ()
        self._listeners = Subscribers[[str, object, str]]()
        self._lock = threading.RLock()  # a value and its effect on the engine change together

    # -- controls ----------------------------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> float:
        return self._values[self._known(name).name]

    def values(self) -> dict[str, float]:
        """The values of all controls, by name."""
        return dict(self._values)

    def set(self, name: str, value: float, source: str = "", at: int | None = None) -> float:
        """Set a control; sounding notes follow.

        Args:
            name: the control's name.
            value: in the control's unit.
            source: who sets it, so that listeners can ignore their own changes.
            at: sample of the engine's clock, None for immediately.

        Returns:
            The value that was set (`steps` and kinds are rounded).

        Raises:
            CmaudioError: an unknown name or a value out of range; then nothing changes.
        """
        control = self._known(name)
        checked = in_range(name, value, control.min, control.max, control.unit)
        if name == "steps" or name in MODULATION_CHOICES:
            checked = float(round(checked))
        elif name in SETTINGS:
            checked = checked_setting(name, checked)
        with self._lock:
            self._values[name] = checked
            if name in ("timbre_x", "timbre_y"):
                mix = self.timbre_map.mix(self._values["timbre_x"], self._values["timbre_y"])
                self._move_timbre(mix, MORPH_SECONDS, at)
            else:
                self._act(name, checked, at)
        self._listeners.notify(name, checked, source)
        if name in ("timbre_x", "timbre_y"):
            self._listeners.notify("timbre", self.timbre, source)
        return checked

    def apply(self, settings: Mapping[str, float], source: str = "", at: int | None = None) -> None:
        """Set several controls, and all others but gain and timbre to their defaults.

        Raises CmaudioError for an unknown name or a value out of range; then nothing changes.
        """
        for name, value in settings.items():
            control = self._known(name)
            in_range(name, value, control.min, control.max, control.unit)
        for name, control in self.definitions.items():
            if name in settings or name not in _KEPT_BY_APPLY:
                self.set(name, settings.get(name, control.default), source, at)

    def reset(self, source: str = "") -> None:
        """Set all controls to their defaults and remove all routes; timbre, seed and gain stay."""
        self.set_routes((), source)
        self.apply({}, source)

    def _known(self, name: str) -> ControlDefinition:
        found = self.definitions.get(name)
        if found is None and name in control_definitions(self.engine.model, channels=2):
            raise CmaudioError(f"{name!r} needs stereo and this instrument is mono; use channels=2")
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
        elif name in SETTINGS:
            engine.set_effect(name, value, at)
        elif name in MODULATION_CONTROLS:
            self._modulate(at)
        elif name in STYLE_LIMITS:
            for handle in list(engine.allocator.notes.values()):
                handle.set_style(name, value, at)

    @property
    def style(self) -> dict[str, float]:
        """The speaking style that the controls set; empty for a model that plays notes."""
        return {name: value for name, value in self._values.items() if name in STYLE_LIMITS}

    # -- modulation --------------------------------------------------------------------------------------------------

    @property
    def routes(self) -> tuple[Route, ...]:
        """The active modulation routes."""
        return self._routes

    def route(self, modulator: str, control: str, amount: float, source: str = "", at: int | None = None) -> None:
        """Let a modulator move a control while notes sound; sounding notes follow.

        Args:
            modulator: "lfo1", "lfo2", "envelope", "velocity", "pressure" or "wheel".
            control: the control's name.
            amount: in the control's unit, at the modulator's maximum; 0 removes the route.
            source: who sets it, so that listeners can ignore their own changes.
            at: sample of the engine's clock, None for immediately.

        Raises:
            CmaudioError: an unknown name, a control that cannot be modulated, or an amount out of range.
        """
        with self._lock:
            kept = [route for route in self._routes if route.key != (modulator, control)]
            self.set_routes([*kept, (modulator, control, amount)], source, at)

    def set_routes(self, routes: Iterable[RouteLike], source: str = "", at: int | None = None) -> None:
        """Replace all routes; those with an amount of 0 are dropped. Raises CmaudioError as `route` does."""
        checked = checked_routes(routes, self.definitions)
        with self._lock:
            if checked == self._routes:
                return
            self._routes = checked
            self._modulate(at)
        self._listeners.notify("routes", checked, source)

    def _modulate(self, at: int | None) -> None:
        moves_place = any(route.control in ("timbre_x", "timbre_y") for route in self._routes)
        plane = self.timbre_map if moves_place else None
        self.engine.modulate(modulation_of(self._values, self._routes), plane, at)

    # -- timbre ------------------------------------------------------------------------------------------------------

    @cached_property
    def timbre_map(self) -> TimbreMap:
        """The named timbres on a plane."""
        return TimbreMap(self.engine.model.manifest.timbres)

    def update_timbres(self) -> None:
        """Add timbres that were added to the model to the map."""
        self.__dict__.pop("timbre_map", None)

    @property
    def vector(self) -> NDArray[np.float64]:
        """The timbre of new notes, (Z,)."""
        return self._vector

    @property
    def timbre(self) -> dict[str, float] | None:
        """The timbre of new notes as names and weights; None if it was set as a vector."""
        return dict(self._mix) if self._mix is not None else None

    def set_timbre(
        self, timbre: Timbre, seconds: float = MORPH_SECONDS, source: str = "", at: int | None = None
    ) -> None:
        """Set the timbre; sounding notes morph to it. Raises CmaudioError for an unknown one."""
        with self._lock:
            self._move_timbre(timbre, seconds, at)
            x, y = self._place(timbre)
            self._values["timbre_x"], self._values["timbre_y"] = x, y
        self._listeners.notify("timbre", self.timbre, source)
        self._listeners.notify("timbre_x", x, source)
        self._listeners.notify("timbre_y", y, source)

    def go_to(
        self, x: float, y: float, seconds: float = MORPH_SECONDS, source: str = "", at: int | None = None
    ) -> None:
        """Set the timbre to a point of the timbre map. Raises CmaudioError for a coordinate outside -1..1."""
        place = {"timbre_x": x, "timbre_y": y}
        for name, value in place.items():
            place[name] = in_range(name, value, -1, 1, self.definitions[name].unit)
        with self._lock:
            self._move_timbre(self.timbre_map.mix(x, y), seconds, at)
            self._values |= place
        self._listeners.notify("timbre", self.timbre, source)
        for name, value in place.items():
            self._listeners.notify(name, value, source)

    def _place(self, timbre: Timbre) -> tuple[float, float]:
        if isinstance(timbre, str | int):
            index = self.timbre_map.names.index(self.engine.model.timbre_name(timbre))
            x, y = self.timbre_map.places[index].tolist()
            return x, y
        return self.timbre_map.place(self._vector)

    def _move_timbre(self, timbre: Timbre, seconds: float, at: int | None) -> None:
        vector = self.engine.model.timbre_vector(timbre)
        if isinstance(timbre, str | int):
            self._mix = {self.engine.model.timbre_name(timbre): 1.0}
        else:
            self._mix = {str(k): float(v) for k, v in timbre.items()} if isinstance(timbre, Mapping) else None
        self._vector = vector
        for handle in list(self.engine.allocator.notes.values()):
            handle.morph(vector, seconds, at)

    # -- seed --------------------------------------------------------------------------------------------------------

    def set_seed(self, seed: int | None, source: str = "") -> None:
        """Set the seed of new notes; None gives each a different one. Raises CmaudioError for one out of range."""
        self.seed = None if seed is None else whole_number("seed", seed, 0, SEED_LIMIT)
        self._listeners.notify("seed", self.seed, source)

    def lock_seed(self, locked: bool, source: str = "") -> None:
        """Lock or unlock the seed: `roll_seed` leaves a locked one alone."""
        self.seed_locked = bool(locked)
        self._listeners.notify("seed_locked", self.seed_locked, source)

    def roll_seed(self, source: str = "") -> int | None:
        """Set a random seed, unless it is locked; returns the current seed."""
        if not self.seed_locked:
            self.set_seed(int(np.random.default_rng().integers(0, SEED_MAX)), source)
        return self.seed

    # -- listening ---------------------------------------------------------------------------------------------------

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(name, value, source)` after every change, on the thread that made it.

        Names are those of the controls, and "timbre", "routes", "seed", "seed_locked". Returns a function that
        unsubscribes.
        """
        return self._listeners.subscribe(listener)
