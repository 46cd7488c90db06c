"""Settings of a piece from the command line and a preset; the command line takes precedence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from cmaudio.cli.options import DEFAULT_SEND
from cmaudio.controls.definitions import STEREO_CONTROLS
from cmaudio.errors import CmaudioError
from cmaudio.instrument.preset_files import load_preset
from cmaudio.model.timbres import Timbre
from cmaudio.modulation.settings import Route
from cmaudio.score.events import Score
from cmaudio.score.midi_file import read_midi
from cmaudio.score.pieces import builtin_piece
from cmaudio.synth import Synth

_OPTION_OF_CONTROL = {"gain": "--gain", "steps": "--steps", "timbre_x": "--timbre", "timbre_y": "--timbre"}


@dataclass(frozen=True)
class PieceSettings:
    """How a piece is played; `timbre` None keeps the programs of the file."""

    model: str
    timbre: Timbre | None = None
    seed: int = 0
    steps: int = 1
    gain_db: float = 0.0
    controls: dict[str, float] = field(default_factory=dict)
    impulse_response: str | None = None
    routes: tuple[Route, ...] = ()

    def controls_for(self, channels: int) -> dict[str, float]:
        """The controls for an engine with this number of channels."""
        return {n: v for n, v in self.controls.items() if channels > 1 or n not in STEREO_CONTROLS}

    def routes_for(self, channels: int) -> list[Route]:
        """The routes for an engine with this number of channels."""
        return [route for route in self.routes if channels > 1 or route.control not in STEREO_CONTROLS]


def control_values(options: Iterable[str] | None) -> dict[str, float]:
    """Options NAME=VALUE as values by name. Raises CmaudioError for any other form."""
    values = {}
    for option in options or ():
        name, _, value = (part.strip() for part in option.partition("="))
        try:
            values[name] = float(value)
        except ValueError as error:
            raise CmaudioError(f"--set {option}: give a control and a number, as in --set attack=1.5") from error
    return values


def piece_settings(
    preset: str | None,
    model: str,
    *,
    timbre: str | None,
    seed: int | None,
    steps: int | None,
    gain_db: float | None,
    controls: Iterable[str] | None = None,
    impulse_response: Path | None = None,
) -> PieceSettings:
    """Defaults, overridden by the preset's values, overridden by those given (not None)."""
    settings = PieceSettings(model)
    if preset is not None:
        found = load_preset(preset)
        settings = PieceSettings(
            found.model,
            found.timbre,
            found.seed or 0,
            found.steps,
            found.gain_db,
            dict(found.controls),
            found.impulse_response,
            tuple(found.routes),
        )
    if timbre is not None:
        settings = replace(settings, timbre=timbre)
    if seed is not None:
        settings = replace(settings, seed=seed)
    if steps is not None:
        settings = replace(settings, steps=steps)
    if gain_db is not None:
        settings = replace(settings, gain_db=gain_db)
    given = control_values(controls)
    for name in given.keys() & _OPTION_OF_CONTROL.keys():
        raise CmaudioError(f"--set {name}: use {_OPTION_OF_CONTROL[name]}")
    settings = replace(settings, controls=settings.controls | given)
    if impulse_response is not None:
        sent = {"reverb": DEFAULT_SEND} | settings.controls
        settings = replace(settings, impulse_response=str(impulse_response), controls=sent)
    return settings


def use_space(synth: Synth, path: Path | None) -> None:
    """Replace the reverb of a live instrument by an impulse response, and send to it if nothing is sent yet."""
    if path is not None:
        synth.use_impulse_response(path)
        if synth.controls.values().get("reverb") == 0:
            synth.controls.set("reverb", DEFAULT_SEND)


def read_score(song: Path | None) -> Score:
    """A MIDI file, or the built-in piece if none is given."""
    return read_midi(song) if song else builtin_piece()
