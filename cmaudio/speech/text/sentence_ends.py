"""Whether a full stop ends a sentence or belongs to an abbreviation."""

from __future__ import annotations

import re

# Something always follows these.
_NEVER = frozenset(
    "mr mrs ms prof rev gen col capt lt sgt maj hon sen rep gov pres mt ft messrs mme approx dept fig eq e.g i.e "
    "cf viz vs attn univ dist т е к н стр ул кв корп пер наб пл обл проф акад доц гр напр рис гл табл т.е т.к т.н "
    "г-н г-жа д-р дж тел пос мкр оз дер респ с о".split()
)
# Abbreviations where a number follows, words otherwise.
_BEFORE_NUMBERS = frozenset("no nos p pp vol ch sec art ca c op apt ste rm".split())
# The sentence may end here: if the next word could begin one.
_BEFORE_CAPITALS = frozenset(
    "etc a.m p.m jan feb mar apr jun jul aug sept sep oct nov dec mon tue tues wed thu thurs fri sat sun ext est max "
    "min mins hr hrs sec secs yr yrs wk wks lb lbs oz ft yd yds tsp tbsp gal "
    "т.д т.п п д гг вв в др руб коп мин сек м см тыс млн млрд кг км ч э н.э шт чел ст экз гл".split()
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
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
_OPENING = "\"'“”‘’«„([{"


def ends_sentence(word: str, following: str | None) -> bool | None:
    """Whether the full stop after a word ends a sentence.

    Args:
        word: the word before the full stop, without it; inner full stops stay ("e.g", "U.S").
        following: the next word, or None while it is not known.
    Returns:
        None where it depends on a next word that is not known yet.
    """
    plain = word.strip(_OPENING + ")]}»")
    lower = plain.lower()
    if lower in _NEVER:
        return False
    initials = _INITIALS.fullmatch(plain) is not None and plain[0].isupper() and plain != "I"
    if not initials and lower not in _BEFORE_NUMBERS | _BEFORE_CAPITALS | _BEFORE_NAMES:
        return True
    if initials and "." not in plain:
        return False  # J. Smith
    if following is None:
        return None
    after = following.lstrip(_OPENING)
    if lower in _BEFORE_NUMBERS:
        return not after[:1].isdigit()
    if lower in _BEFORE_CAPITALS:
        return after[:1].isupper()
    return after[:1].isupper() and after.rstrip(".,;:!?…").lower() in _STARTERS
