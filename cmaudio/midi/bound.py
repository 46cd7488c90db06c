"""Controllers that set the controls they are bound to, and learning new bindings."""

from __future__ import annotations

from collections.abc import Callable

from cmaudio.controls.binding import Binding, Controller
from cmaudio.controls.controls import Controls
from cmaudio.midi.bindings import Bindings
from cmaudio.midi.notices import Notices
from cmaudio.score.controllers import ALL_SOUND_OFF, wheel_position
from cmaudio.score.messages import CHANNEL_PRESSURE, CONTROL, WHEEL, Message

SOURCE = "midi"  # source of changes, as listeners of the controls see it


class BoundControls:
    """Sets the instrument's controls. `on_learned` is called with each new binding."""

    def __init__(self, controls: Controls, bindings: Bindings, notices: Notices) -> None:
        self.bindings = bindings
        self.on_learned: Callable[[Binding], object] | None = None
        self._controls, self._notices = controls, notices
        for binding in bindings:
            self._has(binding)

    def move(self, at: int, message: Message) -> bool:
        """Set the control that the message's controller is bound to; False if there is none."""
        source = _controller_of(message)
        if source is None:
            return False
        channel, (controller, position) = message[0] & 0x0F, source
        learnt = self.bindings.moved(channel, controller, position)
        if learnt is not None:
            self._notices.tell(f"learnt: {learnt}")
            if self.on_learned is not None:
                self.on_learned(learnt)
        binding = self.bindings.find(channel, controller)
        if binding is None or not self._has(binding):
            return False
        known = self._controls.definitions[binding.control]
        self._controls.set(binding.control, min(known.max, max(known.min, binding.value(position))), SOURCE, at)
        return True

    def _has(self, binding: Binding) -> bool:
        if binding.control in self._controls.definitions:
            return True
        self._notices.once(f"this model has no control {binding.control!r}: {binding} is kept and has no effect")
        return False


def _controller_of(message: Message) -> tuple[Controller, float] | None:
    """The controller of a message and its position 0..1, None for other messages."""
    status, first, second = message
    kind = status & 0xF0
    if kind == CONTROL and first < ALL_SOUND_OFF:
        return first, second / 127
    if kind == WHEEL:
        return "bend", (wheel_position(first, second) + 1) / 2
    if kind == CHANNEL_PRESSURE:
        return "pressure", first / 127
    return None
