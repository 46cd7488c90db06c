"""Scores and MIDI files to samples and sound files, through the same engine that plays live."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from cmaudio.checks import in_range
from cmaudio.controls.controls import Controls
from cmaudio.controls.routes import RouteLike
from cmaudio.controls.scatter import SCATTER
from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.files.audio_file import AudioFileWriter
from cmaudio.files.targets import AudioTarget, audio_target
from cmaudio.model.file import DEFAULT_MODEL, Model
from cmaudio.model.timbres import Timbre
from cmaudio.offline.stems import StemFiles
from cmaudio.score.arrangement import Missing, arrange
from cmaudio.score.sources import score_from
from cmaudio.signal.dsp import Float
from cmaudio.signal.sound import Sound
from cmaudio.timing.clock import Clock

CHUNK_SAMPLES = 16384
TAIL_SECONDS = 4.0
RINGING_SECONDS, FADE_SECONDS = 60.0, 2.0
LOOK_AHEAD_SAMPLES = 2**19  # about ten seconds, whose notes are batched, so that a melody renders faster
OFFLINE_POLYPHONY = 128  # without a deadline, no note of a score need be stolen
_SILENT = 10 ** (-75 / 20)


def render_blocks(
    engine: Engine,
    duration: float,
    tail: float = TAIL_SECONDS,
    on_notice: Callable[[str], object] = lambda notice: None,
) -> Iterator[Float]:
    """The samples of a fresh engine's schedule: `duration` seconds, and up to `tail` more until it is silent.

    Once the notes have decayed, reverb and echoes may ring for `RINGING_SECONDS` more; what still rings then is faded
    out, and `on_notice` is called with one line.
    """
    engine.read(engine.latency_samples)
    end = round(duration * engine.sample_rate)
    last = end + round(tail * engine.sample_rate)
    rung_out = last + round(RINGING_SECONDS * engine.sample_rate)
    fade_from, done = rung_out - round(FADE_SECONDS * engine.sample_rate), 0
    while done < last or (done < rung_out and tail > 0 and _only_rings(engine)):
        limit = next(each for each in (end, last, fade_from, rung_out) if done < each)
        if done == fade_from:
            engine.fade_out(FADE_SECONDS)
            on_notice(f"the effects still ring {RINGING_SECONDS:g} s after the notes: their tail is faded out")
        samples = engine.read(min(CHUNK_SAMPLES, limit - done))
        done += len(samples)
        yield samples
        if done >= end and engine.idle and np.abs(samples).max(initial=0) < _SILENT:
            return


def _only_rings(engine: Engine) -> bool:
    """Whether only the effects still sound."""
    return not engine.idle and not engine.allocator.voices


def render(
    source: Any,
    path: AudioTarget | None = None,
    *,
    format: str | None = None,
    model: Model | str | None = None,
    timbre: Timbre | None = None,
    seed: int = 0,
    steps: int = 1,
    tail: float = TAIL_SECONDS,
    polyphony: int = OFFLINE_POLYPHONY,
    gain_db: float = 0.0,
    channels: int | None = None,
    stems: str | Path | None = None,
    controls: Mapping[str, float] | None = None,
    routes: Iterable[RouteLike] = (),
    impulse_response: str | Path | None = None,
    missing: Missing = "nearest",
    percussion: Missing = "omit",
    keep_samples: bool = True,
    on_progress: Callable[[float], None] | None = None,
    on_notice: Callable[[str], None] | None = None,
) -> Sound:
    """Render a MIDI file or a score, faster than real time and without a sound card.

    Args:
        source: a MIDI file, its bytes or an open file, a Score, or an object of mido, pretty_midi or music21.
        path: also write it there (.wav, .flac, .ogg, .opus or .mp3); an error leaves no partial file. Or an open binary
            file, which is written at the end.
        format: of an open file: "wav" (the default), "flac", "ogg", "opus" or "mp3".
        model: a loaded model, its name or its file; the embedded instrument by default.
        timbre: plays all notes, overriding their programs.
        seed: see `Engine`.
        steps: see `Engine`.
        tail: maximum seconds for notes to decay; after that, reverb and echoes ring out.
        polyphony: see `Engine`.
        gain_db: see `Engine`.
        channels: see `Engine`.
        stems: also write each part (MIDI channel) to a file in this folder, see `cmaudio.offline.stems`.
        controls: name -> value of controls, see `cmaudio.controls.definitions`.
        routes: modulation, as (modulator, control, amount), see `Controls.route`.
        impulse_response: a sound file with the impulse response that replaces the reverb.
        missing: see `arrange`.
        percussion: see `arrange`.
        keep_samples: False for pieces of hours, whose samples would fill the memory: they are only in the files.
        on_progress: called with the seconds rendered so far.
        on_notice: called with one line about everything that the model lacks or that was wrong with the file.

    Returns:
        (N, 2) float32 samples within [-1, 1], or (N,) in mono: an array with the model's `sample_rate`, which a
        notebook shows and plays.
    Raises:
        CmaudioError: a file that cannot be read or written, an unknown timbre, a value out of range.
    """
    in_range("tail", tail, 0, 600, "seconds")
    if not isinstance(controls, Mapping | None):
        raise CmaudioError(f"controls are values by name, such as {{'vibrato': 0.5}}, not {type(controls).__name__}")
    score = score_from(source)
    engine = offline_engine(model, polyphony=polyphony, seed=seed, steps=steps, gain_db=gain_db, channels=channels)
    engine.allocator.mono_notice.listen(on_notice or (lambda notice: None))
    live_controls = Controls(engine, gain_db)
    live_controls.apply(dict(controls or {}) | {"steps": steps})
    live_controls.set_routes(routes)
    if impulse_response is not None:
        engine.set_impulse_response(impulse_response, 0, on_notice or (lambda notice: None))
    arrangement = arrange(score, engine.model, timbre=timbre, missing=missing, percussion=percussion)
    if on_notice:
        for notice in arrangement.notices:
            on_notice(notice)
    engine.play(arrangement.score, arrangement.timbres)
    if live_controls.values().get(SCATTER):
        live_controls.set_seed(seed)
        clock = Clock(engine, controls=live_controls)
        clock.finish(clock.map.beat_at(arrangement.score.duration * engine.sample_rate))
    sound = render_engine(
        engine, arrangement.score.duration, path, tail, on_progress, stems, on_notice, keep_samples, format
    )
    stolen = engine.allocator.stealing.count
    if stolen and on_notice:
        on_notice(f"{stolen} notes were cut off: more than {polyphony} sounded at once; raise the polyphony")
    return sound


def offline_engine(model: Model | str | None, **settings: Any) -> Engine:
    """An engine for offline rendering: with look-ahead, and the vocoder on a second thread. Settings: see `Engine`."""
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
    path: AudioTarget | None = None,
    tail: float = TAIL_SECONDS,
    on_progress: Callable[[float], None] | None = None,
    stems: str | Path | None = None,
    on_notice: Callable[[str], object] | None = None,
    keep_samples: bool = True,
    sound_format: str | None = None,
) -> Sound:
    """All samples of `render_blocks`, also written to a file and its parts to a folder if these are given.

    Returns None if the samples are not to be kept.
    """
    blocks = [engine.read(0)]
    made = 0
    longest = round((duration + tail + (RINGING_SECONDS if tail else 0)) * engine.sample_rate)
    with ExitStack() as files:
        parts = files.enter_context(StemFiles(stems, engine)) if stems is not None else None
        writer = None
        if path is not None:
            file = files.enter_context(audio_target(path, sound_format))
            writer = files.enter_context(AudioFileWriter(file, engine.sample_rate, channels=engine.channels))
            writer.expect(longest)
        if parts:
            parts.expect(longest)
        for samples in render_blocks(engine, duration, tail, on_notice or (lambda notice: None)):
            if keep_samples:
                blocks.append(samples)
            made += len(samples)
            if on_progress:
                on_progress(made / engine.sample_rate)
            if writer:
                writer.write(samples)
            if parts:
                parts.write(len(samples))
    return Sound(np.concatenate(blocks), engine.sample_rate)
