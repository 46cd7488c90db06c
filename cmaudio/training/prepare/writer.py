"""Writes a corpus: worker processes write shards, each complete or absent, so that a killed run can be resumed.

plan.json                    source and settings; a resumed run must agree with them
train/, held_out/            Lhotse Shar: cuts, recording, log_mel, harmonics, pitch_track
shards/train.000000.json     outcome of a shard's items; written after its data, so that it marks it as complete
corpus.json, report.json, summary.png, written last
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from cmaudio.errors import CmaudioError
from cmaudio.files.atomic import atomic_file
from cmaudio.files.reading import read_json
from cmaudio.files.resume_manifest import agree_on_plan
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
    """Items done of all, earlier runs included, and clips written by this run."""

    items: int
    of_items: int
    clips: int


@dataclass(frozen=True)
class _Shard:
    split: Split
    index: int
    items: Sequence[Item]

    def record(self, folder: Path) -> Path:
        return folder / "shards" / f"{self.split}.{self.index:06d}.json"

    def finished(self, folder: Path) -> bool:
        files = [folder / self.split / name for name in field_files(self.index)]
        return self.record(folder).is_file() and all(path.is_file() for path in files)


def write_corpus(
    folder: Path,
    source: Source[Any],
    definition: SignalDefinition,
    *,
    workers: int = 1,
    shard_items: int = SHARD_ITEMS,
    on_progress: Callable[[Progress], object] = lambda progress: None,
) -> tuple[CorpusDescription, list[Outcome]]:
    """Write all clips of a source that an earlier run has not written, and the description of the corpus.

    With one worker everything happens in this process. Returns the description and the outcome of every shard.

    Raises:
        CmaudioError: the folder holds another corpus, no item gave a clip, the disk is full, or a worker died.
    """
    items = source.items()
    agree_on_plan(folder, _manifest(source, definition, shard_items, items), ("shards", *items))
    shutil.rmtree(folder / _PARTIAL, ignore_errors=True)
    shards = list(chain.from_iterable(_shards(split, of_split, shard_items) for split, of_split in items.items()))
    waiting = [shard for shard in shards if not shard.finished(folder)]
    total, clips = sum(len(shard.items) for shard in shards), 0
    done = total - sum(len(shard.items) for shard in waiting)
    on_progress(Progress(done, total, 0))
    try:
        for shard, made in _run(folder, source, definition, waiting, workers):
            done, clips = done + len(shard.items), clips + made
            on_progress(Progress(done, total, clips))
    except BrokenProcessPool as error:
        raise CmaudioError(
            f"a worker process died, most likely out of memory; {_RESUME} (fewer --workers need less memory)"
        ) from error
    except OSError as error:
        raise CmaudioError(f"{folder}: {error.strerror or error}; is the disk full? {_RESUME}") from error
    outcomes = [_outcome(shard, shard.record(folder)) for shard in shards]
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


def _run(
    folder: Path, source: Source[Any], definition: SignalDefinition, shards: Sequence[_Shard], workers: int
) -> Iterator[tuple[_Shard, int]]:
    """Write shards; yields each with its number of clips when it is complete."""
    if workers <= 1 or len(shards) <= 1:
        make = source.open(definition.signal()) if shards else None
        for shard in shards:
            assert make is not None
            yield shard, _write_shard(folder, source.gain, definition, make, shard)
        return
    pool = ProcessPoolExecutor(min(workers, len(shards)), get_context("spawn"))
    try:
        task = partial(_write_in_worker, folder, source, definition)
        futures = {pool.submit(task, shard): shard for shard in shards}
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        pool.shutdown(cancel_futures=True)


_opened: list[Maker[Any]] = []  # of a worker process: opened once for all its shards


def _write_in_worker(folder: Path, source: Source[Any], definition: SignalDefinition, shard: _Shard) -> int:
    if not _opened:
        _opened.append(source.open(definition.signal()))
    return _write_shard(folder, source.gain, definition, _opened[0], shard)


def _write_shard(folder: Path, gain: float, definition: SignalDefinition, make: Maker[Any], shard: _Shard) -> int:
    """Write the shard's files to a temporary folder, move them into place, and mark the shard as complete."""
    partial_folder = folder / _PARTIAL / f"{shard.split}.{shard.index:06d}"
    shutil.rmtree(partial_folder, ignore_errors=True)
    partial_folder.mkdir(parents=True)
    entries: list[Entry] = []
    refused: list[tuple[str, str]] = []
    signal = definition.signal()
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
        (partial_folder / name).replace(folder / shard.split / name)
    shutil.rmtree(partial_folder, ignore_errors=True)
    with atomic_file(shard.record(folder)) as temporary:
        temporary.write_text(Outcome(shard.split, entries, refused).to_json(), encoding="utf-8")
    return len(entries)


def _outcome(shard: _Shard, record: Path) -> Outcome:
    fields = read_json(record, "record", "delete it and run the same command again")
    try:
        return Outcome.of_fields(shard.split, fields)
    except (TypeError, ValueError, KeyError) as error:
        raise CmaudioError(f"{record} is damaged ({error!r}); delete it and run the same command again") from error


def _finish(
    folder: Path, source: Source[Any], definition: SignalDefinition, outcomes: list[Outcome]
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
        shutil.rmtree(folder / _PARTIAL, ignore_errors=True)
    except OSError as error:
        raise CmaudioError(f"{folder}: {error.strerror}; {_RESUME}") from error
    return description
