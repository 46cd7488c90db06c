"""One stream: an engine, what it plays, and the sink of its audio."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import numpy as np

from cmaudio.engine.engine import Engine
from cmaudio.engine.loaded_model import LoadedModel
from cmaudio.errors import CmaudioError
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.voice import Voice

_names = itertools.count(1)
LEAD_SECONDS = 20.0
_CHUNK_SECONDS = 0.2  # sending takes time for each chunk, however short
_CHUNK_SHARE = 0.25  # of the lead, where that is short


class Sink(Protocol):
    """Receives the audio of a stream, on the thread that made it."""

    def write(self, samples: Float) -> None:
        """The next samples (N,) or (N, 2)."""

    def finish(self) -> None:
        """No more follows."""

    def fail(self, error: Exception) -> None:
        """It ends early."""

    @property
    def full(self) -> bool:
        """Whether the client has to read some first."""


class Stream:
    """A stream of the batcher; subclasses define what is played.

    Once its client has some audio left, blocks are joined into chunks before they are passed to the sink.

    Args:
        loaded: the networks, shared with the other streams of the model.
        engine: made from them; it belongs to the batcher from `Batcher.add` on.
        sink: receives its audio.
        voices: number of voices in every evaluation, as the capacity counts them.
        lead_seconds: how far ahead of its client it is made, if there is time.

    Attributes:
        name: a unique number.
        block_samples: length of the reads from its engine.
        asleep: nothing can be made until `Batcher.wake`.
        busy: a thread of the batcher is processing it.
        cancelled: it is no longer wanted.
        made_seconds: of audio so far.
        first_seconds: from its arrival to its first audio; None before.
        underruns: number of times that its client ran out of audio, other than by waiting for input.
        waited: for input, since its last audio.
        most_seconds: maximum length of its audio.
    """

    live = False
    """Whether input may still be on its way from the client."""
    buffer_seconds = 0.1
    """The length of audio with which its client starts to play."""

    def __init__(
        self, loaded: LoadedModel, engine: Engine, sink: Sink, voices: int = 1, lead_seconds: float = LEAD_SECONDS
    ) -> None:
        self.name = next(_names)
        self.loaded, self.engine, self.sink = loaded, engine, sink
        self.voices, self.lead_seconds = voices, lead_seconds
        self.block_samples = loaded.model.manifest.block_samples
        self.asleep = self.busy = self.cancelled = False
        self.made_seconds = 0.0
        self.first_seconds: float | None = None
        self.underruns = 0
        self.waited = False
        self.most_seconds = math.inf
        self._chunk_seconds = min(_CHUNK_SECONDS, _CHUNK_SHARE * lead_seconds)
        self._unsent: list[Float] = []
        self._sent_seconds = 0.0
        self._arrived = time.monotonic()
        self._plays_from: float | None = None

    @property
    def ready(self) -> bool:
        """Whether the next block can be made; called between two blocks, after the due events."""
        return True

    def lacking(self) -> tuple[list[Voice], list[Voice]]:
        """The voices that need a block before the next read, and those for which to make one if any do."""
        voices = self.engine.lacking(self.block_samples)
        return voices, voices

    @property
    def over(self) -> bool:
        """Whether nothing follows. Raises the error that ended it early."""
        return False

    @property
    def model_name(self) -> str:
        return self.loaded.model.manifest.name

    @property
    def age_seconds(self) -> float:
        """Since its arrival."""
        return time.monotonic() - self._arrived

    @property
    def summary(self) -> dict[str, float | int | None]:
        """Its result, for the log."""
        first = None if self.first_seconds is None else round(1000 * self.first_seconds)
        return {"audio_seconds": round(self.made_seconds, 2), "first_ms": first, "underruns": self.underruns}

    def slack_seconds(self, now: float) -> float:
        """Seconds of audio that its client has left, at `now` of `time.monotonic`; negative before the first."""
        if self._plays_from is None:
            return self._arrived - now
        return self._plays_from + self.made_seconds - now

    def give(self, samples: Float) -> None:
        """Add the next samples, on a thread of the batcher. Raises CmaudioError if there are too many."""
        if self.made_seconds >= self.most_seconds:
            raise CmaudioError(f"audio may last {self.most_seconds:g} s; request it in parts")
        now = time.monotonic()
        if self._plays_from is None:
            self._plays_from, self.first_seconds = now + self.buffer_seconds, now - self._arrived
        elif self.slack_seconds(now) < 0:
            self._ran_out(now)
        self.waited = False
        self.made_seconds += len(samples) / self.engine.sample_rate
        self._unsent.append(samples)
        unsent_seconds = self.made_seconds - self._sent_seconds
        client_seconds = self.slack_seconds(now) - unsent_seconds
        if unsent_seconds >= self._chunk_seconds or client_seconds < self._chunk_seconds:
            self.flush()

    def flush(self) -> None:
        """Pass all samples to the sink."""
        if self._unsent:
            samples = self._unsent[0] if len(self._unsent) == 1 else np.concatenate(self._unsent)
            self._unsent.clear()
            self._sent_seconds = self.made_seconds
            self.sink.write(samples)

    def finish(self) -> None:
        """Nothing follows."""
        self.flush()
        self.sink.finish()

    def fail(self, error: Exception) -> None:
        """It ends early, after everything that was made before."""
        with suppress(Exception):  # an encoder that fails as well; its error is not the first
            self.flush()
        self.sink.fail(error)

    def _ran_out(self, now: float) -> None:
        self.underruns += not (self.live and self.waited)
        self._plays_from = now - self.made_seconds

    def cancel(self) -> None:
        """It is no longer wanted; from any thread."""
        self.cancelled = True


class TextPace:
    """Holds back the thread that reads a text until more is needed, since reading takes time from other streams.

    Args:
        wake: notifies the batcher that there is more to speak.
    """

    def __init__(self, wake: Callable[[], object]) -> None:
        self._wake = wake
        self._wanted = threading.Event()
        self._ended = False

    def more(self) -> None:
        """Some text has been read; returns when more is needed. For the reading thread."""
        self._wanted.clear()
        self._wake()
        if not self._ended:
            self._wanted.wait()

    def want(self) -> None:
        """More text is needed; from any thread."""
        self._wanted.set()

    def end(self) -> None:
        """Stop holding back the reading thread."""
        self._ended = True
        self._wanted.set()
