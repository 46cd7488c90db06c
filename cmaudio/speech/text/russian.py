"""Russian text normalisation: ru-normalizr for numbers, dates, signs and abbreviations, and rules for what it lacks.

ru-normalizr changes whole phrases, since numbers agree with what they count; its words are aligned with the written
ones. It takes a second to import, and is used only for phrases that need it.
"""

from __future__ import annotations

import logging
import re
import threading
import unicodedata
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

from cmaudio.speech.text.russian_words import ABBREVIATIONS, ONLY_WITH_STOP, SIGNS, digits
from cmaudio.speech.text.spans import Span

_TOKEN = re.compile(r"[^\W\d_]+(?:[-'’\u0301]+[^\W\d_]+)*\u0301?|\d+|[^\w\s]|_")
_SAID_OTHERWISE = re.compile(
    r"[\d%$€£₽¥&@+=<>#№§×÷±≈~°½⅓⅔¼¾¢²³A-Za-z]|[А-ЯЁ]{2}|(?<!\w)[А-ЯЁ]\.|(?<!\w)[БВГДЁЖЗЙКЛМНПРСТУФХЦЧШЩЫЭЮ](?!\w)"
    r"|(?<!\w)(?:[Пп][нт]|[Вв][тс]|[Сс][рб]|[Чч]т)(?!\w)"
    r"|[а-яё]\.|(?<!\w)(?:и др|и пр|"
    + "|".join(sorted(map(re.escape, ABBREVIATIONS.keys() - ONLY_WITH_STOP), key=len, reverse=True))
    + r")(?![\w-])",
)
_ARROWS = frozenset("←→↔⇐⇒⇔")
_PAUSES = frozenset(",;:()—–")
_STRESSED = re.compile(r"\+([аеёиоуыэюяАЕЁИОУЫЭЮЯ])")

_loading = threading.Lock()
_loaded: list[Any] = []


def _normalizer() -> Any:
    """ru-normalizr with pymorphy3's dictionaries, loaded by the first phrase that needs it (1 s)."""
    with _loading:
        if not _loaded:
            # It logs numbers that it cannot read, which would be printed; they are reported as unspoken.
            logging.getLogger("ru_normalizr").addHandler(logging.NullHandler())
            from ru_normalizr import NormalizeOptions, Normalizer

            options = NormalizeOptions.tts(
                letter_vowel_mode="single",
                initials_pause_mode="preserve",
                remove_links=False,
                enable_caps_normalization=False,
                enable_first_word_decap=False,
            )
            _loaded.append(Normalizer(options))
    return _loaded[0]


@lru_cache(1024)
def _normalized(text: str) -> str:
    return _normalizer().normalize(text)


class Russian:
    """Reads one phrase at a time."""

    def read(self, text: str) -> list[Span]:
        """The spans of a phrase, in order."""
        return list(_one_pause(_read(text) if _SAID_OTHERWISE.search(text) else _as_written(text)))


def _as_written(text: str) -> Iterator[Span]:
    for token in _TOKEN.finditer(text):
        yield Span(token.start(), token.end(), _plain(token[0]))


def _plain(token: str) -> str:
    """A word, or the pause for a sign."""
    if token[0].isalnum():
        return token
    if token in _PAUSES:
        return ","
    return SIGNS.get(token, token if token.isalpha() or token in _ARROWS else "")


class _Draft:
    """A text on its way from what is written to what is said; each of its characters knows where it comes from."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._begins = list(range(len(text)))
        self._ends = list(range(1, len(text) + 1))

    def replace(self, pattern: re.Pattern[str], say: Any) -> None:
        """Where `say` gives None the match stays."""
        pieces: list[str] = []
        begins: list[int] = []
        ends: list[int] = []
        at = 0
        for match in pattern.finditer(self.text):
            said = say(match)
            if said is None or said == match[0]:
                continue
            start, end = match.span()
            pieces += [self.text[at:start], said]
            begins += self._begins[at:start] + [self._begins[start]] * len(said)
            ends += self._ends[at:start] + [self._ends[end - 1]] * len(said)
            at = end
        self.text = "".join([*pieces, self.text[at:]])
        self._begins = begins + self._begins[at:]
        self._ends = ends + self._ends[at:]

    def place(self, start: int, end: int) -> tuple[int, int]:
        """The written characters of a part of the draft."""
        return self._begins[start], self._ends[end - 1]


def _read(text: str) -> Iterator[Span]:
    from cmaudio.speech.text.russian_rules import RULES, finished

    draft = _Draft(text)
    for pattern, say in RULES:
        draft.replace(pattern, say)
    said = _STRESSED.sub("\\1\u0301", _normalized(draft.text)) if _SAID_OTHERWISE.search(draft.text) else draft.text
    written = [(match[0], *draft.place(*match.span())) for match in _TOKEN.finditer(draft.text)]
    yield from _merged(_aligned(written, _TOKEN.findall(finished(said))))


def _aligned(written: list[tuple[str, int, int]], said: list[str]) -> Iterator[Span]:
    """What is said beside where it is written; a run of tokens that changed is one span.

    Full stops, of which the last one said could be any of those written, are left out.
    """
    written, said = [each for each in written if each[0] != "."], [token for token in said if token != "."]
    before = [token.replace("\u0301", "").lower() for token, _, _ in written]
    after = [token.replace("\u0301", "").lower() for token in said]
    for kind, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            for (_, start, end), token in zip(written[i:j], said[k:m], strict=True):
                yield Span(start, end, _plain(token) if not token.isdecimal() else digits(token))
        elif i < j:
            nameless = "".join(f" {token}" for token, _, _ in written[i:j] if _is_nameless(token))
            yield Span(written[i][1], written[j - 1][2], _phrase(said[k:m]) + nameless)
        elif written:  # said, and written nowhere: it goes with the word before it
            _, start, end = written[max(0, i - 1)]
            yield Span(start, end, _phrase(said[k:m]))


def _is_nameless(token: str) -> bool:
    """Whether it is a sign that ru-normalizr drops; it stays, to be reported."""
    return (unicodedata.category(token[0]) == "So" and token not in SIGNS) or token[0] in _ARROWS


def _phrase(said: list[str]) -> str:
    """The words said for a run of tokens; within it there is no pause, but where telephone numbers have theirs."""
    words = [digits(token) if token.isdecimal() else _plain(token) for token in said]
    return " ".join(word.lower() for word in words if word and (word != "," or len(said) > 7))


def _one_pause(spans: Iterator[Span]) -> Iterator[Span]:
    """Of pauses with nothing said between them the first: a comma before a dialogue's dash."""
    paused = False
    for span in spans:
        yield Span(span.start, span.end, "") if span.spoken == "," and paused else span
        paused = span.spoken == "," or (paused and not span.spoken)


def _merged(spans: Iterator[Span]) -> Iterator[Span]:
    """Spans of the same written place become one, so that places only go forward."""
    last: Span | None = None
    for span in spans:
        if last is not None and span.start < last.end:
            last = Span(last.start, max(last.end, span.end), f"{last.spoken} {span.spoken}".strip())
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last
