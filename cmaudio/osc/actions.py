"""The actions behind the OSC addresses."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cmaudio.engine.note import Note
from cmaudio.engine.speech import Speech
from cmaudio.errors import CmaudioError
from cmaudio.instrument.instrument import Instrument
from cmaudio.instrument.preset_files import find_preset
from cmaudio.instrument.take import Take
from cmaudio.osc.addresses import ROOT
from cmaudio.osc.folder import SoundFolder
from cmaudio.osc.sender import all_values, source_name
from cmaudio.osc.sequencer_actions import SequencerActions
from cmaudio.osc.subscribers import Peer, Subscribers
from cmaudio.score.expression import MIX

_MAX_TEXTS = 16
_MAX_JOBS = 4


@dataclass(frozen=True)
class Call:
    """The context of a message.

    Attributes:
        peer: its sender.
        seconds: when it takes effect, on the clock of `time.perf_counter`.
        reply: called with a path and values to answer the sender.
    """

    peer: Peer
    seconds: float
    reply: Callable[..., object]

    @property
    def source(self) -> str:
        """The source of changes, as listeners of the controls see it."""
        return source_name(*self.peer)


class Actions:
    """The actions of one server. They return quickly; files are written on another thread.

    Args:
        synth: the instrument.
        folder: the folder for recordings.
        subscribers: clients that receive changes, notes and state.
        drop_scheduled: forgets messages whose time has not come yet.
        failed: called with the call and the error of a background job.

    Attributes:
        table: path -> action(call, *arguments).
    """

    def __init__(
        self,
        synth: Instrument,
        folder: SoundFolder,
        subscribers: Subscribers,
        drop_scheduled: Callable[[], object],
        failed: Callable[[Call, Exception], object],
    ) -> None:
        self._synth, self._engine, self._controls = synth, synth.engine, synth.controls
        self._folder, self._subscribers = folder, subscribers
        self._drop_scheduled, self._failed = drop_scheduled, failed
        self._notes: dict[tuple[int, int], Note] = {}
        self._speeches: list[Speech] = []
        self._take: Take | None = None
        self._worker = ThreadPoolExecutor(1, "cmaudio-osc-files")
        self._jobs: list[Future[None]] = []
        named: dict[str, Callable[..., object]] = {
            "note": self._note, "note/on": self._note_on, "note/off": self._note_off, "note/bend": self._note_bend,
            "sustain": self._sustain, "sostenuto": self._sostenuto, "output": self._output,
            "all_off": self._all_off, "panic": self._panic,
            "timbre": self._timbre, "timbre/xy": self._timbre_xy, "preset": self._preset, "seed": self._seed,
            "seed/lock": lambda call, locked: self._controls.lock_seed(locked, call.source),
            "seed/roll": lambda call: self._controls.roll_seed(),  # no source, so that the sender is notified too
            "say": self._say, "stop": self._stop, "keep": self._keep, "record/start": self._start_recording,
            "record/stop": self._stop_recording, "query": self._query, "unsubscribe": self._unsubscribe,
            "tempo": lambda call, tempo: self._synth.clock.set_tempo(tempo),
            "clock/start": lambda call: self._synth.clock.start(), "clock/stop": lambda call: self._synth.clock.stop(),
            "link": self._link,
            "scatter/among": lambda call, *names: self._synth.clock.scatter_among(list(names)),
            "scatter/alone": lambda call: self._synth.clock.scatter_among(None),
            "route": self._route,
            "routes": self._routes,
            "routes/clear": lambda call: self._controls.set_routes((), call.source),
            "impulse_response": self._impulse_response,
            "subscribe": lambda call, port: self._subscribers.add(call.peer, port),
        }  # fmt: skip
        named |= {name: partial(self._mix, name) for name in MIX} | SequencerActions(synth).table
        named |= {f"control/{name}": partial(self._control, name) for name in self._controls.definitions}
        self.table = {f"{ROOT}/{name}": action for name, action in named.items()}

    def close(self) -> None:
        """Wait for the running job; waiting ones are dropped."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def run_later(self, call: Call, job: Callable[[], object]) -> None:
        """Run a slow job on another thread. Raises CmaudioError if too many are waiting."""
        self._jobs = [job for job in self._jobs if not job.done()]
        if len(self._jobs) >= _MAX_JOBS:
            raise CmaudioError("other files are still being written; try again when they are done")
        self._jobs.append(self._worker.submit(self._run, call, job))

    def _run(self, call: Call, job: Callable[[], object]) -> None:
        try:
            job()
        except Exception as error:
            self._failed(call, error)

    # -- notes -------------------------------------------------------------------------------------------------------

    def _note(self, call: Call, key: int, velocity: float, channel: int | None) -> None:
        if velocity:
            self._note_on(call, key, max(1.0, velocity), channel)
        else:
            self._note_off(call, key, channel)

    def _note_on(self, call: Call, key: int, velocity: float | None, channel: int | None) -> None:
        at, number = self._synth.place(call.seconds), channel or 0
        self._notes[number, key] = self._synth.press(key, velocity, channel=number, at=at)

    def _note_off(self, call: Call, key: int, channel: int | None) -> None:
        self._synth.lift(key, channel or 0, self._synth.place(call.seconds))

    def _note_bend(self, call: Call, key: int, semitones: float, channel: int | None) -> None:
        note = self._notes.get((channel or 0, key))
        if note is not None:
            note.bend(semitones, at=self._synth.place(call.seconds))

    def _sustain(self, call: Call, down: bool, channel: int | None) -> None:
        self._engine.sustain(down, channel or 0, self._synth.place(call.seconds))

    def _sostenuto(self, call: Call, down: bool, channel: int | None) -> None:
        self._engine.sostenuto(down, channel or 0, self._synth.place(call.seconds))

    def _output(self, call: Call, channel: int, pair: int) -> None:
        self._engine.route(channel, pair or None, self._synth.place(call.seconds))

    def _all_off(self, call: Call) -> None:
        self._synth.all_notes_off(at=self._synth.place(call.seconds))

    def _panic(self, call: Call) -> None:
        self._drop_scheduled()
        self._synth.panic()

    def _link(self, call: Call, joined: bool) -> None:
        if not joined:
            self._synth.disconnect_link()
        elif self._synth.link is None:
            self._synth.connect_link()

    def _routes(self, call: Call, *values: Any) -> None:
        routes = list(zip(values[::3], values[1::3], values[2::3], strict=True))
        self._controls.set_routes(routes, call.source, self._synth.place(call.seconds))

    def _route(self, call: Call, modulator: str, control: str, amount: float) -> None:
        self._controls.route(modulator, control, amount, call.source, self._synth.place(call.seconds))

    # -- the controls --------------------------------------------------------------------------------------------------

    def _control(self, name: str, call: Call, value: float) -> None:
        self._controls.set(name, value, call.source, self._synth.place(call.seconds))

    def _mix(self, name: str, call: Call, value: float, channel: int | None) -> None:
        if channel is None:
            self._control(name, call, value)
        else:
            self._engine.express(name, value, channel, self._synth.place(call.seconds))

    def _timbre(self, call: Call, *pairs: Any) -> None:
        timbre: str | dict[str, float] = pairs[0]
        if len(pairs) > 1:
            timbre = {}
            for name, weight in zip(pairs[::2], pairs[1::2], strict=True):
                timbre[name] = timbre.get(name, 0.0) + weight
        self._controls.set_timbre(timbre, source=call.source, at=self._synth.place(call.seconds))

    def _timbre_xy(self, call: Call, x: float, y: float) -> None:
        self._control("timbre_x", call, x)
        self._control("timbre_y", call, y)

    def _seed(self, call: Call, seed: int) -> None:
        self._controls.set_seed(None if seed < 0 else seed, call.source)

    def _preset(self, call: Call, name: str) -> None:
        self._synth.apply(find_preset(name))  # by name only: clients must learn nothing about other files

    def _query(self, call: Call) -> None:
        for path, values in all_values(self._synth):
            call.reply(path, *values)

    def _unsubscribe(self, call: Call, port: int | None) -> None:
        self._subscribers.remove(call.peer, port)

    # -- texts and files ---------------------------------------------------------------------------------------------

    def _say(self, call: Call, text: str) -> None:
        self._speeches = [speech for speech in self._speeches if not speech.ended]
        if len(self._speeches) >= _MAX_TEXTS:
            raise CmaudioError(f"{_MAX_TEXTS} texts are being spoken already; wait, or send /cmaudio/stop")
        speech = self._synth.say(text)
        self._speeches.append(speech)
        speech.report_to(lambda problem: self._failed(call, CmaudioError(problem)))

    def _stop(self, call: Call, phoneme: bool | None) -> None:
        for speech in self._speeches:
            speech.stop("phoneme" if phoneme else "now")

    def _keep(self, call: Call, name: str, seconds: float | None) -> None:
        path = self._folder.new_file(name)
        self.run_later(call, lambda: call.reply(f"{ROOT}/kept", self._relative(self._synth.keep(path, seconds))))

    def _start_recording(self, call: Call, name: str) -> None:
        if self._take is not None and self._take.running:
            raise CmaudioError(f"{self._relative(self._take.path)} is being recorded; send /cmaudio/record/stop first")
        self._take = self._synth.record(self._folder.new_file(name))

    def _stop_recording(self, call: Call) -> None:
        take, self._take = self._take, None
        if take is None:
            raise CmaudioError("nothing is being recorded; send /cmaudio/record/start first")
        self.run_later(call, lambda: call.reply(f"{ROOT}/recorded", self._relative(take.stop())))

    def _impulse_response(self, call: Call, name: str | None) -> None:
        path = None if name is None else self._folder.old_file(name)
        self.run_later(call, lambda: self._synth.use_impulse_response(path))

    def _relative(self, path: Path) -> str:
        return path.relative_to(self._folder.path).as_posix()
