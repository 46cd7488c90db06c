"""Speaks a text file into a corpus in LJSpeech layout, in several variants and with phoneme times.

OUTPUT/metadata.csv, wavs/   as in LJSpeech
OUTPUT/phonemes.jsonl        phonemes and their ends
OUTPUT/plan.json             the resume manifest: a run with the same arguments resumes an interrupted one
"""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import soundfile

from cmaudio.checks import in_range, whole_number
from cmaudio.errors import CmaudioError
from cmaudio.files.names import sound_path
from cmaudio.files.place import Place, as_place, check_reach, files_in, whole_file
from cmaudio.files.reading import read_json, read_text
from cmaudio.files.remote import RemotePath
from cmaudio.files.resume_manifest import start_or_resume
from cmaudio.model.file import Model, embedded_models, load_model
from cmaudio.offline.speak import DEFAULT_VOICE, speak
from cmaudio.offline.spoken import Spoken
from cmaudio.parallel.pool import Pool, local_pool
from cmaudio.speech.phonemes import EDGE, Phoneme
from cmaudio.speech.style import RATE_RANGE

_MAX_TEXT_BYTES = 64 * 2**20
_MAX_LINE = 20_000  # characters, some twenty minutes; each utterance is held in memory


@dataclass(frozen=True)
class Variant:
    """One way to say a line."""

    timbre: str
    rate: float
    seed: int


@dataclass(frozen=True)
class Line:
    """One utterance of the corpus."""

    name: str
    text: str
    variant: Variant


def recite(
    source: str | Path,
    output: str | Path | RemotePath,
    *,
    model: Model | str | None = None,
    timbres: Sequence[str] = (),
    rates: Sequence[float] = (1.0,),
    seeds: int = 1,
    workers: int = 1,
    pool: Pool | None = None,
    on_progress: Callable[[int, int], object] = lambda done, total: None,
) -> dict[str, list[str]]:
    """Read every line of a text file aloud, once for each timbre, rate and seed.

    Args:
        source: UTF-8 text, one utterance per line; a file or a URL.
        output: folder or the URL of one; an existing run with the same arguments is resumed.
        model: a voice, its name or its file; the embedded English one by default.
        timbres: names of the model's timbres; its default if empty.
        rates: see `Speech.steer`.
        seeds: how many seeds.
        workers: how many processes.
        pool: used instead of `workers`.
        on_progress: called with the number of finished utterances and the total.

    Returns:
        Utterance -> the parts of it that could not be spoken, if any.

    Raises:
        CmaudioError: a file that cannot be read, an empty one, another corpus in the folder, a full disk.
    """
    text, folder = as_place(source), as_place(output)
    for name, given in (("timbres", timbres), ("rates", rates)):
        if isinstance(given, str) or not isinstance(given, Sequence):
            raise CmaudioError(f"{name} must be a list, not {given!r}")
    whole_number("seeds", seeds, 1, 1000)
    voice = model if isinstance(model, Model) else load_model(model or DEFAULT_VOICE)
    pool = pool or local_pool(workers)
    check_reach(folder, pool.shares_memory)
    lines = _lines(text, voice, timbres, rates, seeds)
    start_or_resume(folder, _plan(voice, lines), ("wavs", "spoken"))
    existing = files_in(folder / "spoken")
    waiting = [line for line in lines if _record(line.name) not in existing]
    done = len(lines) - len(waiting)
    on_progress(done, len(lines))
    for _ in pool.run(partial(_make, _known_as(voice), folder), waiting):
        done += 1
        on_progress(done, len(lines))
    return _finish(folder, lines)


def _known_as(voice: Model) -> tuple[str, str]:
    """How other machines find a model, and its digest: an embedded one may have another path there."""
    embedded = [name for name, path in embedded_models().items() if path == voice.path]
    return (embedded or [str(voice.path)])[0], _digest(voice)


def _digest(voice: Model) -> str:
    return sha256(json.dumps(voice.manifest.sha256, sort_keys=True).encode()).hexdigest()


def _lines(source: Place, voice: Model, timbres: Sequence[str], rates: Sequence[float], seeds: int) -> list[Line]:
    text = read_text(source, "text", _MAX_TEXT_BYTES)
    written = [" ".join(line.replace("|", " ").split()) for line in text.splitlines()]
    named = [timbre or voice.manifest.default_timbre for timbre in (timbres or [""])]
    for name in named:
        voice.timbre_vector(name)
    checked = [in_range("rate", rate, *RATE_RANGE, "times") for rate in rates]
    variants = [Variant(*parts) for parts in itertools.product(named, checked, range(seeds))]
    lines = [
        Line(f"{number:06d}-{index:02d}", line, variant)
        for number, line in enumerate(written, 1)
        if line
        for index, variant in enumerate(variants)
    ]
    if too_long := [number for number, line in enumerate(written, 1) if len(line) > _MAX_LINE]:
        raise CmaudioError(
            f"{source}: line {too_long[0]} has {len(written[too_long[0] - 1])} characters, and {_MAX_LINE} are "
            "allowed; each line is one utterance, so break it"
        )
    if not lines:
        raise CmaudioError(f"{source}: it contains nothing to say; give a text with one utterance per line")
    return lines


def _plan(voice: Model, lines: Sequence[Line]) -> dict[str, Any]:
    variants = dict.fromkeys(line.variant for line in lines)
    text = "\n".join(f"{line.name} {line.text}" for line in lines)
    return {
        "model": voice.manifest.sha256,
        "variants": [asdict(variant) for variant in variants],
        "text": sha256(text.encode()).hexdigest(),
    }


def _record(name: str) -> str:
    """File name below `spoken` of a record, written after the sound: it shows that the sound is complete."""
    return f"{name}.json"


@cache
def _voice(path: str, digest: str) -> Model:
    voice = load_model(path)
    if _digest(voice) != digest:
        raise CmaudioError(
            f"model {path} differs on {socket.gethostname()}: install the same version of it on all machines"
        )
    return voice


def _make(model: tuple[str, str], output: Place, line: Line) -> None:
    how = line.variant
    spoken = speak(line.text, model=_voice(*model), timbre=how.timbre, rate=how.rate, seed=how.seed)
    row = {"id": line.name, **_times(spoken), "unspoken": spoken.unspoken}
    try:
        with whole_file(output / "wavs" / f"{line.name}.wav") as part:
            soundfile.write(sound_path(part), spoken.audio, spoken.sample_rate, format="WAV", subtype="PCM_16")
        with whole_file(output / "spoken" / _record(line.name)) as part:
            part.write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    except (OSError, soundfile.SoundFileError) as error:
        raise CmaudioError(
            f"{output}: {line.name} cannot be written ({error}); free some space and re-run the command to resume"
        ) from error


def _times(spoken: Spoken) -> dict[str, Any]:
    """Phonemes and their ends, in the format that `cmaudio.training.prepare.spoken` reads; word marks come first."""
    names, begins, begins_word = [], [], False
    for mark in spoken.marks:
        if mark.kind == "phoneme":
            names.append(replace(Phoneme.of(mark.text), begins_word=begins_word).written)
            begins.append(mark.seconds)
        begins_word = mark.kind == "word"
    if names and names[0] != EDGE:
        names, begins = [EDGE, *names], [0.0, *begins]
    ends = [*begins[1:], len(spoken.audio) / spoken.sample_rate]
    return {"phonemes": names, "ends": [round(end, 4) for end in ends] if names else []}


def _finish(output: Place, lines: Sequence[Line]) -> dict[str, list[str]]:
    unspoken, metadata, alignment = {}, [], []
    for line in lines:
        row = read_json(output / "spoken" / _record(line.name), "record", "delete it and run the command again")
        if row["unspoken"]:
            unspoken[line.name] = row["unspoken"]
        del row["unspoken"]
        if not row["phonemes"]:
            continue
        metadata.append(f"{line.name}|{line.text}|{line.text}\n")
        alignment.append(json.dumps(row, ensure_ascii=False) + "\n")
    for name, rows in (("metadata.csv", metadata), ("phonemes.jsonl", alignment)):
        with whole_file(output / name) as part:
            part.write_text("".join(rows), encoding="utf-8")
    return unspoken
