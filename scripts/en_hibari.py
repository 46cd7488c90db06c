"""Synthesise an English corpus with hibari-tts, in LJSpeech layout with phoneme times.

    pip install hibari-tts && sudo apt-get install wordnet-base
    python scripts/en_hibari.py OUTPUT --hours 6

hibari-tts 0.2.1 (Apache-2.0) is a synthesiser: label models trained on this corpus as synthetic. The texts are the
example sentences of WordNet 3.0 in random order (its licence allows any use with its notice, which is copied to the
corpus), mixed with questions and exclamations (`english_questions`). Some clips have two sentences, since the silence
between sentences cannot be learned at the end of a clip. hibari does not raise the pitch of questions
(`cmaudio.speech.intonation` does), and its durations count some of the silence at a pause as part of the preceding
phoneme, which `cmaudio prepare` corrects.

The synthesiser gets the phonemes of `cmaudio.speech`, so phonemes.jsonl holds exactly what was spoken, with the
synthesiser's own durations.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from english_questions import KINDS, Asker

from cmaudio.speech.language import language
from cmaudio.speech.phonemes import EDGE, Phoneme, Word

WORDNET = Path("/usr/share/wordnet")
LICENCE = Path("/usr/share/doc/wordnet-base/copyright")
RATE = 24_000
_SHORT_WORDS = 14  # longer sentences stay alone: hibari takes some 500 phonemes at once
_OF_TWO_SENTENCES = 0.4
_CONJUNCTIONS = ("and", "but", "so", "because", "while", "which is why")
_BATCH = 256
_DURATIONS, _UNIT_SECONDS = "/Clip_output_0", 0.025  # of every input symbol, inside the graph of 0.2.1
# The sound is this much earlier than the durations say: over 128 clips, the share of voiced frames fits vowels and
# unvoiced consonants best when all phonemes are shifted by 4.5 frames of 10.7 ms.
_AHEAD_SECONDS = 2 * _UNIT_SECONDS
_LIKE_HIBARI = {
    "oʊ": "O", "eɪ": "A", "aɪ": "I", "aʊ": "W", "ɔɪ": "Y", "t͡ʃ": "ʧ", "d͡ʒ": "ʤ", "ɚ": "əɹ",
}  # fmt: skip
_STRESSED = {"ɚ": "ɜɹ"}
_VOWELS = frozenset(["O", "A", "I", "W", "Y", "əɹ", "ɜɹ", "ɑ", "æ", "ɛ", "ɪ", "i", "u", "ʊ", "ʌ", "ɔ", "ə"])


def sentences(folder: Path) -> list[str]:
    """The distinct examples in the glosses of WordNet that have the form of a sentence or clause."""
    found: dict[str, None] = {}
    for part in ("noun", "verb", "adj", "adv"):
        for line in (folder / f"data.{part}").read_text(encoding="utf-8", errors="replace").splitlines():
            gloss = line.partition("| ")[2]
            for quoted in re.findall(r'"([^"]+)"', gloss):
                text = " ".join(quoted.split()).strip(" ;,-")
                if 4 <= len(text.split()) <= 30 and re.fullmatch(r"[A-Za-z ,;:'!?.-]+", text):
                    found[text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")] = None
    return list(found)


def mixed(statements: Sequence[str], asker: Asker, share: float, pairs: float, seed: int) -> Iterator[str]:
    """The texts of the clips: statements in random order mixed with questions and exclamations, some joined to pairs.

    Args:
        statements: sentences.
        asker: generates questions and exclamations.
        share: of questions and exclamations.
        pairs: share of clips with two sentences.
        seed: of all random choices.
    """
    rng = random.Random(seed)
    others = {kind: asker.sentences(kind) for kind in KINDS}
    left = iter(rng.sample(statements, len(statements)))

    def one() -> str | None:
        return next(others[rng.choice(KINDS)]) if rng.random() < share else next(left, None)

    while (text := one()) is not None:
        after = one() if len(text.split()) <= _SHORT_WORDS and rng.random() < pairs else None
        yield text if after is None else _joined(text, after, rng)


def _joined(text: str, after: str, rng: random.Random) -> str:
    """Two sentences, or two statements joined by a comma and a conjunction."""
    if text[-1] != "." or after[-1] == "!" or rng.random() < _OF_TWO_SENTENCES:
        return f"{text} {after}"
    lower = after if after.split()[0] in ("I", "I'm", "I'll", "I've") else after[0].lower() + after[1:]
    return f"{text[:-1]}, {rng.choice(_CONJUNCTIONS)} {lower}"


@cache
def _synthesiser() -> tuple[Any, Any]:
    """hibari's graph with durations as an additional output, and its vocabulary."""
    import hibari
    import onnx
    import onnxruntime as ort

    tts = hibari.Hibari()
    graph = onnx.load(tts.model_path)
    graph.graph.output.append(onnx.helper.make_empty_tensor_value_info(_DURATIONS))
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"]), tts.vocab


def spelled(words: Sequence[Word]) -> Iterator[tuple[str, int]]:
    """Symbols of hibari and Kokoro in order, each with the index of its phoneme (-1: the leading edge)."""
    index = -1
    for number, word in enumerate(words):
        pausing = word.phonemes[0].is_pause
        if number and not pausing:
            yield " ", index
        for at, phoneme in enumerate(word.phonemes):
            index += 1
            if phoneme.stress and not pausing:
                yield {1: "ˈ", 2: "ˌ"}[phoneme.stress], index
            symbol = _flapped(word.phonemes, at) or _symbol(phoneme)
            yield from ((letter, index) for letter in symbol)


def _symbol(phoneme: Phoneme) -> str:
    stressed = _STRESSED.get(phoneme.symbol) if phoneme.stress else None
    return stressed or _LIKE_HIBARI.get(phoneme.symbol, phoneme.symbol)


def _flapped(phonemes: Sequence[Phoneme], at: int) -> str:
    """ "T" for an American t between vowels of which the second is unstressed, which is a tap; otherwise ""."""
    if phonemes[at].symbol != "t" or not 0 < at < len(phonemes) - 1 or phonemes[at + 1].stress:
        return ""
    before, after = _symbol(phonemes[at - 1]), _symbol(phonemes[at + 1])
    return "T" if before in _VOWELS and after in _VOWELS else ""


def speak(text: str, seed: int, speed: float) -> tuple[np.ndarray, list[str], list[float]]:
    """(N,) samples, the phonemes (the first is the leading edge), and the end of each in seconds."""
    from hibari import dsp

    phrases = list(language("en-us").phrases([text]))
    words = [word for phrase in phrases for word in phrase.words]
    letters = list(spelled(words))
    session, vocabulary = _synthesiser()
    ids = [0, *(vocabulary[letter] for letter, _ in letters), 0]
    outputs = [output.name for output in session.get_outputs()]
    feed = {"ids": np.array([ids]), "speed": np.array([speed], np.float32)}
    *parts, durations = session.run([*outputs[:-1], _DURATIONS], feed)
    audio = dsp.synth(*(part[0] for part in parts), np.random.default_rng(seed))
    phonemes = [phoneme.written for word in words for phoneme in word.phonemes]
    ends = np.zeros(len(phonemes) + 1)
    owners = [-1, *(index for _, index in letters), len(phonemes) - 1]
    for owner, units in zip(owners, np.asarray(durations).ravel(), strict=True):
        ends[owner + 1] += float(units) * _UNIT_SECONDS
    ends = np.cumsum(ends)
    ends[:-1] -= _AHEAD_SECONDS
    return audio, [EDGE, *phonemes], ends.round(4).tolist()


def _write(output: Path, numbered: tuple[int, str], seed: int) -> dict[str, Any] | None:
    import soundfile

    number, text = numbered
    name = f"wn-{number:05d}"
    speed = float(np.random.default_rng([seed, number]).uniform(0.85, 1.15))
    try:
        audio, phonemes, ends = speak(text, number, speed)
    except KeyError as letter:
        print(f"{name}: hibari has no symbol {letter}: {text}", file=sys.stderr)
        return None
    soundfile.write(output / "wavs" / f"{name}.wav", np.clip(audio, -1, 1), RATE, subtype="PCM_16")
    return {"id": name, "text": text, "phonemes": phonemes, "ends": ends, "seconds": len(audio) / RATE}


def make(output: Path, texts: Iterator[str], seconds: float, seed: int, workers: int) -> float:
    """Write metadata.csv, phonemes.jsonl and wavs/; returns the total duration in seconds."""
    (output / "wavs").mkdir(parents=True)
    numbered = enumerate(texts)
    total = 0.0
    with (
        ProcessPoolExecutor(workers) as pool,
        (output / "metadata.csv").open("w", encoding="utf-8") as metadata,
        (output / "phonemes.jsonl").open("w", encoding="utf-8") as alignment,
    ):
        while total < seconds and (batch := list(islice(numbered, _BATCH))):
            for row in pool.map(partial(_write, output, seed=seed), batch, chunksize=16):
                if row is not None:
                    total += row.pop("seconds")
                    metadata.write(f"{row['id']}|{row['text']}|{row.pop('text')}\n")
                    alignment.write(json.dumps(row, ensure_ascii=False) + "\n")
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="new folder for the corpus")
    parser.add_argument(
        "--hours", type=float, default=6.0, help="approximate length of the corpus (all sentences: about 12 hours)"
    )
    parser.add_argument("--wordnet", type=Path, default=WORDNET, help="folder with data.noun, data.verb, ...")
    parser.add_argument("--questions", type=float, default=0.35, help="share of questions and exclamations")
    parser.add_argument("--pairs", type=float, default=0.3, help="share of clips with two sentences")
    parser.add_argument("--seed", type=int, default=1, help="seed of texts and voices")
    parser.add_argument("--workers", type=int, default=2, help="number of processes")
    arguments = parser.parse_args()
    if not (arguments.wordnet / "data.noun").is_file():
        sys.exit(f"no WordNet in {arguments.wordnet}: apt-get install wordnet-base, or give its folder with --wordnet")
    if arguments.output.exists():
        sys.exit(f"{arguments.output} exists; give a new folder")
    statements = sentences(arguments.wordnet)
    asker = Asker(arguments.wordnet, arguments.seed)
    texts = mixed(statements, asker, arguments.questions, arguments.pairs, arguments.seed)
    total = make(arguments.output, texts, arguments.hours * 3600, arguments.seed, arguments.workers)
    if LICENCE.is_file():
        shutil.copyfile(LICENCE, arguments.output / "LICENCE.wordnet")
    print(f"{arguments.output}: {total / 3600:.1f} hours, from {len(statements)} sentences and questions")


if __name__ == "__main__":
    main()
