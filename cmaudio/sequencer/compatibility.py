"""Which patterns of a bank a model can play: their timbres, pads and controls."""

from __future__ import annotations

from cmaudio.checks import in_range
from cmaudio.controls.controls import Controls
from cmaudio.errors import CmaudioError, unknown
from cmaudio.model.file import Model
from cmaudio.sequencer.bank import PatternBank
from cmaudio.sequencer.grid import AutomationLane, GridPattern, Lane


def check_bank(bank: PatternBank, model: Model, controls: Controls) -> None:
    """Raises CmaudioError that names the pattern and lane of a timbre, pad or control that the model lacks."""
    for pattern in bank.patterns:
        lanes: list[Lane | AutomationLane] = [*pattern.lanes, *pattern.automation]
        for lane in lanes:
            if (problem := _problem(lane, model, controls)) is not None:
                name = lane.name if isinstance(lane, Lane) else lane.control
                raise CmaudioError(f"lane {name!r} of pattern {pattern.name!r}: {problem}")


def compatible_part(bank: PatternBank, model: Model, controls: Controls) -> PatternBank:
    """The part of a bank from a file that the model can play."""

    def kept(pattern: GridPattern) -> GridPattern:
        lanes = tuple(lane for lane in pattern.lanes if _problem(lane, model, controls) is None)
        automation = tuple(lane for lane in pattern.automation if _problem(lane, model, controls) is None)
        return pattern.changed(lanes=lanes, automation=automation)

    return bank.changed(patterns=tuple(map(kept, bank.patterns)))


def _problem(lane: Lane | AutomationLane, model: Model, controls: Controls) -> CmaudioError | None:
    """Why a lane cannot be played; None if it can."""
    try:
        if isinstance(lane, Lane):
            _check_lane(lane, model)
        else:
            _check_automation(lane, controls)
    except CmaudioError as error:
        return error
    return None


def _check_lane(lane: Lane, model: Model) -> None:
    if lane.pad is not None and lane.pad not in model.drums.values():
        raise CmaudioError(unknown("pad", lane.pad, list(model.drums.values())))
    if lane.timbre is not None:
        model.timbre_vector(lane.timbre)


def _check_automation(lane: AutomationLane, controls: Controls) -> None:
    _ = controls[lane.control]  # raises for an unknown control
    known = controls.definitions[lane.control]
    for value in lane.values.values():
        in_range(lane.control, value, known.min, known.max, known.unit)
