"""The step sequencer and the arpeggiator for the pages: carries their commands out, and describes their state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cmaudio.errors import CmaudioError
from cmaudio.files.names import file_stem, unused_path
from cmaudio.panel import sequencer_commands as s
from cmaudio.panel.click import Click
from cmaudio.panel.takes import stamp
from cmaudio.sequencer.grid import AutomationLane, GridPattern, Lane
from cmaudio.sequencer.midi_export import export_midi
from cmaudio.sequencer.python_export import export_python
from cmaudio.sequencer.recording import free_lane_name
from cmaudio.sequencer.song import Song, SongPart
from cmaudio.synth import Synth

_EXPORTED_ROUNDS = 4


class Sequencing:
    """The sequencer of an instrument, for all pages together.

    Args:
        synth: the instrument.
        folder: where patterns are exported to.
        notice: tells the pages something.
    """

    def __init__(self, synth: Synth, folder: Path, notice: Callable[[str], object]) -> None:
        self._synth, self._folder, self._notice = synth, folder, notice
        self._described: tuple[GridPattern | None, dict[str, Any]] = (None, {})
        self.exported: str | None = None
        self.click = Click(synth)

    def do(self, command: s.SequencerCommand) -> None:
        """Carry a command out. Raises CmaudioError for what the model or the pattern lacks."""
        sequencer = self._synth.sequencer
        match command:
            case s.RunSequencer(action=action, strength=strength):
                self._run(action, strength)
            case s.TurnClick(on=on):
                self.click.turn(on)
            case s.ChoosePattern(action=action, pattern=name):
                self._choose(action, name)
            case s.SetTempo(tempo=tempo):
                with sequencer.clock.lock:
                    sequencer.bank = sequencer.bank.changed(tempo=tempo)
                self._synth.clock.set_tempo(tempo)
            case s.SetArpeggiator():
                self._synth.arpeggiator.change(**command.model_dump(exclude={"kind", "gesture"}, exclude_none=True))
            case s.ExportPattern(format=form, song=song):
                self._export(form, song)
            case s.AddPart() | s.ChangePart() | s.RepeatPart() | s.LoopSong():
                with sequencer.clock.lock:
                    sequencer.song = _arranged(sequencer.song, command)
            case _:
                with sequencer.clock.lock:  # so that a note recorded meanwhile is kept
                    before = sequencer.bank.pattern(command.pattern)
                    sequencer.edit(_edited(before, command), before.name)

    def _run(self, action: str, strength: float) -> None:
        sequencer = self._synth.sequencer
        match action:
            case "record":
                sequencer.record(strength)
            case "play" | "play_song":
                sequencer.play(song=action == "play_song")
            case "stop":
                sequencer.stop()
            case _:
                sequencer.stop_recording()
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

    def _export(self, form: str, song: bool) -> None:
        sequencer, model, tempo = self._synth.sequencer, self._synth.model, self._synth.clock.tempo
        source = sequencer.bank if song else sequencer.pattern
        kind = "song" if song else f"pattern-{file_stem(sequencer.pattern.name)}"
        path = unused_path(self._folder / f"{'patterns' if form == 'json' else kind}-{stamp()}.{form}")
        if form == "mid":
            for text in export_midi(source, path, model, tempo=tempo, rounds=1 if song else _EXPORTED_ROUNDS):
                self._notice(text)
        elif form == "py":
            export_python(source, path, model, tempo=tempo)
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
            "click": self.click.on,
            "recording": sequencer.recording is not None,
            "queued": sequencer.queued,
            "song": sequencer.song.model_dump(mode="json"),
            "plays_song": sequencer.plays_song,
            "tempo": round(self._synth.clock.tempo, 1),
            "arpeggiator": self._synth.arpeggiator.settings.model_dump(mode="json"),
            "exported": self.exported,
        }

    @property
    def position(self) -> list[Any] | None:
        """Pattern, step and part of the song that play."""
        if self._synth.model.manifest.speech is not None:
            return None
        found = self._synth.sequencer.position
        return None if found is None else [*found, self._synth.sequencer.part]


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
        case s.ChangeStep(lane=lane, index=index, louder=louder):
            changed = pattern.lane(lane).with_changed_step(index, **command.changes())
            step = changed.steps[index]
            velocity = min(127, max(1, step.velocity + (louder or 0)))
            return pattern.with_lane(changed.with_step(index, step.changed(velocity=velocity)))
        case s.Automate(action="add", control=control):
            return pattern.with_automation(AutomationLane(control=control))
        case s.Automate(action="remove", control=control):
            return pattern.without_automation(control)
        case s.Automate(action=action, control=control):
            return pattern.with_automation(_automated(pattern, control).changed(smooth=action == "smooth"))
        case s.SetAutomation(control=control, index=index, value=value):
            return pattern.with_automation(_automated(pattern, control).with_value(index, value))


def _arranged(song: Song, command: s.AddPart | s.ChangePart | s.RepeatPart | s.LoopSong) -> Song:
    """A song as a command changes it. Raises CmaudioError for a part that has changed meanwhile."""
    match command:
        case s.AddPart(pattern=name):
            return song.with_part(SongPart(pattern=name))
        case s.LoopSong(on=on):
            return song.changed(loop=on)
    index, part = command.index, song.part(command.index)
    if part.pattern != command.pattern:
        raise CmaudioError(f"part {index + 1} of the song is {part.pattern!r} by now; try again")
    match command:
        case s.RepeatPart(rounds=rounds):
            return song.with_part(part.changed(rounds=rounds), index)
        case s.ChangePart(action="remove"):
            return song.without_part(index)
        case s.ChangePart(action=action):
            return song.moved(index, index + (1 if action == "later" else -1))


def _automated(pattern: GridPattern, control: str) -> AutomationLane:
    found = pattern.automated(control)
    if found is None:
        raise CmaudioError(f"{control!r} is not automated in pattern {pattern.name!r}; add it first")
    return found
