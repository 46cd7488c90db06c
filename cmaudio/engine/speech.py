"""A handle on a text that is being spoken: steers, follows and stops it, and feeds the text to its voice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, Unpack, cast

import numpy as np
from numpy.typing import NDArray

from cmaudio.callbacks import call_guarded
from cmaudio.engine.handle import Handle
from cmaudio.engine.utterance import Mark, Utterance
from cmaudio.errors import CmaudioError
from cmaudio.model.timbres import Timbre
from cmaudio.speech.phonemes import Phrase
from cmaudio.speech.prosody import Prosody, Segment
from cmaudio.speech.style import SpeakingStyle, checked_style

_STEER_SECONDS = 0.03
_LOOK_SECONDS = 0.005


@dataclass(eq=False, kw_only=True)
class Speech(Handle):
    """One text of an engine. Methods may be called at any time, from any thread; after it has ended they do nothing.

    Attributes:
        marks: start times of words and phonemes, in seconds from `began`, as far as they have been computed.
        began: sample of the engine's clock at which the voice started, None before.
        unspoken: parts of the text that could not be spoken, and why.
        ended: whether it has finished, or will never sound.
    """

    timbre: NDArray[np.float64] = field(repr=False)
    at: int | None = None
    began: int | None = None
    unspoken: list[str] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list, repr=False)
    _error: BaseException | None = field(default=None, repr=False)
    _stopped: bool = field(default=False, repr=False)
    _style: dict[str, float] = field(default_factory=dict, repr=False)
    _report: Callable[[str], object] | None = field(default=None, repr=False)
    _reported: int = field(default=0, repr=False)
    _reporting: threading.Lock = field(default_factory=threading.Lock, repr=False)

    # -- while it speaks ---------------------------------------------------------------------------------------------

    def steer(self, *, at: int | None = None, **style: Unpack[SpeakingStyle]) -> None:
        """Change `rate`, `pitch`, `pitch_range` or `energy` (see `SpeakingStyle`) from the next block on (42 ms).

        Raises CmaudioError for a value out of range.
        """
        for name, value in checked_style(style).items():
            self.allocator.submit(self.at if at is None else at, partial(self._steer, name, value))

    def set_style(self, name: str, value: float, at: int | None = None) -> None:
        self.steer(at=at, **cast("SpeakingStyle", {name: value}))

    def morph(self, timbre: Timbre, seconds: float = 0.0, at: int | None = None) -> None:
        """Morph to another speaker (name, mix or vector) within `seconds`; intonation follows at the next phrase."""
        self.timbre = self.model.timbre_vector(timbre)
        super().morph(self.timbre, seconds, at)

    def stop(self, after: Literal["now", "phoneme"] = "now") -> None:
        """Stop immediately (within 5 ms), or after the current phoneme. No more text is read."""
        self._stopped = True
        self.allocator.submit(None, partial(self._stop, after))

    def fail(self, error: BaseException) -> None:
        """Its voice was dropped because of an error, which `wait` raises."""
        self._stopped, self._error = True, self._error or _wrapped(error)

    def report_to(self, report: Callable[[str], object]) -> None:
        """Call `report` with one line for each part that is not spoken, past and to come, and if the text ends early.

        For those who neither `wait` nor read `unspoken`; it is called on any thread.
        """
        self._report = report
        self._report_news()

    def _report_news(self) -> None:
        with self._reporting:
            if self._report is None:
                return
            lines = [f"not spoken: {text}" for text in self.unspoken]
            lines += [] if self._error is None else [str(self._error)]
            for line in lines[self._reported :]:
                call_guarded(self._report, line)
            self._reported = max(self._reported, len(lines))

    # -- progress -----------------------------------------------------------------------------------------------------

    def wait(self) -> None:
        """Block until the text has been spoken. Raises the error that ended it early."""
        while not self.ended:
            time.sleep(_LOOK_SECONDS)
        if self._error is not None:
            raise self._error

    def follow(self) -> Iterator[Mark]:
        """Yields the marks as the engine reaches them; the sound card plays them one output buffer later."""
        at = 0
        while not self.ended or at < len(self.marks):
            now = (self.allocator.schedule.now - (self.began or 0)) / self.allocator.settings.sample_rate
            while at < len(self.marks) and (self.ended or self.marks[at].seconds <= now):
                at += 1
                yield self.marks[at - 1]
            time.sleep(_LOOK_SECONDS)

    # -- from the text to the voice ----------------------------------------------------------------------------------

    def read(self, phrases: Iterable[Phrase], prosody: Prosody, background: bool, wake: Callable[[], object]) -> None:
        """Speak the phrases; see `Engine.say`."""
        if not background:
            self._read(phrases, prosody, wake)
            if self._error is not None:
                cause = self._error.__cause__
                raise cause if isinstance(cause, KeyboardInterrupt | SystemExit) else self._error
            return
        threading.Thread(target=self._read, args=(phrases, prosody, wake), name="cmaudio-text", daemon=True).start()

    def _read(self, phrases: Iterable[Phrase], prosody: Prosody, wake: Callable[[], object]) -> None:
        first = True
        try:
            for phrase in phrases:
                if self._stopped:
                    break
                if phrase.unspoken:
                    self.unspoken += [*phrase.unspoken]
                    self._report_news()
                for segment in prosody.segments(phrase, self.timbre):
                    self.allocator.submit(self.at, partial(self._begin if first else self._extend, segment))
                    first = False
                    wake()
        except BaseException as error:  # also from the caller's iterator: `wait` raises it
            self._error = error if isinstance(error, CmaudioError) else _wrapped(error)
            self._report_news()
        if first:
            self.ended = True
        else:
            self.allocator.submit(self.at, self._close)
        wake()

    def new_voice(self, first: Segment, at: int) -> Utterance:
        """Create the voice of the text without starting it."""
        params = self.allocator.params_of(self, 0.0, 96.0, at)
        expression = self.allocator.expression_of(self)
        return Utterance(params, self.timbre, first, self.marks, self.allocator.settings, expression)

    def _begin(self, segment: Segment, at: int) -> None:
        if self._stopped:
            self.ended = True
            return
        voice = self.new_voice(segment, at)
        self.began = at
        self.allocator.enter(self, voice, at)
        for name, value in self._style.items():
            self._move(voice, name, value, 0, at)

    def _extend(self, segment: Segment, at: int) -> None:
        if self.voice is not None:
            self.voice.extend(segment)

    def _close(self, at: int) -> None:
        if self.voice is not None:
            self.voice.close()

    def _steer(self, name: str, value: float, at: int) -> None:
        self._style[name] = value
        if self.voice is not None:
            self._move(self.voice, name, value, _STEER_SECONDS, at)

    def _move(self, voice: Utterance, name: str, value: float, seconds: float, at: int) -> None:
        if name == "pitch":
            self.allocator.bend_note(self, value, seconds, at)
        else:
            voice.steer(name, max(0, at - voice.params.at), value, seconds * voice.sample_rate)

    def _stop(self, after: str, at: int) -> None:
        if self.voice is None:
            return
        if after == "phoneme":
            self.voice.stop()
        else:
            self.voice.settle()
            self.voice.fade_out(max(0, at - self.voice.params.at))


def _wrapped(error: BaseException) -> CmaudioError:
    wrapped = CmaudioError(f"the text ended with an error ({type(error).__name__}: {error})")
    wrapped.__cause__ = error
    return wrapped
