"""The settings of the effects, by name, as displayed."""

from __future__ import annotations

from dataclasses import dataclass

from cmaudio.checks import in_range
from cmaudio.errors import CmaudioError

REVERB_KINDS = ("room", "hall", "plate", "cathedral")
OFF_ON = ("off", "on")
TEMPO = 120.0  # beats per minute, until a clock sets it


@dataclass(frozen=True)
class Setting:
    """A setting with its range, which includes both ends."""

    name: str
    unit: str
    min: float
    max: float
    default: float
    description: str
    choices: tuple[str, ...] = ()  # names of its values, which are whole numbers from 0

    @property
    def whole(self) -> bool:
        """Whether it takes whole numbers only; others are rounded."""
        return bool(self.choices)


_ALL = (
    Setting("reverb_kind", "kind", 0, 3, 1, "reverb: 0 room, 1 hall, 2 plate, 3 cathedral", REVERB_KINDS),
    Setting("reverb_decay", "s", 0.3, 30, 2, "reverb: time to decay by 60 dB"),
    Setting("reverb_damping", "of 1", 0, 1, 0.3, "reverb: how much faster treble decays"),
    Setting("reverb_predelay", "ms", 0, 250, 15, "reverb: pre-delay"),
    Setting("reverb_size", "of the kind's", 0.5, 2, 1, "reverb: size of the room"),
    Setting("delay_beats", "beats", 0.0625, 8, 0.75, "delay: time between echoes, in beats of the clock"),
    Setting("delay_feedback", "of 1", 0, 0.95, 0.35, "delay: gain from one echo to the next"),
    Setting("delay_damping", "of 1", 0, 1, 0.4, "delay: loss of treble from one echo to the next"),
    Setting("delay_ping_pong", "off or on", 0, 1, 1, "delay: 1: echoes alternate sides, 0: separate sides", OFF_ON),
)
SETTINGS = {setting.name: setting for setting in _ALL}


def checked_setting(name: str, value: float) -> float:
    """`value` for this setting, rounded if it takes whole numbers.

    Raises CmaudioError for an unknown name or a value out of range.
    """
    setting = SETTINGS.get(name)
    if setting is None:
        raise CmaudioError(f"no setting {name!r} of the effects; there are {', '.join(SETTINGS)}")
    checked = in_range(name, value, setting.min, setting.max, setting.unit)
    return float(round(checked)) if setting.whole else checked
