"""Whether a full stop ends a sentence or belongs to an abbreviation."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Something always follows these.
_NEVER = frozenset(
    "mr mrs ms prof rev gen col capt lt sgt maj hon sen rep gov pres mt ft fr messrs mme mlle msgr adm cmdr cpl pvt "
    "det insp supt approx incl excl orig cont dept fig eq e.g i.e a.k.a cf viz vs v attn univ dist pkg qty "
    "т е к н стр ул кв корп пер наб пл обл проф акад доц гр напр рис гл табл т.е т.к т.н "
    "т.ч наз г-н г-жа д-р дж тел пос мкр оз дер респ с о".split()
)
# Abbreviations where a number follows, words otherwise.
_BEFORE_NUMBERS = frozenset("no nos p pp vol ch sec art ca c op apt ste rm ed hwy rte ref b d ок".split())
# The sentence may end here: if the next word could begin one.
_BEFORE_CAPITALS = frozenset(
    "etc a.m p.m jan feb mar apr jun jul aug sept sep oct nov dec mon tue tues wed thu thurs fri sat sun ext est max "
    "min mins hr hrs sec secs yr yrs wk wks lb lbs oz yd yds tsp tbsp gal pct ea temp cit resp misc calif mass "
    "т.д т.п п д гг вв в др руб коп мин сек м см тыс млн млрд кг км мм мг мл га ч э н.э шт чел ст экз гл".split()
)
# The same, but names follow them as well: only where the next word is one that often begins a sentence.
_BEFORE_NAMES = frozenset(
    "st dr sr jr inc ltd co corp bros ph.d m.d b.a b.sc m.sc esq ave blvd rd u.s u.k u.n u.s.a г р пр им".split()
)
_STARTERS = frozenset(
    "a an the this that these those he she it they we you i his her its their our your my there here what when "
    "where who why how if in on at for with from to as but and or so yet no not now then after before while since "
    "because however some many most all each every one two is are was were do does did can could will would "
    "should may it's he's that's don't let's в на и но а он она они мы вы я это этот эта там тогда потом "
    "мой моя наш его её их как что кто где когда если после до с у из к по не да нет все "
    "теперь так вот даже уже ещё сейчас сегодня вчера завтра этого".split()
)
# Units, but only after a number: "12 in. long", "come in."
_UNITS = frozenset("in ft mi pt qt sq cu fl g m km cm mm kg mph куб".split())
# What follows a time of day, and does not begin a sentence though it has a capital.
_AFTER_TIMES = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thurs fri sat sun january february "
    "march april june july august september october november december jan feb mar apr jun jul aug sep sept oct nov dec "
    "est edt cst cdt mst mdt pst pdt et ct mt pt gmt utc bst cet cest eastern central mountain pacific".split()
)
_AMOUNT = re.compile(r"[\d.,/½⅓⅔¼¾⅛⅜⅝⅞-]*[\d½⅓⅔¼¾⅛⅜⅝⅞]")
_FIRST_PARTS = frozenset(("sq", "sq.", "cu", "cu.", "fl", "fl."))
_DOTTED = re.compile(r"[^\W\d_](?:\.[^\W\d_])+")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
_OPENING = "\"'“”‘’«„([{"
# Of what a sentence may open with before its subject, besides names and numbers: "At about 9 a.m.", "В начале 1990 г."
_OPENERS = frozenset(
    "about after all also and around as at before between but by day days during early even evening eventually every "
    "exactly finally first from half in just last late later maybe nearly next night noon o'clock of on once only or "
    "past per precisely quarter roughly sharp shortly since so still than that the then this till to today tomorrow "
    "tonight until week weekday weekdays weekend weekends within yesterday year each almost afternoon morning nights "
    "mornings evenings afternoons one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty "
    "forty-five forty fifty a.m p.m min ч мин г гг "
    "а в во вечером весной вчера где-то до днём ещё завтра за зимой и из как каждый конце к лишь летом между на "
    "начале но ночью около однажды осенью от перед по поздно после примерно ровно рано с сегодня середине со только "
    "тогда у уже утром через".split()
)
# Begin with a capital in the middle of a sentence as well.
_ALWAYS_CAPITAL = frozenset("i i'm i'd i'll i've i’m i’d i’ll i’ve".split())
_NO_NAMES = frozenset(
    "today tomorrow yesterday tonight soon later next first finally meanwhile please well nobody everybody everyone "
    "nothing everything something someone perhaps maybe only also both such any another other "
    "потом позже скоро наконец затем также никто каждый оба только".split()
)


def ends_sentence(word: str, following: str | None, earlier: Sequence[str] = ()) -> bool | None:
    """Whether the full stop after a word ends a sentence.

    Args:
        word: the word before the full stop, without it; inner full stops stay ("e.g", "U.S").
        following: the next word, or None while it is not known.
        earlier: the words of the phrase before that.
    Returns:
        None where it depends on a next word that is not known yet.
    """
    before = earlier[-1] if earlier else ""
    plain = word.strip(_OPENING + ")]}»")
    amount = _AMOUNT.match(plain)
    unit = plain[amount.end() :].removeprefix("-") if amount else plain  # 3in, 3-in
    lower = unit.lower()
    if unit in _UNITS and (amount or before[-1:].isnumeric() or before in _FIRST_PARTS):
        return None if following is None else _begins_with_capital(following) and not _goes_on(earlier, following)
    if lower in _NEVER:
        return False
    initials = _INITIALS.fullmatch(plain) is not None and plain[0].isupper() and plain != "I"
    if lower == "al" and before.lower() == "et":
        return None if following is None else _often_begins_sentences(following)
    capitals = lower in _BEFORE_CAPITALS or (not initials and _DOTTED.fullmatch(lower) and lower not in _BEFORE_NAMES)
    if not (initials or capitals or lower in _BEFORE_NUMBERS | _BEFORE_NAMES):
        return True
    if initials and "." not in plain:
        return False  # J. Smith
    if following is None:
        return None
    if lower in _BEFORE_NUMBERS:
        return not (following.lstrip(_OPENING)[:1].isdigit() or (lower in ("no", "nos") and following == "of"))
    if lower in ("a.m", "p.m") and _plain(following) in _AFTER_TIMES:
        return False
    if _goes_on(earlier, following):
        return False
    return _begins_with_capital(following) if capitals else _often_begins_sentences(following)


def _goes_on(earlier: Sequence[str], following: str) -> bool:
    """Whether a phrase has said no more than when or where, and its subject follows: "At 9 a.m. I", "In Jan. Mary"."""
    if not earlier or _plain(earlier[0]) not in _OPENERS:
        return False
    lower = _plain(following)
    if lower not in _ALWAYS_CAPITAL and (lower in _STARTERS or lower in _NO_NAMES):
        return False  # no name: its capital begins a sentence
    return all(_plain(each) in _OPENERS or _is_name_or_number(each) for each in earlier)


def _is_name_or_number(word: str) -> bool:
    return _begins_with_capital(word) or word.lstrip(_OPENING)[:1].isdigit()


def _plain(word: str) -> str:
    return word.lstrip(_OPENING).rstrip(".,;:!?…").lower()


def _begins_with_capital(word: str) -> bool:
    return word.lstrip(_OPENING)[:1].isupper()


def _often_begins_sentences(word: str) -> bool:
    return _begins_with_capital(word) and _plain(word) in _STARTERS
