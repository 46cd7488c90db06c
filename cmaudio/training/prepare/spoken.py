"""Phonemes of an utterance, from its text or from the corpus, with times if the corpus has them.

A corpus may have a `phonemes.jsonl` beside its transcripts, with a line
{"id": ..., "phonemes": [...], "ends": [...]} per utterance. Phonemes are symbols of `cmaudio.speech`: IPA, with "ˈ" or
"ˌ" before stressed ones, a space before the first of a word (so that prosody is conditioned on word boundaries), and
"," "." "?" "!" for pauses; the first is "", the silence before. `ends` are the seconds at which each ends in the
recording, or absent.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path

from cmaudio.errors import CmaudioError
from cmaudio.files.place import Place
from cmaudio.files.reading import read_text
from cmaudio.speech.language import language
from cmaudio.speech.phonemes import EDGE, Phoneme
from cmaudio.training.prepare.source import Refused

FILE_NAME = "phonemes.jsonl"
_MAX_BYTES = 2**30
Spoken = tuple[tuple[str, ...], tuple[float, ...]]


def read_given(folder: Path) -> Mapping[str, Spoken]:
    """Phonemes and ends by utterance, if the corpus has them; raises CmaudioError that names a malformed line."""
    path = folder / FILE_NAME
    if not path.exists():
        return {}
    given: dict[str, Spoken] = {}
    for number, line in enumerate(read_text(path, "file of phonemes", _MAX_BYTES).split("\n"), 1):
        try:
            given.update([_row(line)] if line.strip() else [])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            what = f"there is no {error}" if isinstance(error, KeyError) else error
            raise CmaudioError(f"{path}, line {number}: {what}; correct the line or remove it") from error
    return given


def _row(line: str) -> tuple[str, Spoken]:
    row = json.loads(line)
    phonemes, ends = tuple(map(str, row["phonemes"])), tuple(map(float, row.get("ends", ())))
    if not phonemes or phonemes[0] != EDGE:
        raise ValueError('the first phoneme must be "", the silence before')
    in_order = all(before <= after < math.inf for before, after in pairwise((0, *ends)))
    if ends and not (len(ends) == len(phonemes) and in_order):
        raise ValueError("as many ends as phonemes are needed, none before the last")
    return str(row["id"]), (phonemes, ends)


def phonemes_of(text: str, code: str) -> tuple[str, ...]:
    """The phonemes of an utterance's text, the edge before them first. Raises Refused if there are none."""
    phrases = [phrase for phrase in language(code).phrases([text]) if not phrase.silent]
    if not phrases:
        raise Refused("its text has nothing to pronounce")
    if any(phrase.unspoken for phrase in phrases):
        raise Refused("part of its text cannot be pronounced")
    return (EDGE, *(phoneme.written for phrase in phrases for phoneme in phrase.phonemes))


def spoken_symbols(cuts: Iterable[Place]) -> list[str]:
    """All symbols in the cuts of shards, without their stress, sorted; the edge, which all have, is first."""
    found = {EDGE}
    for path in cuts:
        for line in gzip.decompress(path.read_bytes()).decode().splitlines():
            found |= {Phoneme.of(text).symbol for text in json.loads(line)["custom"].get("phonemes", ())}
    return sorted(found)
