"""The controls as sliders in a notebook, which also show changes from elsewhere."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from cmaudio.controls.changes import Changes
from cmaudio.errors import CmaudioError
from cmaudio.instrument.instrument import Instrument
from cmaudio.model.manifest import ControlDefinition
from cmaudio.score.ranges import SEED_MAX

_EVERY_SECONDS = 0.05
_MIXED = "(a mix)"
_NOTE, _TEXT = 60, "Hello, world."
_NOTE_SECONDS = 1.0


def _widgets() -> Any:
    try:
        return importlib.import_module("ipywidgets")
    except ImportError as error:
        raise CmaudioError("sliders need ipywidgets: pip install ipywidgets") from error


class Sliders:
    """Widgets for an instrument. A notebook displays them; `close` ends their updates.

    Attributes:
        controls: name -> slider.
        timbre: timbre menu.
        seed: seed field.
        locked: seed lock.
        dice: button that rolls the seed.
        play: button that plays a note or speaks.
        box: all widgets.

    Raises:
        CmaudioError: ipywidgets is not installed.
    """

    def __init__(self, synth: Instrument) -> None:
        self._synth, self._controls, w = synth, synth.controls, _widgets()
        self._source = f"sliders:{id(self)}"
        self._quiet = threading.local()  # set while a widget shows a change from elsewhere
        names = [_MIXED, *(timbre.name for timbre in synth.model.manifest.timbres)]
        self.controls = {name: _slider(w, c, self._controls[name]) for name, c in self._controls.definitions.items()}
        self.timbre = w.Dropdown(options=names, description="timbre")
        self.seed = w.BoundedIntText(min=-1, max=SEED_MAX, description="seed", tooltip="-1: different for each note")
        self.locked = w.Checkbox(description="locked", indent=False)
        self.dice, self.play = (
            w.Button(description="roll"),
            w.Button(description="say" if self._speaks else "play note"),
        )
        self._bind()
        self._changes = Changes(self._controls, lambda source: source == self._source)
        self.refresh([*self.controls, "timbre", "seed", "seed_locked"])
        above = w.HBox([self.timbre, self.seed, self.locked, self.dice, self.play])
        self.box = w.VBox([above, *self.controls.values()])
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="cmaudio-sliders", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop following the controls."""
        self._ending.set()
        self._thread.join()
        self._changes.close()

    def refresh(self, names: Iterable[str]) -> None:
        """Update the widgets of these names (see `Changes`)."""
        self._quiet.on = True
        try:
            for name in names:
                if name in self.controls:
                    self.controls[name].value = self._controls[name]
            mix, seed = self._controls.timbre, self._controls.seed
            self.timbre.value = next(iter(mix)) if mix is not None and len(mix) == 1 else _MIXED
            self.seed.value = -1 if seed is None else min(seed, SEED_MAX)
            self.locked.value = self._controls.seed_locked
        finally:
            self._quiet.on = False

    def _repr_mimebundle_(self, **how: Any) -> Any:
        return self.box._repr_mimebundle_(**how)

    @property
    def _speaks(self) -> bool:
        return self._synth.model.manifest.speech is not None

    def _bind(self) -> None:
        for name, slider in self.controls.items():
            self._on_move(slider, partial(self._controls.set, name, source=self._source))
        self._on_move(self.timbre, self._set_timbre)
        self._on_move(self.seed, lambda value: self._controls.set_seed(None if value < 0 else value, self._source))
        self._on_move(self.locked, lambda value: self._controls.lock_seed(value, self._source))
        self.dice.on_click(
            lambda _: self._controls.roll_seed()
        )  # without a source, so that the seed's widget is updated
        self.play.on_click(lambda _: self._play())

    def _on_move(self, widget: Any, action: Callable[[Any], object]) -> None:
        def moved(change: Any) -> None:
            if not getattr(self._quiet, "on", False):
                action(change["new"])

        widget.observe(moved, "value")

    def _set_timbre(self, name: str) -> None:
        if name != _MIXED:
            self._controls.set_timbre(name)  # without a source, so that the sliders of the map are updated

    def _play(self) -> None:
        if self._speaks:
            self._synth.say(_TEXT)
        else:
            note = self._synth.note_on(_NOTE, self._controls["velocity"])
            note.off(at=self._synth.place() + round(_NOTE_SECONDS * self._synth.engine.sample_rate))

    def _follow(self) -> None:
        while not self._ending.wait(_EVERY_SECONDS):
            names = self._changes.take()
            if names:
                self._synth.engine.faults.attempt("the sliders missed a change", self.refresh, names)


def _slider(w: Any, control: ControlDefinition, value: float) -> Any:
    return w.FloatSlider(
        value=value,
        min=control.min,
        max=control.max,
        step=1.0 if control.name == "steps" else (control.max - control.min) / 200,
        description=control.name,
        tooltip=f"{control.description} ({control.unit})",
        readout_format=".2f",
    )
