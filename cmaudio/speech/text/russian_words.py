"""Russian abbreviations, letters, signs, and foreign names as they are said."""

from __future__ import annotations

import re

# Without their full stop; True: one may follow at the end of a sentence, so that it is put back for the grammar.
ABBREVIATIONS = {
    "т. е": "то есть", "т.е": "то есть", "т. д": "так далее", "т.д": "так далее", "т. п": "тому подобное",
    "т.п": "тому подобное", "т. к": "так как", "т.к": "так как", "т. н": "так называемый", "др": "другие",
    "пр": "прочее", "напр": "например", "проф": "профессор", "акад": "академик", "доц": "доцент", "им": "имени",
    "см": "смотри", "ср": "сравни", "ул": "улица", "пр-т": "проспект", "пер": "переулок", "наб": "набережная",
    "пл": "площадь", "г-н": "господин", "г-жа": "госпожа", "д-р": "доктор", "тел": "телефон", "ред": "редактор",
    "руб": "рублей", "коп": "копеек", "тыс": "тысяч", "млн": "миллионов", "млрд": "миллиардов", "гг": "годов",
    "обл": "область", "р-н": "район", "мин": "минут", "сек": "секунд", "кг": "килограмм", "км": "километров",
}  # fmt: skip
# Only with their full stop are these no words.
ONLY_WITH_STOP = frozenset("др пр пер пл тел ред мин сек им наб обл ср".split())
SIGNS = {
    "%": "процентов", "$": "долларов", "€": "евро", "£": "фунтов", "₽": "рублей", "¥": "иен", "&": "и", "@": "собака",
    "+": "плюс", "=": "равно", "#": "решётка", "№": "номер", "§": "параграф", "×": "умножить на", "÷": "разделить на",
    "±": "плюс минус", "≈": "примерно", "~": "примерно", "°": "градусов", "²": "в квадрате", "³": "в кубе",
    "¢": "центов",
    "−": "минус", "½": "одна вторая", "<": "меньше", ">": "больше", "≤": "не больше", "≥": "не меньше",
}  # fmt: skip
_LETTERS = {
    "А": "а", "Б": "бэ", "В": "вэ", "Г": "гэ", "Д": "дэ", "Е": "е", "Ё": "ё", "Ж": "жэ", "З": "зэ", "И": "и",
    "Й": "и краткое", "К": "ка", "Л": "эл", "М": "эм", "Н": "эн", "О": "о", "П": "пэ", "Р": "эр", "С": "эс", "Т": "тэ",
    "У": "у", "Ф": "эф", "Х": "ха", "Ц": "цэ", "Ч": "че", "Ш": "ша", "Щ": "ща", "Ъ": "твёрдый знак", "Ы": "ы",
    "Ь": "мягкий знак", "Э": "э", "Ю": "ю", "Я": "я",
}  # fmt: skip
_SPECIAL = {
    "США": "сэ шэ а\u0301", "ФРГ": "фэ эр гэ\u0301", "ЦСКА": "цэ эс ка\u0301", "СПБ": "эс пэ бэ\u0301",
    "ГИБДД": "ги бэ дэ дэ\u0301", "ЛГБТ": "эл гэ бэ тэ\u0301", "УЕФА": "уе\u0301фа", "ИКЕА": "ике\u0301а",
    "ЗАО": "зао", "ОК": "оке\u0301й", "СМИ": "сми", "ГАИ": "гаи\u0301", "КАМАЗ": "кама\u0301з",
    "СНИЛС": "снилс", "МИД": "мид", "РОСКОСМОС": "роско\u0301смос", "НИИ": "нии", "ДОСААФ": "доса\u0301ф",
}  # fmt: skip
# What a shout may hold besides: two letters each.
_SHORT_WORDS = frozenset("НЕ НА НО ДА ОТ ДО ЗА ПО ИЗ ТЫ МЫ ВЫ ОН ЖЕ ЛИ БЫ КО СО ВО ОБ НИ МЫ ЭЙ ОЙ АХ НУ ТО".split())
_VOWEL, _CONSONANT = "АЕЁИОУЫЭЮЯ", "БВГДЖЗЙКЛМНПРСТФХЦЧШЩ"
_CAN_BE_SAID = re.compile(
    rf"(?!.*[{_CONSONANT}]{{4}})(?!.*[{_CONSONANT}]{{3}}$).*[{_CONSONANT}][{_VOWEL}][{_CONSONANT}ЬЪ].*"
)
_DIGITS = ("ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять")
LATIN = {
    "google": "гугл", "iphone": "айфо\u0301н", "ipad": "айпа\u0301д", "youtube": "юту\u0301б", "wifi": "вайфа\u0301й",
    "wi-fi": "вайфа\u0301й", "facebook": "фейсбу\u0301к", "twitter": "тви\u0301ттер", "instagram": "инстагра\u0301м",
    "telegram": "телегра\u0301м", "whatsapp": "вотса\u0301п", "windows": "ви\u0301ндоус",
    "microsoft": "ма\u0301йкрософт",
    "apple": "э\u0301пл", "android": "андро\u0301ид", "linux": "ли\u0301нукс", "python": "па\u0301йтон",
    "email": "име\u0301йл", "e-mail": "име\u0301йл", "online": "онла\u0301йн", "www": "вэ вэ вэ\u0301",
    "http": "эйч ти ти пи",
    "samsung": "самсу\u0301нг", "netflix": "не\u0301тфликс", "amazon": "амазо\u0301н", "bluetooth": "блюту\u0301с",
    "com": "ком", "ru": "ру", "org": "орг", "net": "нет",
}  # fmt: skip


def digits(written: str) -> str:
    """Digit by digit."""
    return " ".join(_DIGITS[int(digit)] for digit in written)


def initialism(letters: str) -> str:
    """Capitals letter by letter, the last with the stress: ФСБ is said эф эс бэ."""
    return _SPECIAL.get(letters) or " ".join(_LETTERS.get(letter, "") for letter in letters)


def capitals(word: str, shouted: bool) -> str:
    """A word in capitals: its letters, or a word where it can be said as one.

    Args:
        word: two letters or more, all of them capitals.
        shouted: more of the phrase is in capitals, so that short words may be among them.
    """
    if word in _SPECIAL:
        return _SPECIAL[word]
    if word in _SHORT_WORDS and shouted:
        return word.lower()
    return word.lower() if _CAN_BE_SAID.fullmatch(word) else initialism(word)
