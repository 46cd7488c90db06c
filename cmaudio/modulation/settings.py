"""Modulators with their settings, and the routes from them to controls, all immutable.

A modulator's output is -1..1 (LFOs) or 0..1 (all others). A route adds it times an amount, in the control's unit, to
the control; the sum is clamped to the control's range.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, get_args

from pydantic import Field

from cmaudio.effects.settings import OFF_ON
from cmaudio.model.manifest import ControlDefinition
from cmaudio.strict import Strict

Modulator = Literal["lfo1", "lfo2", "envelope", "velocity", "pressure", "wheel"]
MODULATORS: tuple[Modulator, ...] = get_args(Modulator)
OSCILLATORS = ("lfo1", "lfo2")
SHAPES = ("sine", "triangle", "rise", "fall", "square", "steps", "drift")
MAX_ROUTES = 64
_HZ = (0.01, 20.0)
_MAX_BEATS, _MAX_SECONDS = 64.0, 20.0


class Route(Strict):
    """A modulator, the control that it modulates, and the amount.

    Attributes:
        modulator: one of `MODULATORS`.
        control: the control's name.
        amount: in the control's unit, at the modulator's maximum; negative: downwards.
    """

    modulator: Modulator
    control: Annotated[str, Field(min_length=1, max_length=60)]
    amount: float

    @property
    def key(self) -> tuple[str, str]:
        """Identifies a route: at most one has it."""
        return self.modulator, self.control


@dataclass(frozen=True)
class Oscillator:
    """A low-frequency oscillator.

    Attributes:
        shape: one of `SHAPES`; "steps" and "drift" are random, and the same in every run.
        hz: cycles a second.
        beats: length of a cycle in beats of the clock; 0: use `hz`.
        phase: start of a cycle, 0..1.
        retrigger: a cycle starts with every note; otherwise all notes share one phase.
    """

    shape: str = "sine"
    hz: float = 1.0
    beats: float = 0.0
    phase: float = 0.0
    retrigger: bool = False


@dataclass(frozen=True)
class ModulationEnvelope:
    """An envelope that every note restarts: times in seconds, `sustain` 0..1."""

    attack: float = 0.01
    decay: float = 0.3
    sustain: float = 0.0
    release: float = 0.3


@dataclass(frozen=True)
class Modulation:
    """The complete modulation at one moment."""

    oscillators: tuple[Oscillator, Oscillator] = (Oscillator(), Oscillator())
    envelope: ModulationEnvelope = field(default_factory=ModulationEnvelope)
    routes: tuple[Route, ...] = ()

    def of(self, control: str) -> tuple[Route, ...]:
        """The routes to a control."""
        return tuple(route for route in self.routes if route.control == control)

    @property
    def controls(self) -> frozenset[str]:
        """Names of the controls that are modulated."""
        return frozenset(route.control for route in self.routes)


def _control(name: str, unit: str, low: float, high: float, default: float, description: str) -> ControlDefinition:
    return ControlDefinition(name=name, unit=unit, min=low, max=high, default=default, description=description)


def _oscillator_controls(name: str, hz: float) -> Iterable[ControlDefinition]:
    title, shapes = name.upper(), ", ".join(f"{i} {shape}" for i, shape in enumerate(SHAPES))
    yield _control(f"{name}_shape", "shape", 0, len(SHAPES) - 1, 0, f"{title}: {shapes}")
    yield _control(f"{name}_rate", "Hz", *_HZ, hz, f"{title}: cycles per second")
    yield _control(f"{name}_beats", "beats", 0, _MAX_BEATS, 0, f"{title}: length of a cycle in beats; 0: use the rate")
    yield _control(f"{name}_phase", "of a cycle", 0, 1, 0, f"{title}: start phase")
    yield _control(f"{name}_retrigger", "off or on", 0, 1, 0, f"{title}: 1: restarts with every note")


MODULATION_CONTROLS: Mapping[str, ControlDefinition] = {
    control.name: control
    for control in (
        *_oscillator_controls("lfo1", 5.0),
        *_oscillator_controls("lfo2", 0.25),
        _control("mod_attack", "s", 0, _MAX_SECONDS, 0.01, "modulation envelope: attack time"),
        _control(
            "mod_decay", "s", 0, _MAX_SECONDS, 0.3, "modulation envelope: decay time, from the peak to the sustain"
        ),
        _control("mod_sustain", "of 1", 0, 1, 0, "modulation envelope: sustain level, until the key is released"),
        _control("mod_release", "s", 0, _MAX_SECONDS, 0.3, "modulation envelope: release time, to zero"),
    )
}
MODULATION_CHOICES: Mapping[str, tuple[str, ...]] = {
    f"{name}_{part}": choices for name in OSCILLATORS for part, choices in (("shape", SHAPES), ("retrigger", OFF_ON))
}


def modulation_of(values: Mapping[str, float], routes: tuple[Route, ...]) -> Modulation:
    """The modulation that results from controls and routes."""

    def oscillator(name: str) -> Oscillator:
        shape, hz, beats, phase, retrigger = (
            values[f"{name}_{part}"] for part in ("shape", "rate", "beats", "phase", "retrigger")
        )
        return Oscillator(SHAPES[round(shape)], hz, beats, phase, bool(round(retrigger)))

    envelope = ModulationEnvelope(*(values[f"mod_{part}"] for part in ("attack", "decay", "sustain", "release")))
    return Modulation((oscillator("lfo1"), oscillator("lfo2")), envelope, routes)
