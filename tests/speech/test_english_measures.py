"""English measures and days: feet and inches, fractions of a mile, Mon–Fri; and the full stops of abbreviations."""

from __future__ import annotations

import pytest

from cmaudio.speech.language import language
from cmaudio.speech.text.english import English

SAID = [
    # feet and inches
    ("3 ft 2 in", "three feet two inches"),
    ("6 ft. 3 in. tall", "six feet three inches tall"),
    ("5 ft., 1 in. tall", "five feet one inch tall"),
    ("6ft. 3in. tall", "six feet three inches tall"),
    ("a 6 ft 3 in man", "a six foot three inch man"),
    ("12 in. long", "twelve inches long"),
    ("12 in x 5 in", "twelve inches by five inches"),
    ("3 in deep", "three inches deep"),
    ("1 1/2 in. long", "one and a half inches long"),
    ("it is 12 in", "it is twelve inches"),
    ("it is ½ in.", "it is one half inch"),
    ("a 3-in. pipe", "a three inch pipe"),
    ("1 in 5 people", "one in five people"),
    ("5 in a row", "five in a row"),
    ("in 1990 in", "in nineteen ninety in"),
    # fractions of a measure
    ("3/4 mile", "three quarters of a mile"),
    ("¾ mile", "three quarters of a mile"),
    ("3/4 lb", "three quarters of a pound"),
    ("2/3 oz", "two thirds of an ounce"),
    ("3/4 hour", "three quarters of an hour"),
    ("1/4 mile", "one quarter mile"),
    ("3/4 of a mile", "three quarters of a mile"),
    ("1 3/4 miles", "one and three quarters miles"),
    ("a 3/4 mile run", "a three quarter mile run"),
    ("3/4-inch plywood", "three quarter inch plywood"),
    ("12 st. 5 lb", "twelve stone five pounds"),
    ("365 days/yr", "three hundred and sixty five days per year"),
    ("x^2 + y^3", "x squared plus y cubed"),
    ("10^-3", "ten to the power of minus three"),
    ("1.5^2", "one point five squared"),
    ("e^x", "e to the power of x"),
    ("No. of items", "number of items"),
    ("2 1/2 tbsp. oil", "two and a half tablespoons oil"),
    ("1½ lb", "one and a half pounds"),
    ("a 2 1/2 ft wall", "a two and a half foot wall"),
    ("6' x 4'", "six feet by four feet"),
    ("3/4 time", "three quarters time"),
    ("24/7 day care", "twenty four seven day care"),
    ("9/11 day", "nine eleven day"),
    # squares and more units
    ("10 sq. ft. of it", "ten square feet of it"),
    ("10 sq ft", "ten square feet"),
    ("a 10 sq ft room", "a ten square foot room"),
    ("3 fl. oz. of it", "three fluid ounces of it"),
    ("2 pt. of it", "two pints of it"),
    ("12 pt", "twelve points"),
    ("40 m.p.h. or", "forty miles per hour or"),
    # days and months
    ("Mon-Fri 9–5", "Monday to Friday nine to five"),
    ("Mon.–Fri.", "Monday to Friday"),
    ("Sat & Sun", "Saturday and Sunday"),
    ("Mon, Wed, Fri", "Monday, Wednesday, Friday"),
    ("Sat 9:30 am", "Saturday nine thirty A M"),
    ("Sun, May 5", "Sunday , may fifth"),
    ("Jan–Mar", "January to March"),
    ("in Feb 2020", "in February twenty twenty"),
    ("Monday-Friday", "Monday Friday"),
    ("Jan and May went", "Jan and May went"),
    ("Jan and Mar", "January and March"),
    ("Mon Dieu", "Mon Dieu"),
    ("next Fri at", "next Friday at"),
    ("they Sat down in the Sun", "they Sat down in the Sun"),
    # abbreviations
    ("c/o Bob", "care of Bob"),
    ("Roe v. Wade", "Roe versus Wade"),
    ("Adm. Nelson", "admiral Nelson"),
    ("b. 1950", "born nineteen fifty"),
    ("int'l", "international"),
]
SENTENCES = [
    ("Write the no. of items.", 1),
    ("I said no. Then I left.", 2),
    ("He is 6 ft. 3 in. tall.", 1),
    ("A 3-in. pipe leaks.", 1),
    ("It is 3 in. The other is 4 in.", 2),
    ("Bob a.k.a. Bob is here.", 1),
    ("It is 12 in. Then it grew.", 2),
    ("Do come in. Then sit.", 2),
    ("It is 5 ft. Then stop.", 2),
    ("We drove to Ft. Worth today.", 1),
    ("It has 10 sq. ft. of space.", 1),
    ("He ran 2 mi. in 20 min. It was fast.", 2),
    ("We met at 5 p.m. Monday as ever.", 1),
    ("We met at 9 a.m. EST as ever.", 1),
    ("We met at 5p.m. as ever.", 1),
    ("Doing 40 m.p.h. in town is fast.", 1),
    ("So Jones v. Smith was decided.", 1),
    ("As Smith et al. found, it is.", 2),
    ("As Smith et al. found it is.", 1),
    ("I met Al. He is tall.", 2),
    ("See vol. 2, ed. 3 and Hwy. 61 of it.", 2),
    ("Here Adm. Nelson met Cpl. Jones and Mme. Bovary.", 1),
    ("All are here incl. Bob and excl. Tom.", 1),
]


@pytest.fixture(scope="module")
def reader() -> English:
    return English(lambda word: len(word) < 4)


@pytest.mark.parametrize(("written", "words"), SAID)
def test_measures_and_days_are_said_in_full(reader: English, written: str, words: str) -> None:
    assert " ".join(span.spoken for span in reader.read(written) if span.spoken) == words


@pytest.mark.parametrize(("text", "phrases"), SENTENCES)
def test_only_the_full_stops_of_sentences_end_a_phrase(text: str, phrases: int) -> None:
    assert len(list(language("en-us").phrases([text]))) == phrases


@pytest.mark.parametrize("text", ["x -> y", "x => y", "a <- b"])
def test_arrows_have_no_name_and_are_reported(text: str) -> None:
    assert [reason for phrase in language("en-us").phrases([text]) for reason in phrase.unspoken]
