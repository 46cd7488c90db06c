"""English text normalisation: what is written, and the words that are said for it."""

from __future__ import annotations

import pytest

from cmaudio.speech.language import language
from cmaudio.speech.text.english import English

WORDS = "stop it now chapter one nasa the unesco ikea civil war mix us i am who tv ok wifi covid stop us give to a net"


@pytest.fixture(scope="module")
def reader() -> English:
    return English(frozenset(WORDS.split()).__contains__)


def said(reader: English, text: str) -> str:
    return " ".join(span.spoken for span in reader.read(text) if span.spoken)


SAID = [
    # digits beside letters
    ("1990s music", "nineteen nineties music"),
    ("the '90s", "the nineties"),
    ("H2O", "H two O"),
    ("4K video", "four K video"),
    ("MP3 player", "M P three player"),
    ("mp3", "M P three"),
    ("1080p", "ten eighty p"),
    ("a 1st-class ticket", "a first class ticket"),
    ("a 5-year-old", "a five year old"),
    ("Covid-19", "Covid nineteen"),
    ("F-16", "F sixteen"),
    ("v2.0", "v two point zero"),
    # money
    ("$100k", "one hundred thousand dollars"),
    ("-$5", "minus five dollars"),
    ("$5 million", "five million dollars"),
    ("£5m", "five million pounds"),
    ("$3.50", "three dollars fifty cents"),
    ("$1", "one dollar"),
    ("20 €", "twenty euros"),
    ("€20", "twenty euros"),
    ("¥500", "five hundred yen"),
    ("50¢", "fifty cents"),
    # signs
    ("100 %", "one hundred percent"),
    ("5 + 3 = 8", "five plus three equals eight"),
    ("3 x 4", "three times four"),
    ("-0.5", "minus zero point five"),
    ("#1", "number one"),
    ("C++", "C plus plus"),
    ("C#", "C sharp"),
    ("AT&T", "A T and T"),
    ("salt & pepper", "salt and pepper"),
    ("~5", "about five"),
    # dashes and brackets
    ("one—two", "one — two"),
    ("my brother—Tom—is tall", "my brother — Tom — is tall"),
    ("he (my brother) is tall", "he , my brother , is tall"),
    ("mother-in-law", "mother in law"),
    # capitals
    ("STOP now", "stop now"),
    ("STOP IT NOW", "stop it now"),
    ("CHAPTER ONE", "chapter one"),
    ("NASA", "nasa"),
    ("the US", "the U S"),
    ("FBI", "F B I"),
    ("TVs", "T V's"),
    ("OK", "okay"),
    # abbreviations
    ("the U.S. army", "the U S army"),
    ("in the U.S", "in the U S"),
    ("Ph.D.", "P H D"),
    ("a B.Sc. and an M.Sc. here", "a B S C and an M S C here"),
    ("Dr Smith", "doctor Smith"),
    ("Dr. Smith", "doctor Smith"),
    ("12 Main Dr", "twelve Main drive"),
    ("St. Paul", "Saint Paul"),
    ("on Main St", "on Main street"),
    ("No. 10 Downing St", "number ten Downing street"),
    ("Prof. Jones", "professor Jones"),
    ("approx. 5", "approximately five"),
    ("Apple Inc.", "Apple incorporated"),
    ("at Acme Corp", "at Acme corporation"),
    ("Smith & Co", "Smith and company"),
    ("the Dept", "the department"),
    ("in Dec", "in December"),
    ("5 or 6, approx", "five or six , approximately"),
    ("John Smith, Esq", "John Smith , esquire"),
    ("WWII and WW1", "World War two and World War one"),
    ("my friend Max", "my friend Max"),
    ("e.g. this", "for example this"),
    ("Wi-Fi", "wifi"),
    # units, fractions
    ("5 km", "five kilometers"),
    ("5kg", "five kilograms"),
    ("100m", "one hundred meters"),
    ("10GB", "ten gigabytes"),
    ("20 °C", "twenty degrees Celsius"),
    ("1/2 cup", "one half cup"),
    ("½ cup", "one half cup"),
    ("2½ cups", "two and a half cups"),
    ("5' 11\"", "five feet eleven"),
    ("50/50", "fifty fifty"),
    # dates and times
    ("Dec. 25", "december twenty fifth"),
    ("2024-12-25", "december twenty fifth twenty twenty four"),
    ("in 2024", "in twenty twenty four"),
    ("1939–1945", "nineteen thirty nine to nineteen forty five"),
    ("17:45", "seventeen forty five"),
    ("5 am", "five A M"),
    ("5:30 p.m.", "five thirty P M"),
    ("24/7", "twenty four seven"),
    ("5 m²", "five square meters"),
    ("x²", "x squared"),
    # numbers
    ("1,482,905", "one million four hundred and eighty two thousand nine hundred and five"),
    ("1000000", "one million"),
    ("3-4 people", "three to four people"),
    ("10^6", "ten to the power of six"),
    ("007", "zero zero seven"),
    ("12345678901234", "one two three four five six seven eight nine zero one two three four"),
    # telephones and addresses
    ("555-1234", "five five five, one two three four"),
    ("555-0173", "five five five, zero one seven three"),
    ("call 555-0173", "call five five five, zero one seven three"),
    ("dial 555.0173", "dial five five five, zero one seven three"),
    ("phone 212 555 0198", "phone two one two, five five five, zero one nine eight"),
    ("dial 555 0173", "dial five five five, zero one seven three"),
    ("+44 20 7946 0958", "plus four four, two zero, seven nine four six, zero nine five eight"),
    ("+1 212-555-0198", "plus one, two one two, five five five, zero one nine eight"),
    ("(555) 123-4567", "five five five, one two three, four five six seven"),
    ("call 911", "call nine one one"),
    ("www.example.com", "W W W dot example dot com"),
    ("me@example.com", "me at example dot com"),
    # Roman numerals
    ("Louis XIV", "Louis the fourteenth"),
    ("Psalm C", "Psalm one hundred"),
    ("Group C", "Group C"),
    ("Grade C", "Grade C"),
    ("My CV is here", "My C V is here"),
    ("The IV drip", "The I V drip"),
    # sizes
    ("Size XL fits", "Size X L fits"),
    ("an XL size", "an X L size"),
    ("XXL shirts", "X X L shirts"),
    ("sizes S, M and L", "sizes S , M and L"),
    ("Super Bowl XL", "Super Bowl forty"),
    ("World War I", "World War one"),
    ("Act IV", "Act four"),
    ("Malcolm X", "Malcolm X"),
    ("and I went", "and I went"),
    ("in the mid-1980s", "in the mid nineteen eighties"),
    ("post-2008", "post two thousand eight"),
    ("FY2023", "F Y twenty twenty three"),
    ("room 14A", "room fourteen A"),
    ("221B", "two hundred and twenty one B"),
    ("a 12V battery", "a twelve volt battery"),
    # more of money
    ("a $20 bill", "a twenty dollar bill"),
    ("US$5", "five U S dollars"),
    ("5 USD", "five U S dollars"),
    ("₩1000", "one thousand won"),
    ("$5/month", "five dollars per month"),
    ("$20–$30", "twenty dollars to thirty dollars"),
    # ranges, and what only looks like one
    ("5%-10%", "five percent to ten percent"),
    ("5–10 km", "five to ten kilometers"),
    ("9am-5pm", "nine A M to five P M"),
    ("10:00–11:30", "ten o'clock to eleven thirty"),
    ("1990-95", "nineteen ninety to ninety five"),
    ("9-4=5", "nine minus four equals five"),
    ("the 747-400", "the seven hundred and forty seven four hundred"),
    ("50-50", "fifty fifty"),
    ("1-2-3", "one two three"),
    ("978-3-16", "nine seven eight, three, one six"),
    ("Mon–Fri", "Monday to Friday"),
    ("London–Paris", "London Paris"),
    # more numbers
    (".5", "point five"),
    ("6.02e23", "six point zero two times ten to the twenty three"),
    ("10⁶", "ten to the power of six"),
    ("5¹", "five to the power of one"),
    ("2x4", "two by four"),
    ("$-5", "minus five dollars"),
    ("config.yaml", "config dot yaml"),
    ("README.md", "readme dot M D"),
    ("my_song2.mp3", "my song two dot M P three"),
    (".NET", "dot net"),
    ("/usr/local/bin", "slash usr slash local slash bin"),
    ("the end.then", "the end.then"),
    ("$5/oz", "five dollars per ounce"),
    ("€9.99/mo", "nine euros ninety nine cents per month"),
    ("3%/yr", "three percent per year"),
    ("$20/person", "twenty dollars per person"),
    ("3×4=12", "three times four equals twelve"),
    ("20 cm x 30 cm", "twenty centimeters by thirty centimeters"),
    ("10x faster", "ten times faster"),
    ("16:9", "sixteen to nine"),
    ("120/80", "one hundred and twenty over eighty"),
    ("the 2020/21 season", "the twenty twenty twenty one season"),
    ("version 3.11.2", "version three point eleven point two"),
    ("192.168.0.1", "one hundred and ninety two dot one hundred and sixty eight dot zero dot one"),
    ("3 June", "the third of june"),
    ("05.12.2024", "the fifth of december twenty twenty four"),
    ("in 1066", "in ten sixty six"),
    ("NY 10001", "N Y one zero zero zero one"),
    ("(020) 7946 0018", "zero two zero, seven nine four six, zero zero one eight"),
    ("No 1", "number one"),
    ("2024's best", "twenty twenty four's best"),
    # more units
    ("100 km/h", "one hundred kilometers per hour"),
    ("9.81 m/s²", "nine point eight one meters per second squared"),
    ("44.1 kHz", "forty four point one kilohertz"),
    ("50 Mbps", "fifty megabits per second"),
    ("10 kWh", "ten kilowatt hours"),
    ("±3 mm", "plus or minus three millimeters"),
    ("10 µm", "ten micrometers"),
    ("5 Ω", "five ohms"),
    ("25° C", "twenty five degrees Celsius"),
    ("a 5 km run", "a five kilometer run"),
    ("5 ft 10 in", "five feet ten inches"),
    # more signs and capitals
    ("√2", "the square root of two"),
    ("π", "pi"),
    ("Acme™", "Acme"),
    ("by the WHO", "by the W H O"),
    ("GIVE US it", "give us it"),
    # more abbreviations and numerals
    ("St. John's", "Saint John's"),
    ("Lt. Col. Brown", "lieutenant colonel Brown"),
    ("5 lbs. of it", "five pounds of it"),
    ("on Mon. at", "on Monday at"),
    ("Apt. 5", "apartment five"),
    ("Elizabeth II's", "Elizabeth the second's"),
    ("George V", "George the fifth"),
    ("Napoleon I", "Napoleon the first"),
    ("James I am", "James I am"),
    ("Apollo XI", "Apollo eleven"),
    ("the XIX century", "the nineteenth century"),
    # operators and addresses
    ("10^-3", "ten to the power of minus three"),
    ("a <= 5", "a at most five"),
    ("a != b", "a is not equal to b"),
    ("a.com/?q=1&b=x", "a dot com slash question mark q equals one and b equals x"),
]


@pytest.mark.parametrize(("written", "words"), SAID)
def test_text_is_said_as_a_reader_says_it(reader: English, written: str, words: str) -> None:
    assert said(reader, written) == words


@pytest.mark.parametrize("written", [written for written, _ in SAID])
def test_spans_cover_the_text_in_order(reader: English, written: str) -> None:
    at = 0
    for span in reader.read(written):
        assert at <= span.start < span.end <= len(written)
        at = span.end


@pytest.mark.parametrize("written", [written for written, _ in SAID if any(map(str.isdigit, written))])
def test_no_number_goes_unspoken(written: str) -> None:
    phrases = list(language("en-us").phrases([written]))
    assert not [reason for phrase in phrases for reason in phrase.unspoken]
    assert not any(character.isdigit() for phrase in phrases for word in phrase.words for character in word.text)
