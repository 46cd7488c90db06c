"""Writes a corpus to a folder or object storage: each shard is complete or absent, so that a killed run can be resumed.

plan.json                    source and settings; a resumed run must agree with them
train/, held_out/            Lhotse Shar: cuts, recording, log_mel, harmonics, pitch_track
shards/train.000000.json     outcome of a shard's items; written after its data, so that it marks it as complete
corpus.json, report.json, summary.png, written last
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import uuid4

from cmaudio.errors import CmaudioError
from cmaudio.files.place import Place, check_reach, files_in, move_to, whole_file
from cmaudio.files.reading import read_json
from cmaudio.files.resume_manifest import start_or_resume
from cmaudio.parallel.pool import Pool, local_pool
from cmaudio.training.corpus.description import CorpusDescription, SignalDefinition, Split, write_description
from cmaudio.training.corpus.shard import field_files, write_cuts
from cmaudio.training.prepare.outcomes import Entry, Outcome, describe, write_report
from cmaudio.training.prepare.source import Item, Maker, Refused, Source
from cmaudio.training.prepare.spoken import spoken_symbols

SHARD_ITEMS = 128
_PARTIAL = ".partial"
_RESUME = "finished shards are kept; run the same command again to resume"


@dataclass(frozen=True)
class Progress:
    """Finished and total items, including earlier runs, and clips written by this run."""

    items: int
    of_items: int
    clips: int


@dataclass(frozen=True)
class _Shard:
    split: Split
    index: int
    items: Sequence[Item]

    @property
    def record(self) -> str:
        return f"shards/{self.split}.{self.index:06d}.json"

    def finished(self, there: set[str]) -> bool:
        """Whether its files are in `there`."""
        return {self.record, *(f"{self.split}/{name}" for name in field_files(self.index))} <= there


def write_corpus(
    folder: Place,
    source: Source[Any],
    definition: SignalDefinition,
    *,
    workers: int = 1,
    pool: Pool | None = None,
    shard_items: int = SHARD_ITEMS,
    on_progress: Callable[[Progress], object] = lambda progress: None,
) -> tuple[CorpusDescription, list[Outcome]]:
    """Write all clips of a source that an earlier run has not written, and the description of the corpus.

    Args:
        folder: of the corpus, on disk or in object storage.
        source: of the clips.
        definition: of their signal.
        workers: number of processes; with one, everything happens in this process.
        pool: used instead of `workers`.
        shard_items: items per shard.
        on_progress: called after every shard.

    Returns:
        The description and the outcome of every shard.

    Raises:
        CmaudioError: the folder holds another corpus, no item gave a clip, the disk is full, or a worker died.
    """
    pool = pool or local_pool(workers)
    check_reach(folder, pool.shares_memory)
    items = source.items()
    start_or_resume(folder, _manifest(source, definition, shard_items, items), ("shards", *items))
    _forget_partial(folder)
    shards = list(chain.from_iterable(_shards(split, of_split, shard_items) for split, of_split in items.items()))
    existing = files_in(folder)
    waiting = [shard for shard in shards if not shard.finished(existing)]
    total, clips = sum(len(shard.items) for shard in shards), 0
    done = total - sum(len(shard.items) for shard in waiting)
    on_progress(Progress(done, total, 0))
    writing = _Writing(uuid4().hex, folder, source, source.gain, definition)
    try:
        for shard, made in pool.run(writing, waiting):
            done, clips = done + len(shard.items), clips + made
            on_progress(Progress(done, total, clips))
    except OSError as error:
        raise CmaudioError(f"{folder}: {error.strerror or error}; is the disk full? {_RESUME}") from error
    finally:
        _opened.pop(writing.key, None)
    outcomes = [_outcome(shard, folder / shard.record) for shard in shards]
    return _finish(folder, source, definition, outcomes), outcomes


def _shards(split: Split, items: Sequence[Item], shard_items: int) -> Iterator[_Shard]:
    for index, first in enumerate(range(0, len(items), shard_items)):
        yield _Shard(split, index, items[first : first + shard_items])


def _manifest(
    source: Source[Any], definition: SignalDefinition, shard_items: int, items: Mapping[Split, Sequence[Item]]
) -> dict[str, Any]:
    def digest(of_split: Sequence[Item]) -> str:
        return sha256("\n".join(repr(item) for item in of_split).encode("utf-8", "surrogateescape")).hexdigest()

    return {
        "source": source.kind,
        "name": source.name,
        "gain": source.gain,
        "shard_items": shard_items,
        **{f"signal.{key}": value for key, value in definition.model_dump().items()},
        **source.settings,
        **{f"items.{split}": digest(of_split) for split, of_split in items.items()},
    }


@dataclass(frozen=True)
class _Writing:
    """Writes shards, in any process; `key` distinguishes the corpora of one process."""

    key: str
    folder: Place
    source: Source[Any]
    gain: float
    definition: SignalDefinition

    def __call__(self, shard: _Shard) -> int:
        if self.key not in _opened:
            _opened.clear()
            _opened[self.key] = self.source.open(self.definition.signal())
        return _write_shard(self.folder, self.gain, self.definition, _opened[self.key], shard)


_opened: dict[str, Maker[Any]] = {}  # opened once per process, for all its shards


def _write_shard(folder: Place, gain: float, definition: SignalDefinition, make: Maker[Any], shard: _Shard) -> int:
    """Write the shard's files to a temporary folder, move them into place, and mark the shard as complete."""
    entries: list[Entry] = []
    refused: list[tuple[str, str]] = []
    signal = definition.signal()
    with _partial_folder(folder, shard) as partial_folder:
        with write_cuts(partial_folder, shard.index, signal, gain) as write:
            for item in shard.items:
                try:
                    clips = make(item)
                except Refused as reason:
                    refused.append((item.name, str(reason)))
                    continue
                for clip in clips:
                    write(clip)
                    entries.append(Entry.of(item.name, clip, signal, gain))
        for name in field_files(shard.index):
            move_to(partial_folder / name, folder / shard.split / name)
    with whole_file(folder / shard.record) as temporary:
        temporary.write_text(Outcome(shard.split, entries, refused).to_json(), encoding="utf-8")
    return len(entries)


@contextmanager
def _partial_folder(folder: Place, shard: _Shard) -> Iterator[Path]:
    """A local folder for the files of a shard: on the corpus's disk, or a temporary one for object storage."""
    if not isinstance(folder, Path):
        with tempfile.TemporaryDirectory(prefix="cmaudio-") as temporary:
            yield Path(temporary)
        return
    (folder / _PARTIAL).mkdir(exist_ok=True)
    # A shard that seemed lost is made again; a worker that was thought dead must not write to the same files.
    partial_folder = Path(tempfile.mkdtemp(prefix=f"{shard.split}.{shard.index:06d}.", dir=folder / _PARTIAL))
    yield partial_folder
    shutil.rmtree(partial_folder, ignore_errors=True)


def _outcome(shard: _Shard, record: Place) -> Outcome:
    fields = read_json(record, "record", "delete it and run the same command again")
    try:
        return Outcome.of_fields(shard.split, fields)
    except (TypeError, ValueError, KeyError) as error:
        raise CmaudioError(f"{record} is damaged ({error!r}); delete it and run the same command again") from error


def _forget_partial(folder: Place) -> None:
    if isinstance(folder, Path):
        shutil.rmtree(folder / _PARTIAL, ignore_errors=True)


def _finish(
    folder: Place, source: Source[Any], definition: SignalDefinition, outcomes: list[Outcome]
) -> CorpusDescription:
    try:
        write_report(folder / "report.json", outcomes)
        description = describe(source, definition, outcomes)
        if code := source.settings.get("language"):
            cuts = [
                folder / outcome_split / field_files(index)[0]
                for outcome_split, part in description.splits.items()
                for index in range(part.shards)
            ]
            description = description.model_copy(update={"language": str(code), "symbols": spoken_symbols(cuts)})
        write_description(folder, description)
        _forget_partial(folder)
    except OSError as error:
        raise CmaudioError(f"{folder}: {error.strerror}; {_RESUME}") from error
    return description
