"""English abbreviations and their expansions."""

from __future__ import annotations

TITLES = {
    "Dr": "doctor", "Dr.": "doctor", "Mr": "mister", "Mr.": "mister", "Mrs": "missus", "Mrs.": "missus", "Ms": "miz",
    "Ms.": "miz", "Prof": "professor", "Prof.": "professor", "Rev": "reverend", "Rev.": "reverend", "Gen.": "general",
    "Col.": "colonel", "Capt.": "captain", "Lt.": "lieutenant", "Sgt.": "sergeant", "Maj.": "major",
    "Hon.": "honorable",
    "Sen.": "senator", "Rep.": "representative", "Gov.": "governor", "Pres.": "president", "Fr.": "father",
    "Mt.": "mount", "Mt": "mount", "Ft.": "fort", "Adm.": "admiral", "Cmdr.": "commander", "Cpl.": "corporal",
    "Pvt.": "private", "Msgr.": "monsignor", "Det.": "detective", "Insp.": "inspector", "Supt.": "superintendent",
    "Mme.": "madame", "Mlle.": "mademoiselle",
}  # fmt: skip
# Expanded only before a number.
BEFORE_NUMBERS = {
    "no.": "number", "nos.": "numbers", "approx.": "approximately", "p.": "page", "pp.": "pages", "vol.": "volume",
    "ch.": "chapter", "fig.": "figure", "eq.": "equation", "sec.": "section", "ca.": "circa", "c.": "circa",
    "~": "about",
    "≈": "about", "est.": "established", "ed.": "edition", "art.": "article",
    "apt.": "apartment", "ste.": "suite", "rm.": "room",
}  # fmt: skip
ABBREVIATIONS = {
    "e.g.": "for example", "i.e.": "that is", "etc.": "etcetera", "etc": "etcetera", "vs.": "versus", "vs": "versus",
    "cf.": "compare", "viz.": "namely", "a.m.": "A M", "p.m.": "P M", "a.k.a.": "A K A", "ph.d.": "P H D",
    "phd": "P H D", "ph.d": "P H D", "ph. d.": "P H D", "b.a.": "B A", "b.sc": "B S C", "b.sc.": "B S C",
    "m.sc": "M S C", "m.sc.": "M S C", "m.d.": "M D", "r.s.v.p.": "R S V P",
    "approx.": "approximately", "inc.": "incorporated", "inc": "incorporated", "ltd.": "limited", "ltd": "limited",
    "corp.": "corporation", "co.": "company", "bros.": "brothers", "dept.": "department", "govt.": "government",
    "est.": "estimated", "misc.": "miscellaneous", "tel.": "telephone",
    "jr.": "junior", "jr": "junior", "sr.": "senior", "sr": "senior", "esq.": "esquire", "st.": "street",
    "ave.": "avenue", "blvd.": "boulevard", "rd.": "road", "hwy.": "highway", "apt.": "apartment", "ext.": "extension",
    "dr.": "drive", "mr.": "mister", "mrs.": "missus", "ms.": "miz", "prof.": "professor", "gen.": "general",
    "jan.": "January", "feb.": "February", "aug.": "August", "sept.": "September", "oct.": "October",
    "nov.": "November", "dec.": "December", "mon.": "Monday", "tue.": "Tuesday", "tues.": "Tuesday",
    "wed.": "Wednesday", "thu.": "Thursday", "thurs.": "Thursday", "fri.": "Friday", "hrs.": "hours", "hr.": "hour",
    "mins.": "minutes", "min.": "minimum", "max.": "maximum", "secs.": "seconds", "yrs.": "years", "wks.": "weeks",
    "univ.": "university", "attn.": "attention", "tbsp.": "tablespoon", "tsp.": "teaspoon", "lbs.": "pounds",
    "lb.": "pound", "oz.": "ounce", "dist.": "district", "incl.": "including", "excl.": "excluding",
    "orig.": "originally", "cont.": "continued", "pct.": "percent", "ea.": "each", "pkg.": "package",
    "ref.": "reference",
    "qty.": "quantity", "resp.": "respectively", "temp.": "temperature", "rte.": "route", "calif.": "California",
    "gov't": "government", "int'l": "international", "c/o": "care of", "m.p.h.": "miles per hour",
    "r.p.m.": "R P M",
    "wi-fi": "wifi", "hi-fi": "high fie", "sci-fi": "sigh fie",
    "wwi": "World War one", "wwii": "World War two", "ww1": "World War one", "ww2": "World War two",
    "w/": "with", "w/o": "without", "b/c": "because",
}  # fmt: skip
# Not words: the full stop, which may also end a sentence, is optional.
AT_THE_END = (
    "corp bros dept govt esq approx univ misc incl excl calif ext feb aug sept oct nov dec hwy pkg qty attn resp orig "
    "prof lbs tbsp tsp oz hrs mins secs yrs wks"
).split()
# Endings of file names: config.yaml, song.mp3.
SPOKEN_ENDINGS = frozenset("yaml json java bat exe zip gif doc toml conf log lock app bin jpeg tar".split())
SPELLED_ENDINGS = frozenset(
    "yml xml html htm css js ts py rb rs cpp sh gz pdf docx xls xlsx ppt pptx txt md csv tsv png jpg svg mp3 mp4 wav "
    "flac ogg mov avi mkv iso img ini cfg sql db dll".split()
)
# Spelled out in capitals, although the lexicon has such a word; True: not in a line all in capitals.
SPELLED = {
    "us": True, "it": True, "id": True, "am": True, "pm": False, "tv": False, "ok": False, "or": True, "in": True,
    "who": True, "la": True, "pa": True, "ma": True, "ad": True, "al": True, "eu": False, "un": False,
    "uk": False, "dc": False, "dj": False, "cd": False, "pc": False, "vip": False, "ceo": False, "ai": False,
    "app": True, "aka": False, "ac": False, "hr": False, "pr": False, "ip": False, "mp": False, "irs": False,
    "est": False, "vat": False,
}  # fmt: skip
_SPELLED_AS_WORDS = {"ok": "okay"}


def initialism(letters: str) -> str:
    """Capitals letter by letter."""
    return _SPELLED_AS_WORDS.get(letters.lower()) or " ".join(letters.upper())
