"""The instrument at a prompt: an engine that a player keeps sounding."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Unpack, cast, overload

from cmaudio.controls.controls import Controls
from cmaudio.engine.engine import Engine, EngineState
from cmaudio.engine.note import Note
from cmaudio.engine.speech import Speech
from cmaudio.errors import CmaudioError
from cmaudio.instrument.preset import FIELD_OF_CONTROL, Preset, load_preset, make_preset
from cmaudio.instrument.recorder import Recorder
from cmaudio.instrument.take import Take
from cmaudio.model.file import DEFAULT_MODEL, Model, Timbre, load_model
from cmaudio.output.player import OpenStream, Player, PlayerState, open_sound_card
from cmaudio.score.arrangement import Missing, arrange
from cmaudio.score.events import Score
from cmaudio.score.ranges import GAIN_RANGE_DB
from cmaudio.speech.manner import Manner
from cmaudio.timing.clock import Clock
from cmaudio.timing.driver import Ahead
from cmaudio.timing.pattern import Pattern
from cmaudio.timing.steps import PatternSettings, StepLike

if TYPE_CHECKING:
    from cmaudio.controls.binding import Binding
    from cmaudio.midi.bindings import Bindings
    from cmaudio.midi.input import MidiInput, OnClock
    from cmaudio.midi.system import MidiSystem
    from cmaudio.notebook.sliders import Sliders
    from cmaudio.osc import OscServer

LEAD_MS = 40.0
BATCH_AHEAD_SAMPLES = 1024  # of grace that lets voices share evaluations; what live events do waits for no more


@dataclass(frozen=True)
class SynthState:
    """What a live meter shows."""

    engine: EngineState
    player: PlayerState


class _Closable(Protocol):
    def close(self) -> None: ...


class Synth:
    """A sounding instrument. Made by `cmaudio.open`; a context manager; its methods may be called from any thread."""

    def __init__(
        self,
        engine: Engine,
        recorder: Recorder,
        player: Player,
        on_notice: Callable[[str], None] | None = None,
        gain_db: float = 0.0,
    ) -> None:
        self.engine, self.recorder, self.player, self._on_notice = engine, recorder, player, on_notice
        self.controls = Controls(engine, GAIN_RANGE_DB, gain_db)
        self._takes: list[Take] = []
        self._attached: list[_Closable] = []  # what plays or shows this instrument, and ends with it
        self._midi: MidiInput | None = None  # that was connected last
        self._preset: Preset | None = None
        self._clock: Clock | None = None
        self._making_clock = threading.Lock()

    def __enter__(self) -> Synth:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def model(self) -> Model:
        """The model that plays."""
        return self.engine.model

    def note_on(
        self,
        pitch: float,
        velocity: float = 96,
        *,
        timbre: Timbre | None = None,
        seed: int | None = None,
        channel: int = 0,
        at: int | None = None,
    ) -> Note:
        """Strike a note, at once by default; see `Engine.note_on`. Its `off`, `bend` and `morph` steer it.

        Without timbre and seed of its own it has those of the controls, which presets set.
        """
        timbre, seed = self._of_controls(timbre, seed)
        note = self.engine.note_on(pitch, velocity, timbre=timbre, seed=seed, channel=channel, at=at)
        self.player.wake()
        return note

    def _of_controls(self, timbre: Timbre | None, seed: int | None) -> tuple[Timbre, int | None]:
        return self.controls.vector if timbre is None else timbre, self.controls.seed if seed is None else seed

    def press(
        self,
        pitch: int,
        velocity: float | None = None,
        *,
        timbre: Timbre | None = None,
        channel: int = 0,
        at: int | None = None,
    ) -> Note:
        """A key of a keyboard goes down: as `note_on`, with the velocity control's value unless one is given."""
        timbre, seed = self._of_controls(timbre, None)
        hard = self.controls["velocity"] if velocity is None else velocity
        note = self.engine.press(pitch, hard, timbre=timbre, seed=seed, channel=channel, at=at)
        self.player.wake()
        return note

    def lift(self, pitch: int, channel: int = 0, at: int | None = None) -> None:
        """A key goes up; pedals may hold its note."""
        self.engine.lift(pitch, channel, at)

    def place(self, seconds: float | None = None) -> int:
        """The sample for the `at` of what happened at `seconds` (of `time.perf_counter`; now by default).

        Events that are placed so sound a constant time after they happened: no jitter comes from reading ahead.
        """
        return self.player.place(time.perf_counter() if seconds is None else seconds)

    def say(
        self,
        text: str | Iterable[str],
        *,
        timbre: Timbre | None = None,
        seed: int | None = None,
        channel: int = 0,
        phonemes: bool = False,
        **manner: Unpack[Manner],
    ) -> Speech:
        """Say a text now; returns at once. `text` may be a generator of words that are still being thought of.

        See `Engine.say`. What it returns steers, follows and stops the text.
        """
        timbre, seed = self._of_controls(timbre, seed)
        speech = self.engine.say(
            text,
            timbre=timbre,
            seed=seed,
            channel=channel,
            phonemes=phonemes,
            background=True,
            on_segment=self.player.wake,
            **cast("Manner", self.controls.manner | manner),
        )
        self.player.wake()
        return speech

    def all_notes_off(self) -> None:
        """Release everything and lift the pedals."""
        self.engine.all_notes_off()

    def sustain(self, down: bool = True, channel: int = 0) -> None:
        """Sustain pedal."""
        self.engine.sustain(down, channel)

    def bend(self, semitones: float, channel: int = 0) -> None:
        """Bend a whole channel."""
        self.engine.bend(semitones, channel)

    def pitch_wheel(self, position: float, channel: int = 0) -> None:
        """Pitch wheel from -1 to 1, times the engine's `bend_range`."""
        self.engine.pitch_wheel(position, channel)

    def gain(self, gain_db: float) -> None:
        """Master gain in dB; the limiter after it never lets the output clip."""
        self.controls.set("gain", gain_db)

    def panic(self) -> None:
        """Silence at once; patterns end."""
        if self._clock is not None:
            self._clock.clear()
        self.engine.panic()

    @property
    def clock(self) -> Clock:
        """Tempo, beat, and what is played in time; it runs from when it is first asked for."""
        with self._making_clock:
            if self._clock is None:
                self._clock = Clock(
                    self.engine,
                    controls=self.controls,
                    driver=Ahead(self.engine),
                    place=self.place,
                    on_notice=self._on_notice,
                )
                self._attached.append(self._clock)
            return self._clock

    @overload
    def play(
        self,
        piece: Score,
        *,
        timbre: Timbre | None = None,
        missing: Missing = "nearest",
        percussion: Missing = "omit",
        delay: float = 0.2,
    ) -> list[str]: ...

    @overload
    def play(
        self,
        piece: Iterable[StepLike],
        *,
        quantise: float = 1.0,
        at: float | None = None,
        **settings: Unpack[PatternSettings],
    ) -> Pattern: ...

    def play(self, piece: Score | Iterable[StepLike], **settings: Any) -> list[str] | Pattern:
        """Start a score (from `cmaudio.read_midi`) or a pattern (a list of notes); returns at once.

        A score takes `timbre`, `missing` and `percussion` (see `cmaudio.render`) and `delay` in seconds, and returns
        notices of what the model lacks. A pattern takes what `Clock.play` takes, and returns what stops, mutes and
        replaces it.
        """
        return self._play_score(piece, **settings) if isinstance(piece, Score) else self.clock.play(piece, **settings)

    def _play_score(
        self,
        score: Score,
        *,
        timbre: Timbre | None = None,
        missing: Missing = "nearest",
        percussion: Missing = "omit",
        delay: float = 0.2,
    ) -> list[str]:
        arrangement = arrange(score, self.model, timbre=timbre, missing=missing, percussion=percussion)
        at = self.engine.now + round(delay * self.engine.sample_rate)
        self.engine.play(arrangement.score, arrangement.timbres, at)
        self.player.wake()
        return arrangement.notices

    def apply(self, preset: Preset | str | Path, morph_seconds: float = 0.2) -> Preset:
        """Set the instrument as a preset says, by its name, its file or itself; what sounds morphs to its timbre.

        Raises CmaudioError for an unknown preset, one of another model, and an unknown timbre; then nothing changes.
        """
        chosen = preset if isinstance(preset, Preset) else load_preset(preset)
        if chosen.model != self.model.manifest.name:
            raise CmaudioError(
                f"preset {chosen.name!r} is of model {chosen.model!r}, and {self.model.manifest.name!r} plays; open "
                "that model"
            )
        self.model.timbre_vector(chosen.timbre)
        self.controls.apply(_known_settings(chosen, self.controls))
        self._preset = chosen
        self.controls.set_timbre(chosen.timbre, morph_seconds)
        self.controls.set_seed(chosen.seed)
        if self._midi is not None:
            for binding in chosen.bindings:
                self._midi.bindings.add(binding)
        self.player.wake()
        return chosen

    def as_preset(self, name: str, description: str = "") -> Preset:
        """How the instrument is set now, MIDI bindings included, to be saved or gone back to.

        Raises CmaudioError for a name that is none.
        """
        bindings = list(self._midi.bindings) if self._midi is not None else []
        return preset_of(self.controls, self.model, name, description, bindings)

    @property
    def preset(self) -> Preset | None:
        """The preset that was applied last."""
        return self._preset

    def keep(self, path: str | Path, seconds: float | None = None) -> Path:
        """Write what was played last, up to five minutes, to a .wav or .flac and a .mid; see `Recorder.keep`."""
        return self.recorder.keep(path, seconds)

    def record(self, path: str | Path) -> Take:
        """Record from now on until the take is stopped or the instrument closed; see `Take`."""
        take = Take(self.recorder, path, self._on_notice)
        self._takes.append(take)
        return take

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
        """Play it from MIDI ports, until what this returns is closed, or the instrument; see `MidiInput`.

        By default all ports are listened to, the user's saved bindings hold, and `clock` follows MIDI clock.

        Raises CmaudioError: no MIDI system here (with the remedy), no such port, bindings that cannot be read.
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
            on_notice=self._on_notice,
            system=system,
        )
        self._attached.append(midi)
        self._midi = midi
        return midi

    @property
    def midi(self) -> MidiInput | None:
        """The MIDI input that was connected last."""
        return self._midi

    def _follow_midi_clock(self, kind: str, seconds: float, value: int) -> None:
        self.clock.midi(kind, seconds, value)  # the clock is made when the first pulse comes

    def serve_osc(
        self,
        port: int = 9000,
        host: str = "127.0.0.1",
        *,
        files: str | Path | None = None,
        send_to: tuple[str, int] | None = None,
        remote_subscribers: bool = False,
    ) -> OscServer:
        """Be played over Open Sound Control until the server or the instrument is closed; `cmaudio osc` lists what is
        understood.

        Args:
            port: 0 lets the system choose; the server's `address` tells. host: at which it listens; with another one
                than this machine's own, whoever reaches it may play.
            files: the one folder into which it writes recordings when it is told to; the current one by default.
            send_to: host and port of a client that is told of changes, notes and state.
            remote_subscribers: clients on other machines may ask to be told, too.
        Raises:
            CmaudioError: a port that is taken, an unknown host, no such folder.
        """
        from cmaudio.osc import OscServer

        server = OscServer(
            self,
            port,
            host,
            files=files,
            send_to=send_to,
            remote_subscribers=remote_subscribers,
            on_notice=self._on_notice,
        )
        self._attached.append(server)
        return server

    def sliders(self) -> Sliders:
        """The controls as sliders in a notebook, which show what others move, too. They need ipywidgets.

        Raises CmaudioError where that is not installed.
        """
        from cmaudio.notebook.sliders import Sliders

        sliders = Sliders(self)
        self._attached.append(sliders)
        return sliders

    def _repr_html_(self) -> str:
        from cmaudio.notebook.html import synth_html

        return synth_html(self)

    def wait(self, seconds: float) -> None:
        """Let it sound for a while. Raises what the synthesis thread died of, if it did."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.player.raise_if_failed()
            time.sleep(min(left, 0.05))

    def use_device(self, device: str | int | None, open_stream: OpenStream | None = None) -> None:
        """Go on on another sound card, or output; what sounds goes on. See `Player.use_device`."""
        self.player.use_device(device, open_stream)

    def state(self) -> SynthState:
        """Level, voices, load, lead, underruns."""
        return SynthState(self.engine.state(), self.player.state())

    def close(self) -> None:
        """Fade out, give the sound card back, end what is being recorded and whatever else came with it."""
        with ExitStack() as stack:  # from the last to the first, whatever goes wrong with one of them
            for take in self._takes:
                stack.callback(take.stop)
            stack.callback(self.player.close)
            for attached in self._attached:
                stack.callback(attached.close)


def _known_settings(preset: Preset, controls: Controls) -> dict[str, float]:
    """A preset's controls; those that every preset has only where the model has them (a voice has no bend range)."""
    return {n: v for n, v in preset.settings().items() if n in controls.definitions or n not in FIELD_OF_CONTROL}


def preset_of(
    controls: Controls, model: Model, name: str, description: str = "", bindings: Sequence[Binding] = ()
) -> Preset:
    """The controls as they are set, as a preset."""
    values, definitions = controls.values(), controls.definitions
    return make_preset(
        name=name,
        description=description,
        model=model.manifest.name,
        timbre=controls.timbre or controls.vector.tolist(),
        seed=controls.seed,
        steps=int(values["steps"]),
        gain_db=values["gain"],
        bend_range=values.get("bend_range", 2.0),
        controls={n: v for n, v in values.items() if n not in FIELD_OF_CONTROL and v != definitions[n].default},
        bindings=list(bindings),
    )


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
    on_notice: Callable[[str], None] | None = None,
    open_stream: OpenStream = open_sound_card,
) -> Synth:
    """Open a sound card and start an instrument on it.

    Args:
        model: a loaded model, its name or its file; the embedded instrument by default.
        device: name (or part of it) or index of an output from `cmaudio devices`; the system's default by default.
        lead_ms: how far synthesis runs ahead of the sound card. Less is more immediate, more survives busier machines.
        polyphony, seed, steps, gain_db, bend_range: see `Engine`.
        on_notice: is told of trouble with the device and of its end.
        open_stream: opens the output: the sound card, unless something else takes the samples.
    Raises:
        CmaudioError: no PortAudio, no such device, a value out of range, a damaged model.
    """
    loaded = model if isinstance(model, Model) else load_model(model or DEFAULT_MODEL)
    block = loaded.manifest.block_frames * loaded.manifest.hop_length
    engine = Engine(
        loaded,
        polyphony=polyphony,
        seed=seed,
        steps=steps,
        gain_db=gain_db,
        bend_range=bend_range,
        batch_ahead_samples=min(BATCH_AHEAD_SAMPLES, block // 2),
        threads=min(2, os.cpu_count() or 1),
    )
    engine.warm_up()
    recorder = Recorder(engine)
    player = Player(recorder, device=device, lead_ms=lead_ms, on_notice=on_notice, open_stream=open_stream)
    player.start()
    return Synth(engine, recorder, player, on_notice, gain_db)
