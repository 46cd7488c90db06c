"""Executes the pages' commands on the instrument. An invalid command is refused with a message."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cmaudio.errors import CmaudioError
from cmaudio.output.devices import Device, list_devices, open_sound_card
from cmaudio.panel import commands as c
from cmaudio.panel.audition import Auditions, Sketch, sketch_of_preset
from cmaudio.panel.choices import Choices
from cmaudio.panel.clock_output import ClockOutput
from cmaudio.panel.example import play_example
from cmaudio.panel.held_inputs import PAD_CHANNEL, HeldInputs
from cmaudio.panel.history import History
from cmaudio.panel.introduction import introduction
from cmaudio.panel.learning import TimbreLearning
from cmaudio.panel.limits import BackgroundJobs, Texts
from cmaudio.panel.presets import Presets
from cmaudio.panel.sequencer_commands import SequencerCommand
from cmaudio.panel.sequencing import Sequencing
from cmaudio.panel.slots import Slots
from cmaudio.panel.takes import Takes
from cmaudio.panel.variations.job import make_job
from cmaudio.panel.variations.runner import VariationRunner
from cmaudio.synth import Synth

Tell = Callable[[dict[str, Any]], None]
_NEIGHBOURS = 6
_Play = c.PressKey | c.LiftKey | c.PressPad | c.LiftPad | c.SetSustain | c.SetControl
_Shape = c.RouteModulator | c.GoToPlace | c.ChooseTimbre | c.SetSeed | c.LockSeed | c.ApplyPreset | c.UseSlot


def devices() -> list[Device]:
    """The sound cards; none without PortAudio."""
    try:
        return list_devices()
    except CmaudioError:
        return []


class CommandHandler:
    """Executes the commands of all clients on one instrument.

    Args:
        synth: the instrument.
        files: the folder for takes and variations.
        clock: the output that plays in the page.
        tell: sends a message to the pages.
    """

    def __init__(self, synth: Synth, files: Path, clock: ClockOutput, tell: Tell) -> None:
        self.synth, self.clock, self._tell = synth, clock, tell
        self.held_inputs, self.slots, self.takes = HeldInputs(synth), Slots(), Takes(synth, files)
        self.variations, self.presets, self._texts = VariationRunner(), Presets(synth), Texts(synth.say, self._notice)
        self.sequencing = Sequencing(synth, files, self._notice)
        model, notify = synth.model.manifest.name, synth.player.notify
        self.choices = Choices(model, files, notify)
        self.device_names = [device.full_name for device in devices()]
        self._lock = threading.Lock()  # a restarted server may overlap with its predecessor
        self._keeping = BackgroundJobs("cmaudio-panel-keep", "recordings", self._refuse)
        self._switching = BackgroundJobs("cmaudio-panel-device", "changes of the output", self._refuse)
        self._spaces = BackgroundJobs("cmaudio-panel-space", "impulse responses", self._refuse)
        self._learning = BackgroundJobs("cmaudio-panel-learn", "sounds to learn", self._refuse)
        self._timbres, self._auditions = TimbreLearning(synth, files), Auditions(synth)
        mix = synth.controls.timbre  # set again, so that its position on the map is known
        synth.controls.set_timbre(synth.controls.vector if mix is None else mix, 0)
        self.history = History(synth, lambda: self.presets.current, self.presets.show)

    def take(self, client: str, data: bytes) -> None:
        """Parse a command and execute it; never raises."""
        try:
            command = c.parse_command(data)
            with self._lock:
                self.history.settle()
                self._do(client, command)
                if command.kind not in ("undo", "redo"):
                    self.history.record(c.what_it_changes(command), command.gesture and f"{client} {command.gesture}")
        except Exception as error:
            self._refuse(client, error)

    def follow_history(self) -> dict[str, str | None]:
        """What "undo" and "redo" would change; changes by MIDI, OSC and programs become a step once they settle."""
        with self._lock:
            self.history.settle(wait=True)
            return self.history.labels

    def disconnect(self, client: str) -> None:
        """A client has left: release what it holds."""
        with self._lock:
            self.held_inputs.release(client)
            self._auditions.hear(client, None)

    def disconnect_all(self) -> None:
        """The server has ended, and with it all clients."""
        with self._lock:
            self.held_inputs.release_all()

    def close(self) -> None:
        """End everything that commands have started."""
        self.disconnect_all()
        self.held_inputs.close()
        self.sequencing.click.close()
        self.history.close()
        self.variations.close()
        for jobs in (self._keeping, self._switching, self._spaces, self._learning):
            jobs.close()

    def _refuse(self, client: str, error: Exception) -> None:
        if not isinstance(error, CmaudioError):
            sys.excepthook(type(error), error, error.__traceback__)
        text = str(error) if isinstance(error, CmaudioError) else f"{type(error).__name__}: {error}"
        self._tell({"kind": "refused", "client": client, "text": text})

    def _notice(self, text: str) -> None:
        self._tell({"kind": "notice", "text": text})

    def _do(self, client: str, command: c.Command) -> None:
        if isinstance(command, SequencerCommand):
            self.sequencing.do(command)
            return
        match command:
            case c.PressKey() | c.LiftKey() | c.PressPad() | c.LiftPad() | c.SetSustain() | c.SetControl():
                self._play(client, command)
            case c.BareCommand():
                self._bare(client, command.kind)
            case c.SavePreset(name=name, description=description, tags=tags):
                self._notice(f"saved as {self.presets.save(name, description, tags)}")
            case c.Audition(what=what, name=name):
                self._auditions.hear(client, None if name is None else self._sketch(what, name))
            case c.LearnControl(name=name):
                self._learn(name)
            case c.SayText(text=text):
                self._texts.say(client, text)
            case c.RenderVariations():
                job = make_job(command, self.synth.controls, self.synth.recorder, self.takes.folder)
                self.variations.start(job, command.what)
            case c.KeepRecent(seconds=seconds):
                self._keeping.submit(client, lambda: self._notice(f"kept as {self.takes.keep(seconds).name}"))
            case c.MarkFavourite(what=what, name=name, on=on):
                self.choices.mark(what, name, on)
            case c.DeleteFile() | c.RenameFile():
                self._change_file(command)
            case c.UseSpace(file=file):
                path = None if file is None else self.takes.path(file)
                self._spaces.submit(client, lambda: self._use_space(path, c.what_it_changes(command)))
            case c.LearnSound(file=file):
                self._learning.submit(client, lambda: self._learn_sound(file, c.what_it_changes(command)))
            case c.ChooseDevice(name=name):
                self._switching.submit(client, lambda: self._use_device(name))
            case _:
                self._shape(client, command)

    def _sketch(self, what: str, name: str) -> Sketch:
        return sketch_of_preset(self.presets.read(name)) if what == "preset" else Sketch(name)

    def _change_file(self, command: c.DeleteFile | c.RenameFile) -> None:
        renamed = None
        if isinstance(command, c.RenameFile):
            renamed = self.takes.rename(command.file, command.name).name
        else:
            self.takes.delete(command.file)
        self.variations.renamed(command.file, renamed)
        self.choices.renamed(command.file, renamed)

    def _play(self, client: str, command: _Play) -> None:
        match command:
            case c.PressKey(pitch=pitch, velocity=velocity):
                self.held_inputs.press(client, pitch, velocity)
            case c.LiftKey(pitch=pitch):
                self.held_inputs.lift(client, pitch)
            case c.PressPad(pitch=pitch, velocity=velocity):
                self.held_inputs.press(client, pitch, velocity, PAD_CHANNEL)
            case c.LiftPad(pitch=pitch):
                self.held_inputs.lift(client, pitch, PAD_CHANNEL)
            case c.SetSustain(down=down):
                self.held_inputs.sustain(client, down)
            case c.SetControl(name=name, value=value, held=held):
                self.held_inputs.set(client, name, value, held)
        self.synth.wake()

    def _shape(self, client: str, command: _Shape) -> None:
        controls = self.synth.controls
        match command:
            case c.RouteModulator(modulator=modulator, control=control, amount=amount):
                controls.route(modulator, control, amount, client)
            case c.GoToPlace(x=x, y=y):
                controls.go_to(x, y, source=client)
            case c.ChooseTimbre(name=name):
                controls.set_timbre(name, source=client)
            case c.SetSeed(seed=seed):
                controls.set_seed(seed, client)
            case c.LockSeed(locked=locked):
                controls.lock_seed(locked, client)
            case c.ApplyPreset(name=name):
                self.presets.apply(name)
            case c.UseSlot(kind="store", slot=slot):
                self.slots.store(slot, controls)
            case c.UseSlot(slot=slot):
                self.slots.recall(slot, controls, client)

    def _bare(self, client: str, kind: str) -> None:
        controls = self.synth.controls
        actions: dict[str, Callable[[], Any]] = {
            "roll": lambda: controls.roll_seed(client),
            "reset": lambda: controls.reset(client),
            "undo": lambda: self._tell({"kind": "done", "client": client, "text": f"undone: {self.history.undo()}"}),
            "redo": lambda: self._tell({"kind": "done", "client": client, "text": f"redone: {self.history.redo()}"}),
            "neighbour": lambda: controls.set_timbre(self._neighbour(), source=client),
            "example": lambda: self._notice(f"{play_example(self.synth)}; panic ends it"),
            "read": self.choices.read_hints,
            "panic": self.synth.panic,
            "record": self.takes.record,
            "stop": self.takes.stop,
            "hush": self._texts.stop,
            "cancel": self.variations.cancel,  # immediately, ahead of waiting jobs
            "devices": self._find_devices,
            "link": self._link,
            "unlink": self.synth.disconnect_link,
        }
        actions[kind]()

    def _neighbour(self) -> str:
        """One of the timbres nearest to the present position, at random."""
        controls = self.synth.controls
        near = controls.timbre_map.near(controls["timbre_x"], controls["timbre_y"], _NEIGHBOURS)
        if not near:
            raise CmaudioError("this model has no other timbre")
        return random.choice(near)

    def _use_space(self, path: Path | None, what: str) -> None:
        self.synth.use_impulse_response(path)
        with self._lock:
            self.history.record(what)

    def _learn_sound(self, file: str, what: str) -> None:
        text = self._timbres.learn(file)
        with self._lock:
            self.history.record(what)
        self._tell(introduction(self.synth, self.takes.folder))
        self._notice(text)

    def _use_device(self, name: str | None) -> None:
        self.synth.use_device(name, self.clock if name is None else open_sound_card)

    def _find_devices(self) -> None:
        self.device_names = [device.full_name for device in devices()]

    def _link(self) -> None:
        if self.synth.link is None:
            self.synth.connect_link()

    def _learn(self, control: str | None) -> None:
        midi = self.synth.midi
        if midi is None:
            raise CmaudioError("no MIDI input is open: connect a controller and restart the panel")
        if control is None:
            midi.bindings.forget_learning()
            return
        midi.on_learned = lambda binding: self._notice(f"{binding}: {midi.bindings.save()}")
        midi.learn(control)
        self._notice(f"move the MIDI controller for {control.replace('_', ' ')}")
