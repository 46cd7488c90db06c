"""Utterances of a speech corpus in its layout, each with the reason if it cannot be used.

A recipe of Lhotse reads a temporary folder of links to readable files; whatever it skips is found by comparison.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, replace
from io import StringIO
from itertools import islice
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import soundfile

from cmaudio.errors import CmaudioError
from cmaudio.files.names import sound_path
from cmaudio.files.reading import is_file, is_folder
from cmaudio.training.plugins import attempt
from cmaudio.training.prepare.speech_layouts import Layout, Manifests, layout_of
from cmaudio.training.prepare.transcript import Line

_SHOWN_NAMES, _SHOWN_FORMATS, _COUNTED_FILES = 6, 3, 10_000


@dataclass(frozen=True)
class Utterance:
    """A work item: `audio` relative to the corpus's folder, or why the utterance cannot be used (`trouble`).

    `phonemes` and their `ends` in seconds are set if the corpus has them (`cmaudio.training.prepare.spoken`). `speed`
    is the factor by which it is played faster, and higher.
    """

    name: str
    audio: str = ""
    speaker: str = ""
    text: str = ""
    sample_rate: int = 0
    seconds: float = 0.0
    trouble: str = ""
    phonemes: tuple[str, ...] = ()
    ends: tuple[float, ...] = ()
    speed: float = 1.0


def find_utterances(folder: Path, layout_name: str) -> list[Utterance]:
    """Everything that the transcripts list and all sound files that none lists, sorted by name.

    `speaker` is "" if the corpus names none. Raises CmaudioError for a folder of another layout.
    """
    layout = layout_of(layout_name)
    lines, audio = _listed(folder, layout_name, layout)
    if not lines or not audio:
        raise CmaudioError(
            f"{folder} is not laid out like {layout_name}: expected {layout.expected}; found {_contents(folder)}"
        )
    looked_at = list(_look_at(lines))
    usable = [line for line in looked_at if not line.trouble]
    if layout.recipe is None:
        utterances = [_of_line(folder, line) for line in usable]
    else:
        utterances = _read_by_recipe(folder, layout_name, layout, layout.recipe, usable) if usable else []
    utterances += [Utterance(line.id, trouble=line.trouble) for line in looked_at if line.trouble]
    listed = {line.audio for line in lines}
    for path in audio:
        if path not in listed:
            utterances.append(Utterance(path.relative_to(folder).as_posix(), trouble="no line in a transcript"))
    return sorted(utterances, key=lambda utterance: (utterance.name, utterance.trouble))


def _listed(folder: Path, layout_name: str, layout: Layout) -> tuple[list[Line], list[Path]]:
    """The content that a layout lists in a folder. Raises CmaudioError for errors of a layout from another package."""
    what = f"layout {layout_name}"
    lines = attempt(f"{what}: lines", lambda: list(layout.lines(folder)))
    audio = attempt(f"{what}: audio", lambda: list(layout.audio(folder)))
    for name, listed, kind in (("lines", lines, Line), ("audio", audio, Path)):
        if wrong := [one for one in listed if not isinstance(one, kind)]:
            raise CmaudioError(f"{what}: {name} must list {kind.__name__}, not {type(wrong[0]).__name__}; correct it")
    return lines, audio


def _contents(folder: Path) -> str:
    """The first names in a folder, with the number of files of each format in subfolders: "wavs/ (40 .m4a)"."""
    paths = sorted(folder.iterdir())
    more = f" and {len(paths) - _SHOWN_NAMES} more" if len(paths) > _SHOWN_NAMES else ""
    return ", ".join(path.name + _formats(path) for path in paths[:_SHOWN_NAMES]) + more or "nothing"


def _formats(path: Path) -> str:
    if not path.is_dir():
        return ""
    files = (file for file in islice(path.rglob("*"), _COUNTED_FILES) if file.is_file())
    counts = Counter(file.suffix or file.name for file in files)
    shown = ", ".join(f"{count} {ending}" for ending, count in counts.most_common(_SHOWN_FORMATS))
    return f"/ ({shown or 'no files'})"


def _look_at(lines: Sequence[Line]) -> Iterator[Line]:
    """The lines, each with the reason if it is unusable; of several with one id, none can be trusted."""
    times = Counter(line.id for line in lines if not line.trouble)
    endings = _Endings()
    for line in lines:
        trouble = line.trouble or ("id on more than one line" if times[line.id] > 1 else _trouble(line, endings))
        yield replace(line, trouble=trouble)


class _Endings:
    """The files beside a missing one that differ from it by the ending only. Lists each folder once."""

    def __init__(self) -> None:
        self._by_folder: dict[Path, dict[str, str]] = {}

    def __call__(self, missing: Path) -> str:
        """The ending of such a file, or ""."""
        folder = missing.parent
        if folder not in self._by_folder:
            files = folder.iterdir() if is_folder(folder) else ()
            self._by_folder[folder] = {path.stem: path.suffix for path in files}
        return self._by_folder[folder].get(missing.stem, "")


def _trouble(line: Line, endings: _Endings) -> str:
    if not line.id.isprintable() or ".." in PurePosixPath(line.audio_place).parts:
        return "id that cannot be a file's name"
    if not line.text:
        return "empty transcript"
    if not is_file(line.audio):
        other = endings(line.audio)
        return f"audio in a format that the layout does not have ({other})" if other else "missing audio"
    if line.audio.stat().st_size == 0:
        return "empty file"
    try:
        info = soundfile.info(sound_path(line.audio))
    except (OSError, RuntimeError):
        return "not a sound file, or damaged"
    return "" if info.frames else "no samples"


def _of_line(folder: Path, line: Line) -> Utterance:
    """The utterance of a line that is complete."""
    info = soundfile.info(sound_path(line.audio))
    return Utterance(
        name=line.id,
        audio=line.audio.relative_to(folder).as_posix(),
        speaker=line.speaker,
        text=line.text,
        sample_rate=info.samplerate,
        seconds=round(info.frames / info.samplerate, 6),
    )


def _read_by_recipe(
    folder: Path,
    layout_name: str,
    layout: Layout,
    recipe: Callable[[Path], Iterable[Manifests]],
    lines: Sequence[Line],
) -> list[Utterance]:
    waiting = {line.id: line for line in lines}
    utterances = []
    with TemporaryDirectory(prefix="cmaudio-") as links:
        _link(Path(links), layout, lines)
        with _quiet():
            try:
                manifests = list(recipe(Path(links)))
            except Exception as error:  # versions of Lhotse fail in different ways
                raise CmaudioError(
                    f"{folder}: Lhotse's recipe for {layout_name} failed ({type(error).__name__}: {error}); "
                    "is the corpus complete?"
                ) from error
    for part in manifests:
        recordings = {recording.id: recording for recording in part["recordings"]}
        for supervision in part["supervisions"]:
            line = waiting.pop(supervision.id)
            recording = recordings[supervision.recording_id]
            utterances.append(
                Utterance(
                    name=line.id,
                    audio=line.audio.relative_to(folder).as_posix(),
                    speaker=supervision.speaker or "",
                    text=supervision.text,
                    sample_rate=int(recording.sampling_rate),
                    seconds=round(float(recording.duration), 6),
                )
            )
    return utterances + [Utterance(name, trouble="left out by Lhotse's recipe") for name in waiting]


def _link(links: Path, layout: Layout, lines: Sequence[Line]) -> None:
    transcripts: dict[str, list[str]] = {}
    for line in lines:
        audio = links / line.audio_place
        audio.parent.mkdir(parents=True, exist_ok=True)
        audio.symlink_to(line.audio.resolve())
        transcripts.setdefault(line.transcript_place, []).append(line.line)
    texts = {place: "\n".join(of_file) + "\n" for place, of_file in transcripts.items()}
    for place, text in {**texts, **layout.companions(lines)}.items():
        (links / place).parent.mkdir(parents=True, exist_ok=True)
        (links / place).write_text(text, encoding="utf-8")


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the recipes' own progress bars and log lines."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with redirect_stderr(StringIO()):
            yield
    finally:
        logging.disable(before)
