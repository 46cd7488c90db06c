"""The instrument that `cmaudio.open` returns: an `Instrument` with MIDI, OSC and notebook support."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cmaudio.engine.engine import Engine
from cmaudio.instrument.instrument import Instrument
from cmaudio.instrument.recorder import Recorder
from cmaudio.model.file import DEFAULT_MODEL, Model, load_model
from cmaudio.output.devices import OpenStream, open_sound_card
from cmaudio.output.player import LEAD_MS, Player

if TYPE_CHECKING:
    from cmaudio.input.listening import Listening, RecordedSound
    from cmaudio.input.stream import OpenInput
    from cmaudio.learning.example import Kind
    from cmaudio.learning.learn import LearnedTimbre
    from cmaudio.midi.bindings import Bindings
    from cmaudio.midi.input import MidiInput, OnClock
    from cmaudio.midi.output import MidiOutput
    from cmaudio.midi.system import MidiOutputSystem, MidiSystem
    from cmaudio.notebook.sliders import Sliders
    from cmaudio.osc import OscServer


class Synth(Instrument):
    """A sounding instrument and context manager, created by `cmaudio.open`. Methods may be called from any thread."""

    _midi: MidiInput | None = None

    def connect_midi(
        self,
        port: str | int | None = None,
        *,
        mpe: bool = False,
        virtual: str | None = None,
        bindings: Bindings | None = None,
        on_clock: OnClock | None = None,
        system: MidiSystem | None = None,
    ) -> MidiInput:
        """Play the instrument from MIDI ports, until the returned input or the instrument is closed; see `MidiInput`.

        By default it listens to all ports, uses the user's saved bindings, and makes `clock` follow MIDI clock.

        Raises CmaudioError: no MIDI system (with the remedy), no such port, bindings that cannot be read.
        """
        from cmaudio.midi.bindings import Bindings
        from cmaudio.midi.input import MidiInput

        midi = MidiInput(
            self,
            port=port,
            virtual=virtual,
            mpe=mpe,
            bindings=Bindings.load() if bindings is None else bindings,
            on_clock=on_clock or self._follow_midi_clock,
            on_notice=self.on_notice,
            system=system,
        )
        self._midi, self.bindings = midi, midi.bindings
        return self.attach(midi)

    @property
    def midi(self) -> MidiInput | None:
        """The last MIDI input connected."""
        return self._midi

    def _follow_midi_clock(self, kind: str, seconds: float, value: int) -> None:
        self.clock.midi(kind, seconds, value)  # the clock is created by the first pulse

    def midi_out(
        self,
        port: str | int | None = None,
        *,
        virtual: str = "cmaudio",
        clock: bool = True,
        thru: bool = False,
        offset_ms: float = 0.0,
        system: MidiOutputSystem | None = None,
    ) -> MidiOutput:
        """Send everything that is played to a MIDI port, until the returned output or the instrument is closed.

        Patterns, the panel's keys, OSC and `note_on` are sent when they are heard, with the clock (pulses, start, stop,
        continue, song position). MIDI input is passed on with `thru`. See `MidiOutput`.

        Args:
            port: index, name or part of a name (`cmaudio midi`); by default a virtual port is created.
            virtual: its name.
            clock: whether to send the clock.
            thru: whether to pass on MIDI input as well.
            offset_ms: how much later than the sound everything is sent.
            system: the MIDI system; by default this machine's.

        Raises:
            CmaudioError: no MIDI system (with the remedy), no such port, no virtual ports on this system.
        """
        from cmaudio.midi.output import MidiOutput

        output = MidiOutput(
            self,
            port,
            virtual=virtual,
            clock=clock,
            thru=thru,
            offset_ms=offset_ms,
            on_notice=self.on_notice,
            system=system,
        )
        return self.attach(output)

    def serve_osc(
        self,
        port: int = 9000,
        host: str = "127.0.0.1",
        *,
        files: str | Path | None = None,
        send_to: tuple[str, int] | None = None,
        remote_subscribers: bool = False,
    ) -> OscServer:
        """Play the instrument over Open Sound Control until the server or the instrument is closed.

        `cmaudio osc` lists the messages.

        Args:
            port: UDP port; 0 lets the system choose, see the server's `address`.
            host: the address to listen on; on any but the loopback, whoever can reach it may play.
            files: the only folder to which recordings are written; the current one by default.
            send_to: host and port of a client that receives changes, notes and state.
            remote_subscribers: whether clients on other machines may subscribe as well.

        Raises:
            CmaudioError: a port in use, an unknown host, no such folder.
        """
        from cmaudio.osc import OscServer

        server = OscServer(
            self,
            port,
            host,
            files=files,
            send_to=send_to,
            remote_subscribers=remote_subscribers,
            on_notice=self.on_notice,
        )
        return self.attach(server)

    def listen(
        self,
        path: str | Path | None = None,
        *,
        device: str | int | None = None,
        how: Listening | None = None,
        open_input: OpenInput | None = None,
    ) -> RecordedSound:
        """Record a sound from an input: wait for it, record until silence, trim and level it.

        It returns when the take has ended; the instrument keeps playing, and is recorded if a microphone picks it up.

        Args:
            path: a new .wav or .flac file; None keeps the sound in memory.
            device: name (or part of it) or index of an input from `cmaudio devices --inputs`.
            how: threshold, lengths, channels and level; see `cmaudio.input.listening.Listening`.
            open_input: opens the input.

        Raises:
            CmaudioError: no input, another kind of file or one that exists, nothing was heard, a device that vanishes.
        """
        from cmaudio.input.listening import listen

        return listen(path, how, device, open_input=open_input, on_notice=self.on_notice or (lambda _text: None))

    def learn(
        self,
        paths: str | Path | Iterable[str | Path],
        *,
        name: str | None = None,
        kind: Kind = "auto",
        minutes: float = 0.0,
        save: str | Path | None = None,
        licence: str | None = None,
    ) -> LearnedTimbre:
        """Learn a timbre from recordings in a few seconds, and select it; sounding notes morph to it.

        It is added to the model in memory, so it has a name like the others until the instrument is closed, and is
        written to a model file with `save`. The instrument keeps playing.

        Args:
            paths: files, or folders of them: takes of one sound, or notes of one instrument at several pitches.
            name: of the timbre; by default that of the first file or folder.
            kind: "bed" (endless) or "one-shot"; "auto" detects it from the sound.
            minutes: time limit for a search for a better match and, with cmaudio[train], tuning; 0: no search.
            save: a model file (.cmaudio) to write, with everything learned since the instrument was opened.
            licence: of the sounds, for the card of that file.

        Returns:
            The timbre, the nearest named one, and notices of which parts were used and what to expect.

        Raises:
            CmaudioError: a model without a prior, a name that is taken, files without a sound that can be used, a file
                that cannot be written; then nothing changes.
        """
        from cmaudio.instrument.learning import learn_live

        learned = learn_live(self, paths, name, kind, minutes, save, licence)
        self.wake()
        return learned

    def sliders(self) -> Sliders:
        """The controls as sliders in a notebook, which also show changes from elsewhere.

        Raises CmaudioError if ipywidgets is not installed.
        """
        from cmaudio.notebook.sliders import Sliders

        return self.attach(Sliders(self))

    def _repr_html_(self) -> str:
        from cmaudio.notebook.html import synth_html

        return synth_html(self)


def open(
    model: Model | str | None = None,
    *,
    device: str | int | None = None,
    lead_ms: float = LEAD_MS,
    polyphony: int = 16,
    seed: int = 0,
    steps: int = 1,
    gain_db: float = 0.0,
    bend_range: float = 2.0,
    channels: int | None = None,
    pair: int = 1,
    pairs: int | None = None,
    routes: Mapping[int, int] | None = None,
    on_notice: Callable[[str], None] | None = None,
    open_stream: OpenStream = open_sound_card,
) -> Synth:
    """Open a sound card and start an instrument on it.

    Args:
        model: a loaded model, its name or its file; the embedded instrument by default.
        device: name (or part of it) or index of an output from `cmaudio devices`; the system's default by default.
        lead_ms: length of the output buffer: a shorter one responds sooner, a longer one tolerates a busier machine.
        polyphony: see `Engine`.
        seed: see `Engine`.
        steps: see `Engine`.
        gain_db: see `Engine`.
        bend_range: see `Engine`.
        channels: see `Engine`.
        pair: which pair of the device's outputs plays two channels: 1 is the first and second, 2 the next.
        pairs: how many pairs are open for `Engine.route`; by default as many as `routes` need.
        routes: MIDI channel 0..15 -> the pair that plays it, without its effects.
        on_notice: called with one line about each problem, with the device or with notes that are cut off.
        open_stream: opens the output, the sound card by default.

    Raises:
        CmaudioError: no PortAudio, no such device, one with fewer outputs, a value out of range, a damaged model.
    """
    loaded = model if isinstance(model, Model) else load_model(model or DEFAULT_MODEL)
    routes = routes or {}
    pairs = pairs or max(1, *routes.values(), pair if routes else 1)
    engine = Engine(
        loaded,
        polyphony=polyphony,
        seed=seed,
        steps=steps,
        gain_db=gain_db,
        bend_range=bend_range,
        channels=channels,
        pairs=pairs,
        pair=pair if pairs > 1 else 1,
        batch_ahead_samples=loaded.manifest.block_samples,  # many voices then share one evaluation in each block
        threads=min(2, os.cpu_count() or 1),
    )
    engine.rack.in_background = True
    for channel, wanted in routes.items():
        engine.route(channel, wanted)
    engine.warm_up()
    recorder = Recorder(engine)
    player = Player(recorder, device=device, lead_ms=lead_ms, on_notice=on_notice, open_stream=open_stream, pair=pair)
    engine.allocator.report_to(player.notify)
    engine.allocator.stealing.listen(lambda: player.notify(_notes_are_cut_off(engine)))
    player.start()
    return Synth(engine, recorder, player, on_notice, gain_db)


def _notes_are_cut_off(engine: Engine) -> str:
    limit, polyphony = engine.allocator.limit, engine.allocator.polyphony
    if limit < polyphony:
        return f"notes are cut off: the machine falls behind, and only {limit} notes may sound for now"
    return f"notes are cut off: more than {polyphony} sound at once; raise the polyphony, or release keys and pedals"
