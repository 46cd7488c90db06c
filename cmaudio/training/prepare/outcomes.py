"""Outcomes of the items of a source: the report, and the corpus's description."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from cmaudio.errors import CmaudioError
from cmaudio.files.place import Place, whole_file
from cmaudio.signal.dsp import Float
from cmaudio.training.corpus.clip import Clip, Signal
from cmaudio.training.corpus.description import (
    SPLITS,
    CorpusDescription,
    CorpusTimbre,
    SignalDefinition,
    Split,
    SplitDescription,
)
from cmaudio.training.prepare.source import Source

LEVEL_SECONDS = 0.4
SILENT_DB = -120.0


def momentary_level_db(audio: Float, sample_rate: int) -> float:
    """RMS over the loudest 0.4 s, in dB of full scale: the loudness of a sound regardless of silence around it."""
    window = max(1, int(LEVEL_SECONDS * sample_rate))
    energy = np.concatenate([[0.0], np.cumsum(np.square(audio, dtype=np.float64))])
    loudest = (energy[window:] - energy[:-window]).max() if len(audio) > window else energy[-1]
    return max(SILENT_DB, float(10 * np.log10(max(loudest, 0) / window + 1e-20)))


@dataclass(frozen=True)
class Entry:
    """A clip in the report; `level_db` is its momentary level as seen by the networks."""

    name: str
    item: str
    timbre: str
    seconds: float
    pitch: float
    velocity: float
    level_db: float
    voiced: bool

    @classmethod
    def of(cls, item: str, clip: Clip, signal: Signal, gain: float) -> Entry:
        level = momentary_level_db(clip.audio, signal.sample_rate) + 20 * np.log10(gain)
        seconds = len(clip.audio) / signal.sample_rate
        voiced = bool(clip.voiced.any())
        pitch, velocity = float(clip.pitch), float(clip.velocity)
        return cls(clip.name, item, clip.timbre, seconds, pitch, velocity, round(float(level), 1), voiced)


@dataclass(frozen=True)
class Outcome:
    """The outcome of a shard: its clips, and the refused items with reasons."""

    split: Split
    clips: list[Entry]
    refused: list[tuple[str, str]]

    def to_json(self) -> str:
        return json.dumps({"clips": [asdict(entry) for entry in self.clips], "refused": self.refused})

    @classmethod
    def of_fields(cls, split: Split, fields: Mapping[str, Any]) -> Outcome:
        """Inverse of `to_json`, from the parsed object; raises KeyError, TypeError or ValueError for a damaged one."""
        refused = [(name, reason) for name, reason in fields["refused"]]
        return cls(split, [Entry(**entry) for entry in fields["clips"]], refused)


def reasons(outcomes: Sequence[Outcome]) -> Counter[str]:
    """How many items were refused for each reason."""
    return Counter(reason for outcome in outcomes for _, reason in outcome.refused)


def _clips(outcomes: Sequence[Outcome]) -> Iterator[Entry]:
    for outcome in outcomes:
        yield from outcome.clips


def write_report(path: Place, outcomes: Sequence[Outcome]) -> None:
    """Every item by split, used or refused with a reason, and counts."""
    report: dict[str, Any] = {
        "clips": sum(len(outcome.clips) for outcome in outcomes),
        "not_used": sum(len(outcome.refused) for outcome in outcomes),
        "reasons": dict(reasons(outcomes).most_common()),
    }
    for split in SPLITS:
        of_split = [outcome for outcome in outcomes if outcome.split == split]
        report[split] = {
            "used": [{"item": entry.item, "clip": entry.name, "timbre": entry.timbre} for entry in _clips(of_split)],
            "not_used": [{"item": name, "reason": reason} for o in of_split for name, reason in o.refused],
        }
    text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
    with whole_file(path) as part:
        part.write_bytes(
            text.encode("utf-8", "backslashreplace")
        )  # characters that are not UTF-8 in a name become JSON escapes


def describe(source: Source[Any], definition: SignalDefinition, outcomes: Sequence[Outcome]) -> CorpusDescription:
    """Raises CmaudioError, with the reasons, if the training split has no clip."""
    if not any(outcome.clips for outcome in outcomes if outcome.split == "train"):
        first = {reason: name for outcome in reversed(outcomes) for name, reason in reversed(outcome.refused)}
        counts = reasons(outcomes).most_common(3)
        why = "; ".join(f"{count} x {reason}, such as {first[reason]}" for reason, count in counts)
        raise CmaudioError(
            f"{source.name}: nothing to train on, none of its items gave a clip ({why}); report.json names each of them"
        )
    clips = list(_clips(outcomes))
    names = Counter(entry.name for entry in clips)
    assert len(names) == len(clips), f"clips of one name: {names.most_common(3)}"
    return CorpusDescription(
        name=source.name,
        source=source.kind,
        licence=source.licence,
        signal=definition,
        gain=source.gain,
        timbres=_timbres(source, clips),
        splits={split: _split(split, outcomes) for split in SPLITS},
        settings=dict(source.settings),
        cmaudio=_version(),
    )


def _timbres(source: Source[Any], clips: Sequence[Entry]) -> list[CorpusTimbre]:
    """The timbres, sorted by program, percussion key and name."""
    found: dict[str, list[Entry]] = {}
    for entry in clips:
        found.setdefault(entry.timbre, []).append(entry)
    timbres = []
    for name, entries in found.items():
        traits = source.traits(name, sum(entry.voiced for entry in entries) / len(entries))
        seconds = sum(entry.seconds for entry in entries)
        timbres.append(CorpusTimbre(name=name, clips=len(entries), seconds=seconds, **asdict(traits)))
    last = 128
    return sorted(timbres, key=lambda t: (last if t.program is None else t.program, t.key or 0, t.name))


def _split(split: Split, outcomes: Sequence[Outcome]) -> SplitDescription:
    of_split = [outcome for outcome in outcomes if outcome.split == split]
    clips = list(_clips(of_split))
    return SplitDescription(clips=len(clips), seconds=sum(entry.seconds for entry in clips), shards=len(of_split))


def _version() -> str:
    try:
        return version("cmaudio")
    except PackageNotFoundError:
        return "not installed"
