"""A stream that speaks a text."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from cmaudio.engine.engine import Engine
from cmaudio.engine.loaded_model import LoadedModel
from cmaudio.engine.speech import Speech
from cmaudio.serve.stream import LEAD_SECONDS, Sink, Stream, TextPace
from cmaudio.speech.style import SpeakingStyle

_TEXT_AHEAD_SECONDS = 6.0  # of text that is read before it is spoken


@dataclass(frozen=True)
class Reading:
    """What to speak and how: see `Engine.say`. `steps`: network evaluations per block."""

    text: str | Iterable[str]
    timbre: str | None = None
    seed: int = 0
    steps: int = 1
    ssml: bool = False
    style: Mapping[str, float] | None = None


class SpeechStream(Stream):
    """Speaks a text like `cmaudio.speak`. Waiting for text that is still being written inserts no silence.

    Args:
        loaded: a voice.
        sink: receives its audio.
        wake: `Batcher.wake`.
        lead_seconds: see `Stream`.

    Attributes:
        speech: the text, once `begin` was called.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        reading: Reading,
        sink: Sink,
        wake: Callable[[Stream], object],
        lead_seconds: float = LEAD_SECONDS,
    ) -> None:
        engine = Engine(loaded, seed=reading.seed, steps=reading.steps, channels=1)
        super().__init__(loaded, engine, sink, reading.steps, lead_seconds)
        self._reading = reading
        self.live = not isinstance(reading.text, str)
        self._pace = TextPace(lambda: wake(self))
        self.speech: Speech | None = None

    def begin(self) -> None:
        """Start reading the text; call it before passing the stream to the batcher, and not on the batcher's threads.

        Raises:
            CmaudioError: see `Engine.say`.
        """
        how = self._reading
        self.speech = self.engine.say(
            how.text,
            timbre=how.timbre,
            seed=how.seed,
            ssml=how.ssml,
            background=True,
            on_segment=self._pace.more,
            **cast("SpeakingStyle", dict(how.style or {})),
        )

    @property
    def ready(self) -> bool:
        assert self.speech is not None, "begin() comes first"
        voice = self.speech.voice
        ready = voice is not None and (voice.has_text or math.isfinite(voice.ends_at))
        if not ready or voice.timeline.closed or voice.unspoken_seconds < _TEXT_AHEAD_SECONDS:
            self._pace.want()
        return ready

    @property
    def over(self) -> bool:
        assert self.speech is not None, "begin() comes first"
        if not (self.engine.idle and self.speech.ended):
            return False
        self.speech.wait()
        return True

    def cancel(self) -> None:
        super().cancel()
        if self.speech is not None:
            self.speech.stop()
        self._pace.end()
