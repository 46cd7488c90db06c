"""Russian text normalisation: what is written, and the words that are said for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cmaudio.speech.language import language
from cmaudio.speech.phrases import read_phrases
from cmaudio.speech.text.russian import Russian

SAID = [
    # signs
    ("5%", "пять процентов"),
    ("10:30", "десять тридцать"),
    ("в 9:05", "в девять ноль пять"),
    ("100 ₽", "сто рублей"),
    ("$5", "пять долларов"),
    ("20 €", "двадцать евро"),
    ("¥500", "пятьсот иен"),
    ("-5 °C", "минус пять градусов цельсия"),
    ("№ 5", "номер пять"),
    ("#1", "номер один"),
    ("§ 5", "параграф пять"),
    ("2 × 2 = 4", "два умножить на два равно четыре"),
    ("-0,5", "минус ноль целых пять десятых"),
    ("~5", "примерно пять"),
    ("C++", "си плюс плюс"),
    ("5 & 6", "пять и шесть"),
    ("½", "одна вторая"),
    # numbers agree
    ("1,000,000", "один миллион"),
    ("1 000 000", "один миллион"),
    ("купил 2 книги", "купил две книги"),
    ("1-й этаж", "первый этаж"),
    ("5-го мая", "пятого мая"),
    ("в 2024 году", "в две тысячи двадцать четвёртом году"),
    ("с 5 рублями", "с пятью рублями"),
    ("о 3 друзьях", "о трёх друзьях"),
    ("21 человек", "двадцать один человек"),
    ("10-15 человек", "десять пятнадцать человек"),
    ("с 9 до 18", "с девяти до восемнадцати"),
    ("90-е", "девяностые"),
    ("90-е годы", "девяностые годы"),
    ("100-летие", "столетие"),
    ("2-комнатная", "двухкомнатная"),
    ("1939—1945", "тысяча девятьсот тридцать девять , тысяча девятьсот сорок пять"),
    ("12.05.2024", "двенадцатого мая две тысячи двадцать четвёртого года"),
    ("к 8 марта", "к восьмому марта"),
    ("007", "ноль ноль семь"),
    ("10 000", "десять тысяч"),
    ("3,5", "три целых пять десятых"),
    ("1/2", "одна вторая"),
    ("Ил-76", "Ил семьдесят шесть"),
    ("12345678901234", "один два три четыре пять шесть семь восемь девять ноль один два три четыре"),
    # abbreviations
    ("в 2024 г.", "в две тысячи двадцать четвёртом году"),
    ("5 руб.", "пять рублей"),
    ("см. выше", "смотри выше"),
    ("5 см", "пять сантиметров"),
    ("10 млн руб.", "десять миллионов рублей"),
    ("и т. д.", "и так далее"),
    ("и т.п.", "и тому подобное"),
    ("т. е. так", "то есть так"),
    ("и др.", "и другие"),
    ("ул. Ленина, д. 5", "улица Ленина , дом пять"),
    ("дом 5, кв. 12", "дом пять , квартира двенадцать"),
    ("им. Ленина", "имени Ленина"),
    ("дал им", "дал им"),
    ("г. Москва", "город Москва"),
    ("проф. Иванов", "профессор Иванов"),
    ("5 км", "пять километров"),
    ("100 км/ч", "сто километров в час"),
    ("5 м²", "пять квадратных метров"),
    ("до н. э.", "до нашей эры"),
    # initials, capitals
    ("А. С. Пушкин", "а эс Пушкин"),
    ("роман А. С. Пушкина", "роман а эс Пушкина"),
    ("ФСБ", "эф эс бэ"),
    ("США", "сэ шэ а́"),
    ("РЖД", "эр жэ дэ"),
    ("МГУ", "эм гэ у"),
    ("ООН", "о о эн"),
    ("ЦРУ и ФБР", "цэ эр у и эф бэ эр"),
    ("НАТО", "нато"),
    ("вуз", "вуз"),
    ("СТОП", "стоп"),
    ("ГЛАВА ПЕРВАЯ", "глава первая"),
    ("НЕ КУРИТЬ", "не курить"),
    # Roman numerals
    ("XX век", "двадцатый век"),
    ("Пётр I", "Пётр первый"),
    ("Екатерина II", "Екатерина вторая"),
    ("II мировая", "вторая мировая"),
    ("том IV", "том четвёртый"),
    # foreign
    ("Google", "гугл"),
    ("e-mail", "име́йл"),
    ("AT&T", "эй ти энд ти"),
    ("USB", "ю эс би"),
    ("MP3", "эм пэ три"),
    ("www.ya.ru", "вэ вэ вэ́ точка йа точка ру"),
    # pauses, stress
    ("Москва — столица", "Москва , столица"),
    ("Да, — сказал он", "Да , сказал он"),
    ("замо́к", "замо́к"),
    ("А вот", "А вот"),
]


def said(text: str) -> str:
    return " ".join(span.spoken for span in Russian().read(text) if span.spoken)


@pytest.mark.parametrize(("written", "words"), SAID)
def test_text_is_said_as_a_reader_says_it(written: str, words: str) -> None:
    assert said(written) == words


@pytest.mark.parametrize("written", [written for written, _ in SAID])
def test_spans_cover_the_text_in_order(written: str) -> None:
    at = 0
    for span in Russian().read(written):
        assert at <= span.start < span.end <= len(written)
        at = span.end


@pytest.mark.parametrize("written", [written for written, _ in SAID])
def test_nothing_of_it_goes_unspoken(written: str) -> None:
    phrases = list(language("ru").phrases([written]))
    assert not [reason for phrase in phrases for reason in phrase.unspoken]
    assert not any(letter.isdigit() for phrase in phrases for word in phrase.words for letter in word.text)


@pytest.mark.parametrize("written", ["цена ∑", "Ⅷ", "да 😀", "漢字 5"])
def test_what_has_no_reading_is_reported(written: str) -> None:
    unspoken = [reason for phrase in language("ru").phrases([written]) for reason in phrase.unspoken]
    assert unspoken


def test_words_point_back_into_the_text() -> None:
    text = "Он купил 2 книги за 100 ₽, и ушёл в 10:30."
    words = [word for phrase in language("ru").phrases([text]) for word in phrase.words if word.start >= 0]
    written = {word.text: text[word.start : word.end] for word in words}
    assert written["две"] == "2"
    assert written["книги"] == "книги"
    assert written["рублей"] == "100 ₽"
    assert written["тридцать"] == "10:30"


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("Он жил в 2024 г. в Москве. Потом уехал.", ["Он жил в 2024 г. в Москве", "Потом уехал"]),
        ("Это было в 2024 г. Он уехал.", ["Это было в 2024 г", "Он уехал"]),
        ("Дома, улицы и т. д. Он видел всё.", ["Дома, улицы и т. д", "Он видел всё"]),
        ("Роман А. С. Пушкина.", ["Роман А. С. Пушкина"]),
        ("Завод им. Ленина стоит на ул. Мира, д. 5.", ["Завод им. Ленина стоит на ул. Мира", "д. 5"]),
        ("Книга стоит 5 руб. 20 коп. за штуку.", ["Книга стоит 5 руб. 20 коп. за штуку"]),
        ("Он дал им. Потом ушёл.", ["Он дал им", "Потом ушёл"]),
    ],
)
def test_abbreviations_do_not_end_a_sentence(text: str, phrases: list[str]) -> None:
    assert [piece.text for piece in read_phrases([text])] == phrases


def test_plain_words_cost_no_import_and_torch_is_never_imported() -> None:
    program = """
import sys
from cmaudio.speech.language import language
list(language("ru").phrases(["Он дал им книгу, и мы пошли домой."]))
assert "ru_normalizr" not in sys.modules
list(language("ru").phrases(["Он дал им 2 книги."]))
assert "ru_normalizr" in sys.modules and "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
