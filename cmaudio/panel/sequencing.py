"""The step sequencer and the arpeggiator for the pages: carries their commands out, and describes their state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cmaudio.errors import CmaudioError
from cmaudio.files.names import file_stem, unused_path
from cmaudio.panel import sequencer_commands as s
from cmaudio.panel.instrument import PanelInstrument
from cmaudio.panel.takes import stamp
from cmaudio.sequencer.grid import AutomationLane, GridPattern, Lane
from cmaudio.sequencer.midi_export import export_midi
from cmaudio.sequencer.python_export import export_python
from cmaudio.sequencer.recording import free_lane_name

_EXPORTED_ROUNDS = 4


class Sequencing:
    """The sequencer of an instrument, for all pages together.

    Args:
        synth: the instrument.
        folder: where patterns are exported to.
        notice: tells the pages something.
    """

    def __init__(self, synth: PanelInstrument, folder: Path, notice: Callable[[str], object]) -> None:
        self._synth, self._folder, self._notice = synth, folder, notice
        self._described: tuple[GridPattern | None, dict[str, Any]] = (None, {})
        self.exported: str | None = None

    def do(self, command: s.SequencerCommand) -> None:
        """Carry a command out. Raises CmaudioError for what the model or the pattern lacks."""
        sequencer = self._synth.sequencer
        match command:
            case s.RunSequencer(action=action, strength=strength):
                self._run(action, strength)
            case s.ChoosePattern(action=action, pattern=name):
                self._choose(action, name)
            case s.SetTempo(tempo=tempo):
                sequencer.bank = sequencer.bank.changed(tempo=tempo)
                self._synth.clock.set_tempo(tempo)
            case s.SetArpeggiator():
                self._synth.arpeggiator.change(**command.model_dump(exclude={"kind", "gesture"}, exclude_none=True))
            case s.ExportPattern(format=form):
                self._export(form)
            case _:
                before = sequencer.bank.pattern(command.pattern)
                sequencer.edit(_edited(before, command), before.name)

    def _run(self, action: str, strength: float) -> None:
        sequencer = self._synth.sequencer
        if action == "record":
            sequencer.record(strength)
        else:
            {"play": sequencer.play, "stop": sequencer.stop, "stop_recording": sequencer.stop_recording}[action]()
        self._synth.wake()

    def _choose(self, action: str, name: str) -> None:
        sequencer = self._synth.sequencer
        bank = sequencer.bank
        match action:
            case "select":
                sequencer.select(name)
            case "remove":
                sequencer.remove(name)
            case "clear":
                sequencer.edit(GridPattern(name=bank.pattern(name).name))
            case _:
                free = bank.free_name()
                source = bank.pattern(name)
                sequencer.edit(source.changed(name=free) if action == "copy" else GridPattern(name=free))
                sequencer.select(free)

    def _export(self, form: str) -> None:
        sequencer, model, tempo = self._synth.sequencer, self._synth.model, self._synth.clock.tempo
        pattern = sequencer.pattern
        kind = "patterns" if form == "json" else f"pattern-{file_stem(pattern.name)}"
        path = unused_path(self._folder / f"{kind}-{stamp()}.{form}")
        if form == "mid":
            for text in export_midi(pattern, path, model, tempo=tempo, rounds=_EXPORTED_ROUNDS):
                self._notice(text)
        elif form == "py":
            export_python(pattern, path, model, tempo=tempo)
        else:
            sequencer.save(path)
        self.exported = path.name
        self._notice(f"exported as {path.name}")

    # -- state -------------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any] | None:
        """All but the position, for the pages; None for a model that reads text."""
        if self._synth.model.manifest.speech is not None:
            return None
        sequencer = self._synth.sequencer
        pattern = sequencer.pattern
        if self._described[0] is not pattern:
            self._described = (pattern, pattern.model_dump(mode="json"))
        return {
            "patterns": sequencer.bank.names,
            "pattern": self._described[1],
            "playing": sequencer.playing,
            "recording": sequencer.recording is not None,
            "queued": sequencer.queued,
            "tempo": round(self._synth.clock.tempo, 1),
            "arpeggiator": self._synth.arpeggiator.settings.model_dump(mode="json"),
            "exported": self.exported,
        }

    @property
    def position(self) -> list[Any] | None:
        """Pattern and step that play."""
        if self._synth.model.manifest.speech is not None:
            return None
        found = self._synth.sequencer.position
        return None if found is None else list(found)


_Edit = s.SetPattern | s.AddLane | s.ChangeLane | s.SetStep | s.ChangeStep | s.Automate | s.SetAutomation


def _edited(pattern: GridPattern, command: _Edit) -> GridPattern:
    """A pattern as a command changes it."""
    match command:
        case s.SetPattern():
            return pattern.changed(**command.model_dump(exclude={"kind", "gesture", "pattern"}, exclude_none=True))
        case s.AddLane(timbre=timbre, pad=pad):
            name = free_lane_name(pattern, pad or timbre or "notes")
            return pattern.changed(lanes=(*pattern.lanes, Lane(name=name, timbre=timbre, pad=pad)))
        case s.ChangeLane(action="remove", lane=lane):
            return pattern.without_lane(lane)
        case s.ChangeLane(action=action, lane=lane):
            return pattern.with_lane(pattern.lane(lane).changed(muted=action == "mute"))
        case s.SetStep(lane=lane, index=index, step=step):
            return pattern.with_lane(pattern.lane(lane).with_step(index, step))
        case s.ChangeStep(lane=lane, index=index):
            return pattern.with_lane(pattern.lane(lane).with_changed_step(index, **command.changes()))
        case s.Automate(action="add", control=control):
            return pattern.with_automation(AutomationLane(control=control))
        case s.Automate(action="remove", control=control):
            return pattern.without_automation(control)
        case s.Automate(action=action, control=control):
            return pattern.with_automation(_automated(pattern, control).changed(smooth=action == "smooth"))
        case s.SetAutomation(control=control, index=index, value=value):
            return pattern.with_automation(_automated(pattern, control).with_value(index, value))


def _automated(pattern: GridPattern, control: str) -> AutomationLane:
    found = pattern.automated(control)
    if found is None:
        raise CmaudioError(f"{control!r} is not automated in pattern {pattern.name!r}; add it first")
    return found
