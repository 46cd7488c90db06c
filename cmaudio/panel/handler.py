"""What the page's commands do to the instrument. Nonsense is refused with a message, and changes nothing."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cmaudio.engine.speech import Speech
from cmaudio.errors import CmaudioError
from cmaudio.instrument.preset_files import load_preset, preset_files, save_preset
from cmaudio.output.devices import Device, list_devices, open_sound_card
from cmaudio.panel import commands as c
from cmaudio.panel.clock_output import ClockOutput
from cmaudio.panel.held_inputs import HeldInputs
from cmaudio.panel.slots import Slots
from cmaudio.panel.takes import Takes
from cmaudio.panel.variations.job import make_job
from cmaudio.panel.variations.runner import VariationRunner
from cmaudio.synth import Synth

Tell = Callable[[dict[str, Any]], None]


def devices() -> list[Device]:
    """The sound cards there are; none without PortAudio."""
    try:
        return list_devices()
    except CmaudioError:
        return []


class CommandHandler:
    """One instrument and everybody's hands on it. `tell` takes messages for the page.

    Attributes: listened, whether a browser wants the sound; device_names, presets, what there is to choose from.
    """

    def __init__(self, synth: Synth, files: Path, clock: ClockOutput, tell: Tell) -> None:
        self.synth, self.clock, self._tell = synth, clock, tell
        self.held_inputs, self.slots, self.takes = HeldInputs(synth), Slots(), Takes(synth, files)
        self.variations = VariationRunner()
        self.listened = False
        self.device_names = [device.full_name for device in devices()]
        self.presets = self._presets()
        mix = synth.controls.timbre  # the map shows where it lies
        synth.controls.set_timbre(synth.controls.vector if mix is None else mix, 0)
        self._speeches: list[Speech] = []
        self._lock = threading.Lock()  # a server that is started anew may overlap with the last one's end
        self._slowly = ThreadPoolExecutor(1, "cmaudio-panel")  # for what takes longer than a key may wait

    def take(self, data: bytes) -> None:
        """Do what a command says; never raises."""
        client = ""
        try:
            command = c.parse_command(data)
            client = command.client
            with self._lock:
                self._do(command)
        except Exception as error:
            self._refuse(client, error)

    def release(self) -> None:
        """The page's server is gone, and everybody with it."""
        with self._lock:
            self.listened = False
            self.held_inputs.release_all()

    def close(self) -> None:
        """End what was begun here."""
        self.release()
        self.variations.cancel()
        self._slowly.shutdown(cancel_futures=True)

    def _refuse(self, client: str, error: Exception) -> None:
        if not isinstance(error, CmaudioError):
            sys.excepthook(type(error), error, error.__traceback__)
        text = str(error) if isinstance(error, CmaudioError) else f"{type(error).__name__}: {error}"
        self._tell({"kind": "refused", "client": client, "text": text})

    def _do(self, command: c.Command) -> None:
        match command:
            case c.Press() | c.Lift() | c.Pedal() | c.SetControl():
                self._play(command)
            case c.GoTo() | c.ChooseTimbre() | c.SetSeed() | c.LockSeed() | c.ApplyPreset() | c.Slots():
                self._shape(command)
            case c.SavePreset():
                self._save(command)
            case c.Learn():
                self._learn(command.name)
            case c.Say():
                self._speeches = [speech for speech in self._speeches if not speech.ended]
                self._speeches.append(self.synth.say(command.text))
            case c.Vary():
                job = make_job(command, self.synth.controls, self.synth.recorder, self.takes.folder)
                self.variations.start(job, command.what)
            case c.Keep():
                self._later(command, lambda: self._kept(command))
            case c.ChooseDevice():
                self._later(command, lambda: self._choose_device(command.name))
            case c.Listen():
                self.listened = command.on
            case c.Simple():
                self._simple(command)

    def _play(self, command: c.Press | c.Lift | c.Pedal | c.SetControl) -> None:
        match command:
            case c.Press():
                self.held_inputs.press(command.client, command.pitch, command.velocity)
            case c.Lift():
                self.held_inputs.lift(command.client, command.pitch)
            case c.Pedal():
                self.held_inputs.pedal(command.client, command.down)
            case c.SetControl():
                self.held_inputs.set(command.client, command.name, command.value, command.held)
        self.synth.player.wake()

    def _shape(self, command: c.GoTo | c.ChooseTimbre | c.SetSeed | c.LockSeed | c.ApplyPreset | c.Slots) -> None:
        controls, client = self.synth.controls, command.client
        match command:
            case c.GoTo():
                controls.go_to(command.x, command.y, source=client)
            case c.ChooseTimbre():
                controls.set_timbre(command.name, source=client)
            case c.SetSeed():
                controls.set_seed(command.seed, client)
            case c.LockSeed():
                controls.lock_seed(command.locked, client)
            case c.ApplyPreset():
                self.synth.apply(command.name)
            case c.Slots(kind="store"):
                self.slots.store(command.slot, controls)
            case c.Slots():
                self.slots.recall(command.slot, controls, client)

    def _simple(self, command: c.Simple) -> None:
        controls, client = self.synth.controls, command.client
        does: dict[str, Callable[[], Any]] = {
            "roll": lambda: controls.roll_seed(client),
            "reset": lambda: controls.reset(client),
            "panic": self.synth.panic,
            "record": self.takes.record,
            "stop": self.takes.stop,
            "hush": self._hush,
            "cancel": lambda: self._later(command, self.variations.cancel),
            "devices": self._look_for_devices,
            "gone": lambda: self.held_inputs.release(client),
        }
        does[command.kind]()

    def _later(self, command: c.Command, job: Callable[[], Any]) -> None:
        def run() -> None:
            try:
                job()
            except Exception as error:
                self._refuse(command.client, error)

        self._slowly.submit(run)

    def _kept(self, command: c.Keep) -> None:
        path = self.takes.keep(command.seconds)
        self._tell({"kind": "notice", "text": f"kept as {path.name}"})

    def _choose_device(self, name: str | None) -> None:
        self.synth.use_device(name, self.clock if name is None else open_sound_card)

    def _look_for_devices(self) -> None:
        self.device_names = [device.full_name for device in devices()]

    def _hush(self) -> None:
        for speech in self._speeches:
            speech.stop()

    def _learn(self, control: str | None) -> None:
        midi = self.synth.midi
        if midi is None:
            raise CmaudioError("no MIDI is connected: plug a controller in and start the panel again")
        if control is None:
            midi.bindings.forget_learning()
            return
        midi.on_learned = lambda binding: self._tell({"kind": "notice", "text": f"{binding}: {midi.bindings.save()}"})
        midi.learn(control)
        self._tell({"kind": "notice", "text": f"move the controller that is to move {control.replace('_', ' ')}"})

    def _save(self, command: c.SavePreset) -> None:
        path = save_preset(self.synth.as_preset(command.name, command.description))
        self.presets = self._presets()
        self._tell({"kind": "notice", "text": f"saved as {path}"})

    def _presets(self) -> list[dict[str, str]]:
        """Name and description of those that are of this model."""
        found = []
        for file in preset_files():
            try:
                preset = load_preset(file)
            except CmaudioError:
                continue  # `cmaudio presets` says what is wrong with it
            if preset.model == self.synth.model.manifest.name:
                found.append({"name": preset.name, "description": preset.description})
        return found
