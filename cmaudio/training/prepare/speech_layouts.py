"""Layouts of speech corpora on disk: the lines of their transcripts, the audio of each, and Lhotse's recipe.

The recipes stop at the first unexpected line, file or number, or skip items with only a log line. So every line is
checked here first, and a recipe sees only readable lines (`cmaudio.training.prepare.utterances`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cmaudio.errors import CmaudioError
from cmaudio.training.plugins import check_call, check_name, load_plugin
from cmaudio.training.prepare.ljspeech import LJSPEECH, ljspeech_audio, ljspeech_lines
from cmaudio.training.prepare.transcript import NOT_UTF8, Line, read_lines, single_spaced, visible

Manifests = dict[str, Any]
_TRAINING_PARTS = ("train-clean-100", "train-clean-360", "train-other-500")
LIBRITTS_PARTS = ("dev-clean", "dev-other", "test-clean", "test-other", *_TRAINING_PARTS)


@dataclass(frozen=True)
class Layout:
    """A corpus's layout.

    Attributes:
        expected: what its folder must contain, in words.
        lines: of all its transcripts.
        audio: its sound files, including those without a transcript.
        recipe: the manifests of a folder: a dictionary of recordings and supervisions for each part; None if the
            lines are complete.
        companions: further files that the recipe reads, by place, with their content.
    """

    expected: str
    lines: Callable[[Path], Iterator[Line]]
    audio: Callable[[Path], Iterator[Path]]
    recipe: Callable[[Path], Iterable[Manifests]] | None = None
    companions: Callable[[Iterable[Line]], dict[str, str]] = lambda lines: {}


# VCTK: txt/SPEAKER/SPEAKER_NUMBER.txt; 0.92 has FLAC of two microphones, 0.80 has WAV of one

_VCTK_092, _VCTK_080 = "wav48_silence_trimmed", "wav48"
_VCTK_MICROPHONE = "mic2"


def _vctk_lines(folder: Path) -> Iterator[Line]:
    newer = (folder / _VCTK_092).is_dir()
    for path in visible((folder / "txt").rglob("*.txt")):
        speaker = path.parent.name
        name = f"{path.stem}_{_VCTK_MICROPHONE}" if newer else path.stem
        place = f"{_VCTK_092}/{speaker}/{name}.flac" if newer else f"{_VCTK_080}/{speaker}/{name}.wav"
        read = [line for _, line in read_lines(path)]
        trouble = NOT_UTF8 if None in read else ""
        text = single_spaced(" ".join(line or "" for line in read))
        yield Line(name, text, folder / place, place, f"txt/{speaker}/{path.name}", text, trouble)


def _vctk_audio(folder: Path) -> Iterator[Path]:
    if (folder / _VCTK_092).is_dir():
        return visible((folder / _VCTK_092).rglob(f"*_{_VCTK_MICROPHONE}.flac"))
    return visible((folder / _VCTK_080).rglob("*.wav"))


def _vctk_recipe(folder: Path) -> list[Manifests]:
    from lhotse.recipes import prepare_vctk

    newer = (folder / _VCTK_092).is_dir()
    return [prepare_vctk(folder, use_edinburgh_vctk_url=newer, mic_id=_VCTK_MICROPHONE)]


# LibriTTS: PART/SPEAKER/CHAPTER/SPEAKER_CHAPTER.trans.tsv of "id <tab> text <tab> text in words"


def _libritts_parts(folder: Path) -> list[str]:
    """The training parts; all parts if there are none of those. Networks know speakers by name only, and those of the
    development and test parts are in no other part."""
    present = [part for part in LIBRITTS_PARTS if (folder / part).is_dir()]
    return [part for part in present if part in _TRAINING_PARTS] or present


def _libritts_lines(folder: Path) -> Iterator[Line]:
    parts = _libritts_parts(folder)
    for part in LIBRITTS_PARTS:
        if part not in parts and (folder / part).is_dir():
            yield Line(part, trouble="part whose speakers are in no training part")
    for part in parts:
        for path in visible((folder / part).rglob("*.trans.tsv")):
            yield from _libritts_chapter(folder, path)


def _libritts_chapter(folder: Path, path: Path) -> Iterator[Line]:
    transcript_place = path.relative_to(folder).as_posix()
    for where, line in read_lines(path):
        if line is None:
            yield Line(where, trouble=NOT_UTF8)
            continue
        name, *texts = map(single_spaced, line.split("\t"))
        if len(texts) != 2 or not name:
            yield Line(where, trouble="line is not of the form id <tab> text <tab> text in words")
            continue
        audio = path.with_name(f"{name}.wav")
        place = audio.relative_to(folder).as_posix()
        yield Line(name, texts[1], audio, place, transcript_place, "\t".join([name, *texts]))


def _libritts_audio(folder: Path) -> Iterator[Path]:
    for part in _libritts_parts(folder):
        yield from visible((folder / part).rglob("*.wav"))


def _libritts_companions(lines: Iterable[Line]) -> dict[str, str]:
    """Signal-to-noise ratios, which are not used, but the file must exist."""
    return {line.transcript_place.replace(".trans.tsv", ".book.tsv"): "" for line in lines}


def _libritts_recipe(folder: Path) -> Iterable[Manifests]:
    from lhotse.recipes import prepare_libritts

    found: dict[str, Manifests] = prepare_libritts(folder, _libritts_parts(folder))
    return found.values()


# CMU Arctic: cmu_us_SPEAKER_arctic/etc/txt.done.data of '( id "text" )', cmu_us_SPEAKER_arctic/wav/id.wav


def _arctic_voices(folder: Path) -> list[Path]:
    """The voices in a folder, or the folder itself."""
    return [path.parent.parent for pattern in ("", "*/") for path in sorted(folder.glob(f"{pattern}etc/txt.done.data"))]


def _arctic_lines(folder: Path) -> Iterator[Line]:
    for voice in _arctic_voices(folder):
        name = voice.resolve().name
        if name.count("_") < 2:
            yield Line(name, trouble="folder is not named like cmu_us_SPEAKER_arctic")
            continue
        for where, line in read_lines(voice / "etc" / "txt.done.data"):
            if line is None:
                yield Line(f"{name} {where}", trouble=NOT_UTF8)
                continue
            parts = re.fullmatch(r'\(\s*([^\s"]+)\s+"(.*)"\s*\)', line)
            if parts is None:
                yield Line(f"{name} {where}", trouble='line is not of the form ( id "text" )')
                continue
            text = single_spaced(parts[2].replace('\\"', '"').replace('"', ""))
            place = f"wav/{parts[1]}.wav"
            full_id = f"{name.split('_')[2]}-{parts[1]}"
            transcript_place = f"{name}/etc/txt.done.data"
            yield Line(full_id, text, voice / place, f"{name}/{place}", transcript_place, f'( {parts[1]} "{text}" )')


def _arctic_recipe(folder: Path) -> list[Manifests]:
    from lhotse.recipes import prepare_cmu_arctic

    return [prepare_cmu_arctic(folder)]


LAYOUTS = {
    "ljspeech": Layout(LJSPEECH, ljspeech_lines, ljspeech_audio, None),
    "vctk": Layout(
        "txt/SPEAKER/SPEAKER_NUMBER.txt, and the sound in wav48_silence_trimmed/SPEAKER/SPEAKER_NUMBER_mic2.flac "
        "(0.92) or wav48/SPEAKER/SPEAKER_NUMBER.wav (0.80)",
        _vctk_lines,
        _vctk_audio,
        _vctk_recipe,
        lambda lines: {"speaker-info.txt": "ID AGE GENDER ACCENTS REGION\n"},
    ),
    "libritts": Layout(
        f"parts ({', '.join(LIBRITTS_PARTS)}) with SPEAKER/CHAPTER/SPEAKER_CHAPTER.trans.tsv and WAV files beside it",
        _libritts_lines,
        _libritts_audio,
        _libritts_recipe,
        _libritts_companions,
    ),
    "cmu_arctic": Layout(
        "cmu_us_SPEAKER_arctic/etc/txt.done.data, and the sound in cmu_us_SPEAKER_arctic/wav",
        _arctic_lines,
        lambda folder: (wav for voice in _arctic_voices(folder) for wav in visible((voice / "wav").glob("*.wav"))),
        _arctic_recipe,
    ),
}


def layout_of(name: str) -> Layout:
    """A layout by its name here, or one from another package by its entry point or class path (see `training.plugins`).

    Raises CmaudioError for a name that is neither, and for a part that is not a `Layout`.
    """
    check_name("layout", name, LAYOUTS)
    if name in LAYOUTS:
        return LAYOUTS[name]
    found = load_plugin("layout", name)
    if not isinstance(found, Layout):
        raise CmaudioError(
            f"layout {name} is a {type(found).__name__}, not a cmaudio.training.prepare.speech_layouts.Layout: make "
            "one of its functions"
        )
    check_call(f"layout {name}, lines", found.lines, Path())
    check_call(f"layout {name}, audio", found.audio, Path())
    return found
