"""What is said in an utterance: phonemes from its text or from the corpus, and their times where the corpus has them.

A corpus may bring `phonemes.jsonl` beside its transcripts: a line {"id": ..., "phonemes": [...], "ends": [...]} an
utterance. Phonemes are in the symbols of `cmaudio.speech` (IPA, "ˈ" or "ˌ" before what is stressed, a space before the
first of a word, without which prosody does not learn where words begin; "," "." "?" "!" for pauses), the first "" for
the silence before; `ends` are the seconds at which each ends in the recording, or absent.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path

from cmaudio.errors import CmaudioError
from cmaudio.speech.language import language
from cmaudio.speech.phonemes import EDGE, Phoneme
from cmaudio.training.prepare.source import Refused

FILE_NAME = "phonemes.jsonl"
Spoken = tuple[tuple[str, ...], tuple[float, ...]]


def read_given(folder: Path) -> Mapping[str, Spoken]:
    """Utterance -> phonemes and ends, of a corpus that brings them; raises CmaudioError that names a bad line."""
    path = folder / FILE_NAME
    if not path.is_file():
        return {}
    given = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            phonemes, ends = tuple(map(str, row["phonemes"])), tuple(map(float, row.get("ends", ())))
            if not phonemes or phonemes[0] != EDGE:
                raise ValueError('the first phoneme must be "", the silence before')
            if ends and (len(ends) != len(phonemes) or any(after < before for before, after in pairwise((0, *ends)))):
                raise ValueError("as many ends as phonemes are needed, none before the last")
        except (ValueError, KeyError, TypeError) as error:
            raise CmaudioError(f"{path}, line {number}: {error}; mend the line or take it out") from error
        given[str(row["id"])] = phonemes, ends
    return given


def phonemes_of(text: str, code: str) -> tuple[str, ...]:
    """The phonemes of an utterance's text, the edge before them first. Raises Refused where nothing can be said."""
    phrases = [phrase for phrase in language(code).phrases([text]) if not phrase.silent]
    if not phrases:
        raise Refused("nothing in its text can be said")
    if any(phrase.unspoken for phrase in phrases):
        raise Refused("its text holds what cannot be said")
    return (EDGE, *(phoneme.written for phrase in phrases for phoneme in phrase.phonemes))


def spoken_symbols(cuts: Iterable[Path]) -> list[str]:
    """All symbols in the cuts of shards, without their stress, sorted; the edge, which all have, is first."""
    found = {EDGE}
    for path in cuts:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                found |= {Phoneme.of(text).symbol for text in json.loads(line)["custom"].get("phonemes", ())}
    return sorted(found)
