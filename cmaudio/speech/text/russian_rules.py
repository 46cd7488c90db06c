"""What Russian text needs before and after ru-normalizr, which has it wrong or leaves it."""

from __future__ import annotations

import re
from collections.abc import Callable

from cmaudio.speech.text.russian_letters import KIND, SIZE, kind, size
from cmaudio.speech.text.russian_ordinals import (
    FOLLOWING,
    PAIR,
    PRECEDING,
    numbered_noun,
    numeral_of_noun,
    pair_of_noun,
)
from cmaudio.speech.text.russian_words import (
    ABBREVIATIONS,
    BEFORE_NAMES,
    BEFORE_NUMBERS,
    BYTES,
    DEGREES,
    LATIN,
    ONLY_WITH_STOP,
    capitals,
    digits,
    initialism,
    month,
    stem,
)

Say = Callable[[re.Match[str]], str | None]

_UPPER, _LOWER = "А-ЯЁ", "а-яё"
_DECADES = {
    "10": "десятые", "20": "двадцатые", "30": "тридцатые", "40": "сороковые", "50": "пятидесятые",
    "60": "шестидесятые", "70": "семидесятые", "80": "восьмидесятые", "90": "девяностые",
}  # fmt: skip
_FORMULAS = {
    "H2O": "аш два о", "CO2": "цэ о два", "MP3": "эм пэ три", "MP4": "эм пэ четыре", "4K": "четыре ка",
    "A4": "а четыре",
}  # fmt: skip
_SAME = {"T": "Т", "F": "Ф"}  # Latin capitals that are called alike
_OPERATORS = {"<=": "не больше", ">=": "не меньше", "!=": "не равно", "==": "равно"}
_DAYS = {
    "пн": "понедельник", "вт": "вторник", "ср": "среда", "чт": "четверг", "пт": "пятница", "сб": "суббота",
    "вс": "воскресенье",
}  # fmt: skip
_DAY = "|".join(_DAYS)
_PER = {"с": "в секунду", "сек": "в секунду", "мин": "в минуту"}
_COUNTED = {"об": "оборотов", "уд": "ударов", "кадр": "кадров"}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def _initials(match: re.Match[str]) -> str:
    return " ".join(map(initialism, re.findall(f"[{_UPPER}]", match[0]))) + " "


def _capitals(match: re.Match[str]) -> str:
    others = re.findall(rf"[{_UPPER}]{{2,}}", match.string)
    return capitals(match[0], len(others) > 1)


def _letter(match: re.Match[str]) -> str:
    return initialism(match[0])


def _latin(match: re.Match[str]) -> str | None:
    return LATIN.get(match[0].lower())


def _address(match: re.Match[str]) -> str:
    names = {".": "точка", "/": "слэш", "-": "дефис", "_": "подчёркивание", "@": "собака", ":": "двоеточие"}
    return " ".join(
        names.get(piece) or LATIN.get(piece.lower()) or (digits(piece) if piece.isdecimal() else piece)
        for piece in re.findall(r"[A-Za-zА-Яа-я]+|\d+|.", re.sub(r"^https?://", "", match[0]))
    )


def _abbreviation(match: re.Match[str]) -> str | None:
    lower = re.sub(r"\.\s?", ". ", match["word"].lower())
    number_before = re.search(r"\d[\s\d.,]*$", match.string[: match.start()])
    if number_before and lower in ("руб", "коп", "тыс", "млн", "млрд", "гг", "мин", "сек", "кг", "км", "см"):
        return None  # the grammar makes it agree
    if not match["stop"] and lower in ONLY_WITH_STOP and not match.string[: match.start()].endswith("и "):
        return None
    return ABBREVIATIONS[lower]


def _model(match: re.Match[str]) -> str:
    return f"{initialism(_SAME.get(match['letter'], match['letter']))} "


def _degree(match: re.Match[str]) -> str:
    return f"{'доктор' if match['rank'] == 'д' else 'кандидат'} {DEGREES[match['field']]} наук"


def _jubilee(match: re.Match[str]) -> str | None:
    said = stem(int(match["years"]))
    return None if said is None else said + match["rest"]


def _power(match: re.Match[str]) -> str:
    power = match[0].translate(_SUPERSCRIPTS)
    return {"2": " в квадрате", "3": " в кубе"}.get(power, f" в степени {power}")


def _grouped(match: re.Match[str]) -> str:
    return digits(re.sub(r"\D", "", match[0]))


def _to_the_power(match: re.Match[str]) -> str:
    power = match["power"]
    return f" в степени {power if power.isdecimal() else f'минус {power[1:]}'}"


def _operator(match: re.Match[str]) -> str:
    """Of programs; arrows have no name."""
    return f" {_OPERATORS.get(match[0], '→')} "


def _days(match: re.Match[str]) -> str:
    return f"{_DAYS[match['first'].lower()]} - {_DAYS[match['last'].lower()]}"


def _from_to(match: re.Match[str]) -> str:
    return f"с {match['first']} до {match['last']}"


_MAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_TIME = r"\d{1,2}:\d{2}"


def _before(words: dict[str, str], follows: str) -> re.Pattern[str]:
    """Abbreviations with their full stop before something."""
    return re.compile(rf"(?<![\w.-])(?<!\d\s)(?P<word>{'|'.join(words)})\.\s?(?={follows})")


def _day(match: re.Match[str]) -> str:
    return f"{int(match['day'])} {month(int(match['month']))}"


def _per(match: re.Match[str]) -> str:
    """5 м/с, 3000 об/мин; the grammar may take such an "с" for a preposition."""
    return f" {_COUNTED.get(match['what'], match['what'])} {_PER[match['time']]}"


def _full_hour(match: re.Match[str]) -> str:
    hours = "часам" if match["before"][0] in "кК" else "часов"
    return f"{match['before']}{match['hour']} {hours}"


_ABBREVIATION = "|".join(sorted(map(re.escape, ABBREVIATIONS), key=len, reverse=True)).replace(r"\ ", r"\s?")
RULES: tuple[tuple[re.Pattern[str], Say], ...] = (
    (re.compile(rf"https?://\S*[\w/]|www\.\S*[\w/]|{_MAIL}|(?:[A-Za-z][\w-]*\.)+(?:ru|com|org|net|io|рф)\b"), _address),
    (re.compile(rf"(?<!\w)(?:[{_UPPER}]\.\s?)+(?=[{_UPPER}][{_LOWER}])"), _initials),
    (re.compile(rf"(?<=[{_LOWER}]\s)[{_UPPER}]\.\s?[{_UPPER}]\.?(?!\w)"), _initials),
    (SIZE, size),
    (KIND, kind),
    (FOLLOWING, numbered_noun),
    (PAIR, pair_of_noun),
    (PRECEDING, numeral_of_noun),
    (re.compile(r"(?P<letter>C)(?P<sign>\+\+|#)(?!\w)"), lambda m: "си плюс плюс" if m["sign"] == "++" else "си шарп"),
    (re.compile(r"(?<![<>=!-])(?:[<>!=]=|[-=]+>|<[-=]+)(?=\s|$|\w|[-−])"), _operator),
    (re.compile(r"(?<=\d)\^(?P<power>[-−]?\d+)"), _to_the_power),
    (re.compile(rf"(?<![\w-])(?P<first>{_DAY})\.?\s?[-‐‑–—]\s?(?P<last>{_DAY})(?![\w-])", re.IGNORECASE), _days),
    # Otherwise the grammar puts the amount into the genitive.
    (re.compile(r"(?<!\w)(?P<what>[Цц]ена|[Сс]тоимость|[Сс]умма)\s(?=\d)"), lambda m: f"{m['what']}: "),
    (re.compile(r"#(?=\d)"), lambda m: "№ "),
    (re.compile(r"¥\s?(?P<n>\d[\d\s]*\d|\d)"), lambda m: f"{m['n']} иен"),
    (re.compile(r"(?<![\w.,:/-])(?<!\d\s)0\d+(?!\w|[.,:/-]\d)"), lambda m: digits(m[0])),
    (re.compile(r"(?<![\d.])\d{13,}(?![\d.])"), lambda m: digits(m[0])),
    (re.compile(r"(?<![\d.,])\d{1,3}(?:[ \u00a0\u202f,.]\d{3}){4,}(?![\d.,]\d)"), _grouped),
    (re.compile(rf"(?<!\w)(?P<rank>[кд])\.\s?(?P<field>[{''.join(DEGREES)}])\.\s?н(?:\.|(?!\w))"), _degree),
    (_before(BEFORE_NUMBERS, r"\d"), lambda m: f"{BEFORE_NUMBERS[m['word']]} "),
    (_before(BEFORE_NAMES, f"[{_UPPER}]"), lambda m: f"{BEFORE_NAMES[m['word']]} "),
    (re.compile(r"(?<!\w)(?P<day>0[1-9])\.(?P<month>0[1-9]|1[0-2])(?![\w.,]\d)(?!\d)"), _day),
    (re.compile(rf"(?<!\w)(?P<first>{_TIME})[-–—](?P<last>{_TIME})(?!\w)"), _from_to),
    (re.compile(r"(?<!\w)(?P<before>(?:со?|до|от|около|после|ко?)\s)(?P<hour>\d{1,2}):00", re.IGNORECASE), _full_hour),
    (re.compile(r"(?<![\w:])(?P<one>\d{1,3}):(?P<other>\d)(?![\w:])"), lambda m: f"{m['one']} - {m['other']}"),
    (re.compile(r"(?<!\w)(?:24/7|(?P<n>\d+)/(?P=n))(?![\w/])"), lambda m: m[0].replace("/", " на ")),
    (re.compile(rf"(?<=\d)\s?(?P<what>[а-яё]{{1,4}})/(?P<time>{'|'.join(_PER)})(?![\w/])(?:\.(?!\w))?"), _per),
    (re.compile(r"(?<![\w-])(?P<years>\d{1,4})-(?P<rest>лети[еяюй]\w*)"), _jubilee),
    (re.compile(rf"(?<=\d)\s?(?P<unit>{'|'.join(BYTES)})(?!\w)"), lambda m: f" {BYTES[m['unit']]}"),
    (re.compile(r"(?<=[\w)])(?<!м)[⁰¹²³⁴-⁹]+"), _power),
    (re.compile(r"(?<!\w)(?P<tens>[1-9]0)-е(?!\w)"), lambda m: _DECADES[m["tens"]]),
    (re.compile(r"(?<!\w)(?P<letter>[А-ЯЁTF])[-‑](?=\d)"), _model),
    (re.compile(r"(?<=[а-яё])[-‑](?=\d)"), lambda m: " "),
    (re.compile(r"(?<!\w)(?:H2O|CO2|MP3|MP4|4K|A4)(?!\w)"), lambda m: _FORMULAS[m[0]]),
    (re.compile(rf"(?<![\w.-])(?P<word>{_ABBREVIATION})(?P<stop>\.?)(?![\w-])(?!\s?/)", re.IGNORECASE), _abbreviation),
    (re.compile(rf"(?<![\w-])[{_UPPER}]{{2,}}(?![{_LOWER}])"), _capitals),
    (re.compile(r"(?<![\w-])[БГДЖЗЙЛМНПРТФХЦЧШЩ](?![\w.-])"), _letter),
    (re.compile(r"(?<!\w)[A-Za-z]+(?:-[A-Za-z]+)?(?!\w)"), _latin),
)  # fmt: skip
_AFTER: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\bодна тысяча(?= \w+сот\b| двести| триста| четыреста| сто\b)"), "тысяча"),
    (re.compile(r"\bприблизительно равно\b"), "примерно"),
    (re.compile(r"\bсто летие\b"), "столетие"),
)  # fmt: skip


def finished(said: str) -> str:
    """What the grammar said, corrected."""
    for pattern, right in _AFTER:
        said = pattern.sub(right, said)
    return said
