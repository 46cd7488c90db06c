"""Three kinds of demo piece: a score, a function that plays on a clock, and a text. Each plays live and to a file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cmaudio.errors import CmaudioError
from cmaudio.offline.pattern import render_pattern
from cmaudio.offline.render import render
from cmaudio.offline.speak import DEFAULT_VOICE, speak
from cmaudio.signal.sound import Sound
from cmaudio.speech.style import SpeakingStyle
from cmaudio.timing.clock import Clock

if TYPE_CHECKING:
    from cmaudio.score.events import Score
    from cmaudio.synth import Synth


@dataclass(frozen=True)
class Demo(ABC):
    """A piece with a `name` for the command line, a `title` to print, and what it `shows`; `model` plays it."""

    name: str
    title: str
    shows: str
    model: str = field(default="instrument", kw_only=True)

    @abstractmethod
    def play(self, synth: Synth) -> float:
        """Start it on an instrument that plays `model`; returns at once, with its length in seconds (0: unknown)."""

    @abstractmethod
    def render(self, path: Path, seed: int = 0) -> Sound:
        """Render it to a sound file, faster than real time, and return what was written."""

    def notes(self) -> Score:
        """The notes, for a MIDI file. Raises CmaudioError for a piece that is no score."""
        raise CmaudioError(
            f"{self.title!r} has no notes to write to a MIDI file; name a sound file, such as {self.name}.wav"
        )


@dataclass(frozen=True)
class ScoreDemo(Demo):
    """A score: also a MIDI file, if wanted."""

    score: Callable[[], Score] = field(kw_only=True)

    def play(self, synth: Synth) -> float:
        score = self.score()
        synth.play(score)
        return score.duration

    def render(self, path: Path, seed: int = 0) -> Sound:
        return render(self.score(), path, model=self.model, seed=seed)

    def notes(self) -> Score:
        return self.score()


@dataclass(frozen=True)
class ClockDemo(Demo):
    """A function that receives a clock and plays on it for some `beats`; its seeds are fixed: `seed` has no effect."""

    perform: Callable[[Clock], object] = field(kw_only=True)
    beats: float = field(kw_only=True)
    tempo: float = field(kw_only=True)

    def play(self, synth: Synth) -> float:
        synth.clock.tempo = self.tempo
        self.perform(synth.clock)
        synth.clock.finish(self.beats)
        return self.beats * 60 / self.tempo

    def render(self, path: Path, seed: int = 0) -> Sound:
        return render_pattern(self.perform, self.beats, path, tempo=self.tempo, model=self.model)


@dataclass(frozen=True)
class TextDemo(Demo):
    """A text that a voice reads."""

    text: str = field(kw_only=True)
    style: SpeakingStyle = field(default_factory=SpeakingStyle, kw_only=True)
    model: str = field(default=DEFAULT_VOICE, kw_only=True)

    def play(self, synth: Synth) -> float:
        synth.say(self.text, **self.style)
        return 0.0

    def render(self, path: Path, seed: int = 0) -> Sound:
        return speak(self.text, path, model=self.model, seed=seed, **self.style).audio
