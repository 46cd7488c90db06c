"""The session: the state that a panel keeps between runs, in a file of the user's state folder.

It is written shortly after a change, and atomically, so that nothing is lost if the computer fails.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, TypeAdapter

from cmaudio.errors import CmaudioError
from cmaudio.faults import Faults
from cmaudio.files import folders
from cmaudio.files.names import file_stem
from cmaudio.panel.handler import CommandHandler
from cmaudio.panel.json_file import load_json, save_json
from cmaudio.panel.snapshot import Snapshot, compatible_part
from cmaudio.sequencer.arpeggio import Arpeggio
from cmaudio.sequencer.bank import PatternBank
from cmaudio.sequencer.compatibility import compatible_part as compatible_patterns
from cmaudio.synth import Synth

_CHECK_SECONDS = 2.0


@dataclass(frozen=True)
class Session:
    """The saved state.

    Attributes:
        version: of the file format.
        sound: controls, timbre, seed and impulse response.
        preset: the name of the preset that was shown.
        seed_locked: whether the seed was locked.
        slots: content of the slots.
        active: the slot stored or recalled last.
        patterns: of the step sequencer.
        pattern: the selected one.
        arpeggio: of the arpeggiator.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    version: Literal[1]
    sound: Snapshot
    preset: str | None = None
    seed_locked: bool = False
    slots: dict[Literal["A", "B"], Snapshot] = field(default_factory=dict)
    active: Literal["A", "B"] | None = None
    patterns: PatternBank | None = None
    pattern: str | None = None
    arpeggio: Arpeggio | None = None


_ADAPTER = TypeAdapter(Session)


def session_file(model: str) -> Path:
    """The file for a model of this name."""
    return folders.state_folder() / f"session-{file_stem(model)}.json"


def session_of(handler: CommandHandler) -> Session:
    """The present session."""
    controls, slots = handler.synth.controls, handler.slots
    sound = Snapshot.of(controls, handler.synth.impulse_response)
    sound.values.pop("bend", None)  # the pitch wheel may be elsewhere at the next start
    return _ADAPTER.validate_python(
        {
            "version": 1,
            "sound": sound,
            "preset": handler.presets.current,
            "seed_locked": controls.seed_locked,
            "slots": dict(slots.held),
            "active": slots.active,
            "patterns": handler.synth.sequencer.bank,
            "pattern": handler.synth.sequencer.pattern.name,
            "arpeggio": handler.synth.arpeggiator.settings,
        }
    )


def load_session(file: Path) -> Session | None:
    """The session in a file; None if there is none. Raises CmaudioError for a damaged one, which is set aside."""
    return load_json(file, _ADAPTER, "the last session")


def save_session(file: Path, session: Session) -> None:
    """Write a session. Raises CmaudioError if that fails."""
    save_json(file, _ADAPTER, session, "the session")


def resume_sound(synth: Synth, session: Session) -> None:
    """Restore the sound of a session. Raises CmaudioError for anything that the instrument no longer has."""
    synth.controls.lock_seed(session.seed_locked)
    compatible_part(session.sound, synth.controls).apply(synth.controls)
    if session.sound.space is not None:
        synth.use_impulse_response(session.sound.space)


def resume_slots(handler: CommandHandler, session: Session) -> None:
    """Restore slots, patterns and arpeggio, and the preset's name unless another was applied since."""
    controls = handler.synth.controls
    handler.slots.fill({name: compatible_part(held, controls) for name, held in session.slots.items()}, session.active)
    _resume_patterns(handler.synth, session)
    if handler.synth.preset is None:
        handler.presets.show(session.preset)
    handler.history.start()


def _resume_patterns(synth: Synth, session: Session) -> None:
    if session.patterns is not None:
        sequencer = synth.sequencer
        sequencer.bank = compatible_patterns(session.patterns, synth.model, synth.controls)
        if session.pattern in sequencer.bank.names:
            sequencer.select(session.pattern)
    if session.arpeggio is not None:
        synth.arpeggiator.change(**dict(session.arpeggio))


class SessionKeeper:
    """Writes the session of a handler after every change, until it is closed.

    Args:
        handler: whose session to keep.
        file: its path.
        on_notice: called with errors.
    """

    def __init__(self, handler: CommandHandler, file: Path, on_notice: Callable[[str], object]) -> None:
        self._handler, self._file, self._on_notice = handler, file, on_notice
        self._written: Session | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cmaudio-panel-session", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write the last changes, and end."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        faults = Faults(self._on_notice)
        while not self._ended.wait(_CHECK_SECONDS):
            faults.attempt("the session is not saved", self._write)
        faults.attempt("the session is not saved", self._write)

    def _write(self) -> None:
        session = session_of(self._handler)
        if session == self._written:
            return
        self._written = session  # a failure is reported once, and retried at the next change
        try:
            save_session(self._file, session)
        except CmaudioError as error:
            self._on_notice(str(error))
