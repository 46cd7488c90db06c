"""Scores and MIDI files to samples and sound files, through the same engine that plays live."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cmaudio.controls.controls import Controls
from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.files.audio_file import AudioFileWriter
from cmaudio.model.file import DEFAULT_MODEL, Model, Timbre
from cmaudio.score.events import PERCUSSION_CHANNEL, Event, NoteOff, NoteOn, Score
from cmaudio.score.general_midi import PERCUSSION, PROGRAMS, nearest_percussion, nearest_program
from cmaudio.score.midi_file import read_midi
from cmaudio.score.ranges import GAIN_RANGE_DB
from cmaudio.signal.dsp import Float
from cmaudio.signal.sound import Sound

Missing = Literal["nearest", "omit"]

CHUNK_SAMPLES = 16384
TAIL_SECONDS = 4.0
DRUMS = 128  # a NoteOn's program from here on is a drum of the model's own: 128 + its key on the percussion channel
LOOK_AHEAD_SAMPLES = 2**19  # some ten seconds whose notes share evaluations: a melody is made many notes at a time
_SILENT = 10 ** (-75 / 20)


@dataclass(frozen=True)
class Arrangement:
    """A score fitted to a model: which timbre plays each program, the score to play, and what had to be changed."""

    score: Score
    timbres: dict[int, Timbre]
    notices: list[str]


def arrange(
    score: Score,
    model: Model,
    *,
    timbre: Timbre | None = None,
    missing: Missing = "nearest",
    percussion: Missing = "omit",
) -> Arrangement:
    """Choose a timbre for every program of a score.

    Args:
        timbre: plays everything, whatever the programs say.
        missing: programs that the model lacks are played by the nearest timbre, or left out.
        percussion: drums that the model lacks are left out, or played by a pitched timbre where one is near.
    """
    for name, value in (("missing", missing), ("percussion", percussion)):
        if value not in ("nearest", "omit"):
            raise CmaudioError(f"{name} must be 'nearest' or 'omit', not {value!r}")
    notices = list(score.notices)
    score = _arrange_percussion(score, model, percussion, notices)
    drums: dict[int, Timbre] = {DRUMS + key: name for key, name in model.drums.items()}
    if timbre is not None:
        model.timbre_vector(timbre)
        return Arrangement(score, dict.fromkeys(range(DRUMS), timbre) | drums, notices)
    timbres = dict(model.programs) | drums
    for program in score.programs:
        if program not in model.programs:
            _substitute(program, model, missing, timbres, notices)
    return Arrangement(score, timbres, notices)


def _substitute(program: int, model: Model, missing: Missing, timbres: dict[int, Timbre], notices: list[str]) -> None:
    lack = f"this model has no {PROGRAMS[program]!r} (program {program + 1})"
    if missing == "omit":
        notices.append(f"{lack}: its notes are left out")
        return
    stand_in = (
        model.programs[nearest_program(program, model.programs)] if model.programs else model.manifest.default_timbre
    )
    timbres[program] = stand_in
    notices.append(f"{lack}: {stand_in!r} plays it")


def _arrange_percussion(score: Score, model: Model, percussion: Missing, notices: list[str]) -> Score:
    """The score with the drum channel on the model's drums; those it lacks taken out, or on pitched timbres."""
    if not score.percussion:
        return score
    lacking = [key for key in score.percussion if key not in model.drums]
    places = {key: nearest_percussion(key) for key in lacking} if percussion == "nearest" else {}
    stand_ins = {key: place for key, place in places.items() if place and place[0] in model.programs}
    left_out = [PERCUSSION.get(key, f"key {key}") for key in lacking if key not in stand_ins]
    if left_out:
        lack = "lacks some" if model.drums else "has no"
        notices.append(f"this model {lack} percussion: {', '.join(left_out)} left out")
    if stand_ins:
        names = (f"{PERCUSSION.get(key, key)} by {model.programs[place[0]]!r}" for key, place in stand_ins.items())
        notices.append(f"percussion played by the nearest timbre: {', '.join(names)}")
    played = {key: (DRUMS + key, key) for key in model.drums} | stand_ins
    events: list[tuple[float, Event]] = []
    for seconds, event in score.events:
        match event:
            case NoteOn(channel, pitch, velocity, _) if channel == PERCUSSION_CHANNEL:
                if pitch in played:
                    program, key = played[pitch]
                    events.append((seconds, NoteOn(channel, key, velocity, program)))
            case NoteOff(channel, pitch) if channel == PERCUSSION_CHANNEL:
                if pitch in played:
                    events.append((seconds, NoteOff(channel, played[pitch][1])))
            case _:
                events.append((seconds, event))
    return Score(score.name, events, score.duration, score.programs, [], score.notices)


def render_blocks(engine: Engine, duration: float, tail: float = TAIL_SECONDS) -> Iterator[Float]:
    """Samples of what is scheduled on a fresh engine: `duration` seconds, and up to `tail` more until it is silent."""
    engine.read(engine.latency_samples)
    end = round(duration * engine.sample_rate)
    last = end + round(tail * engine.sample_rate)
    done = 0
    while done < last:
        samples = engine.read(min(CHUNK_SAMPLES, (end if done < end else last) - done))
        done += len(samples)
        yield samples
        if done >= end and engine.idle and np.abs(samples).max(initial=0) < _SILENT:
            return


def render(
    source: str | Path | Score,
    path: str | Path | None = None,
    *,
    model: Model | str | None = None,
    timbre: Timbre | None = None,
    seed: int = 0,
    steps: int = 1,
    tail: float = TAIL_SECONDS,
    polyphony: int = 16,
    gain_db: float = 0.0,
    controls: Mapping[str, float] | None = None,
    missing: Missing = "nearest",
    percussion: Missing = "omit",
    on_progress: Callable[[float], None] | None = None,
    on_notice: Callable[[str], None] | None = None,
) -> Sound:
    """Render a MIDI file or a score, faster than real time and without a sound card.

    Args:
        source: a MIDI file, or a Score. path: also write it there (.wav or .flac); no half file is left on an error.
        model: a loaded model, its name or its file; the embedded instrument by default.
        timbre: plays everything, whatever the programs say. seed, steps, polyphony, gain_db: see `Engine`.
        controls: how the instrument is shaped, by the names of `cmaudio.controls.controls`.
        tail: most seconds to wait for notes to die away. missing, percussion: see `arrange`.
        on_progress: is told the seconds made so far. on_notice: is told what the model lacks and what was mended.
    Returns:
        (N,) float32 samples within [-1, 1], an array with the model's `sample_rate`; a notebook shows and plays it.
    Raises:
        CmaudioError: a file that cannot be read or written, an unknown timbre, a value out of range.
    """
    if not 0 <= tail <= 600:
        raise CmaudioError(f"tail must be from 0 to 600 seconds, not {tail!r}")
    score = source if isinstance(source, Score) else read_midi(Path(source))
    engine = offline_engine(model, polyphony=polyphony, seed=seed, steps=steps, gain_db=gain_db)
    live_controls = Controls(engine, GAIN_RANGE_DB, gain_db)
    live_controls.apply(dict(controls or {}) | {"steps": steps})
    arrangement = arrange(score, engine.model, timbre=timbre, missing=missing, percussion=percussion)
    if on_notice:
        for notice in arrangement.notices:
            on_notice(notice)
    engine.play(arrangement.score, arrangement.timbres)
    return render_engine(engine, arrangement.score.duration, path, tail, on_progress)


def offline_engine(model: Model | str | None, **settings: Any) -> Engine:
    """For work without a sound card: it looks ahead, and vocodes on a second thread. Settings: see `Engine`."""
    return Engine(
        model or DEFAULT_MODEL,
        look_ahead_samples=LOOK_AHEAD_SAMPLES,
        threads=min(2, os.cpu_count() or 1),
        pipelined=True,
        **settings,
    )


def render_engine(
    engine: Engine,
    duration: float,
    path: str | Path | None = None,
    tail: float = TAIL_SECONDS,
    on_progress: Callable[[float], None] | None = None,
) -> Sound:
    """All samples of `render_blocks`, also written to a file where one is named."""
    blocks: list[Float] = []
    made = 0

    def pull() -> Iterator[Float]:
        nonlocal made
        for samples in render_blocks(engine, duration, tail):
            blocks.append(samples)
            made += len(samples)
            if on_progress:
                on_progress(made / engine.sample_rate)
            yield samples

    if path is None:
        for _ in pull():
            pass
    else:
        with AudioFileWriter(Path(path), engine.sample_rate) as writer:
            for samples in pull():
                writer.write(samples)
    return Sound(np.concatenate(blocks) if blocks else np.zeros(0, np.float32), engine.sample_rate)
