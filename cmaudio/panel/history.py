"""Undo and redo of everything that changes the sound, for all pages together.

A step is the difference between two snapshots, so undoing it does not affect other changes. Changes by MIDI, OSC and
programs become a separate step once they settle. Pattern automation and the pitch wheel count as playing, not as
settings, and make no steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from cmaudio.errors import CmaudioError
from cmaudio.panel.snapshot import Snapshot
from cmaudio.synth import Synth

MAX_STEPS = 200
_REST_SECONDS = 1.0
_PLAYED = "bend"
_AUTOMATION = "clock"  # source of changes by patterns and glides
_TIMBRE = ("timbre_x", "timbre_y")


@dataclass(frozen=True)
class _Step:
    """One step. `gesture` names the drag that made it, empty for none."""

    what: str
    before: Snapshot
    after: Snapshot
    preset: tuple[str | None, str | None]
    gesture: str = ""


class History:
    """The steps that led here, and those undone. Not thread-safe: the command handler's lock guards it.

    Args:
        synth: the instrument.
        preset: reads the name of the preset that pages show.
        show_preset: sets it.
        clock: seconds, for telling when a change from elsewhere has settled.
    """

    def __init__(
        self,
        synth: Synth,
        preset: Callable[[], str | None],
        show_preset: Callable[[str | None], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._synth, self._preset, self._show_preset, self._clock = synth, preset, show_preset, clock
        self._done: list[_Step]
        self._undone: list[_Step]
        self._moved_s: float | None  # time of the last change that is not in a step yet
        self._automated: set[str] = set()
        self.start()
        self._ends = (synth.controls.subscribe(self._listen), synth.sequencer.subscribe(self._listen_to_patterns))

    def close(self) -> None:
        """Stop following the instrument."""
        for end in self._ends:
            end()

    def start(self) -> None:
        """Start here: earlier changes cannot be undone."""
        self._done, self._undone, self._moved_s = [], [], None
        self._here, self._named = self._now(), self._preset()

    @property
    def labels(self) -> dict[str, str | None]:
        """What "undo" and "redo" would change next; None for nothing."""
        return {"undo": self._done[-1].what if self._done else None,
                "redo": self._undone[-1].what if self._undone else None}  # fmt: skip

    def record(self, what: str, gesture: str = "") -> None:
        """Make the changes since the last step a new step; changes of one gesture become one step."""
        named = self._preset()
        if self._moved_s is None and self._synth.impulse_response == self._here.space:
            self._named = named
            return
        now = self._now()
        self._moved_s = None
        last = self._done[-1] if self._done else None
        if last is not None and gesture and last.gesture == gesture:
            self._done.pop()
            step = replace(last, after=now, preset=(last.preset[0], named))
        else:
            step = _Step(what, self._here, now, (self._named, named), gesture)
        self._here, self._named = now, named
        if step.before.changes_to(step.after):
            self._done = [*self._done, step][-MAX_STEPS:]
            self._undone.clear()

    def settle(self, wait: bool = False) -> None:
        """Make changes from elsewhere a step; with `wait` only if they have settled."""
        since = self._moved_s
        if since is None or (wait and self._clock() - since < _REST_SECONDS):
            return
        changed = self._here.changes_to(self._now())
        self.record(changed[0].replace("_", " ") if len(changed) == 1 else "MIDI, OSC or a program")

    def undo(self) -> str:
        """Undo the last step; returns what it had changed. Raises CmaudioError if there is none."""
        if not self._done:
            raise CmaudioError("there is nothing to undo")
        step = self._done[-1]
        self._go(step.after, step.before, step.preset[0])
        self._undone.append(replace(self._done.pop(), gesture=""))
        return step.what

    def redo(self) -> str:
        """Redo the step undone last; returns what it changes. Raises CmaudioError if there is none."""
        if not self._undone:
            raise CmaudioError("there is nothing to redo")
        step = self._undone[-1]
        self._go(step.before, step.after, step.preset[1])
        self._done.append(self._undone.pop())
        return step.what

    def _go(self, start: Snapshot, end: Snapshot, preset: str | None) -> None:
        target = self._now().taking(start.changes_to(end), end)
        if target.space != self._synth.impulse_response:
            self._synth.use_impulse_response(target.space)
        if target.patterns is not None and target.patterns != self._synth.sequencer.bank:
            self._synth.sequencer.bank = target.patterns
        target.apply(self._synth.controls)
        self._show_preset(preset)
        self._here, self._named, self._moved_s = self._now(), preset, None

    def _now(self) -> Snapshot:
        """The present state, without automation and playing."""
        now = Snapshot.of(self._synth.controls, self._synth.impulse_response)
        values = {name: value for name, value in now.values.items() if name != _PLAYED and name not in self._automated}
        if self._automated.intersection(_TIMBRE):
            now = now.taking(["timbre"], self._here)
        return replace(now, values=values, patterns=self._synth.sequencer.bank)

    def _listen_to_patterns(self) -> None:
        self._moved_s = self._clock()

    def _listen(self, name: str, value: object, source: str) -> None:
        if source == _AUTOMATION:
            self._automated.add(name)
        elif name != _PLAYED:
            self._automated.discard(name)
            self._moved_s = self._clock()
