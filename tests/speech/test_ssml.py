"""SSML: what is said, and where breaks, deliveries and marks fall; errors that name what is allowed."""

from __future__ import annotations

import pytest
from conftest import ENGLISH

from cmaudio.errors import CmaudioError
from cmaudio.speech.language import language
from cmaudio.speech.phonemes import PLAIN, Delivery, Word
from cmaudio.speech.pronunciations import Pronunciations
from cmaudio.speech.ssml import parse_ssml


def words(inside: str) -> list[Word]:
    document = parse_ssml(f"<speak>{inside}</speak>")
    phrases = language("en-us").phrases([document.text], Pronunciations(ENGLISH))
    return [word for phrase in document.apply(phrases) for word in phrase.words]


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("One <sub alias='World Wide Web'>WWW</sub> page", "One World Wide Web page ."),
        ("<say-as interpret-as='characters'>abc</say-as>", "A B C ."),
        ("<say-as interpret-as='digits'>42</say-as>", "four two ."),
        ("<say-as interpret-as='ordinal'>2nd</say-as> floor", "second floor ."),
        ("<say-as interpret-as='ordinal'>3</say-as> floor", "third floor ."),
        ("<say-as interpret-as='ordinal'>112</say-as> floor", "one hundred twelfth floor ."),
        ("one<break/>two", "one , two ."),
        ("<say-as interpret-as='cardinal'>1234</say-as>", "one thousand two hundred and thirty four ."),
        ("<p>First</p><p>second</p>", "First . second ."),
        ("<s>It is here</s> <s>or there</s>", "It is here . or there ."),
        ("a &amp; b", "a and b ."),
    ],
)
def test_elements_say_their_text(inside: str, said: str) -> None:
    assert " ".join(word.text for word in words(inside)) == said


def test_a_phoneme_element_gives_the_pronunciation() -> None:
    (word, _) = words("<phoneme ph='təmˈɑtoʊ'>tomato</phoneme>")
    assert (word.text, "".join(map(str, word.phonemes))) == ("tomato", "təmˈɑtoʊ")


@pytest.mark.parametrize("text", ["K8s", "New York", "C++ 11", "AT&amp;T"])
def test_a_phoneme_element_is_said_once(text: str) -> None:
    assert len(words(f"<phoneme ph='təmˈɑtoʊ'>{text}</phoneme>")) == 2


@pytest.mark.parametrize(
    ("inside", "pauses"),
    [
        ("one <break time='500ms'/> two", [0.5, None]),
        ("one<break time='500ms'/>two", [0.5, None]),
        ("It is one.<break time='2s'/>It is two.", [2.0, None]),
        ("one, <break time='1.5s'/> two", [1.5, None]),
        ("It is one. <break time='2s'/> It is two.", [2.0, None]),
        ("It is one. It is two. <break strength='strong'/>", [None, 0.6]),
    ],
)
def test_breaks_set_the_length_of_pauses(inside: str, pauses: list[float | None]) -> None:
    assert [word.seconds for word in words(inside) if word.is_pause] == pauses


@pytest.mark.parametrize(
    ("inside", "deliveries"),
    [
        ("a <prosody rate='50%'>slow</prosody> one", [PLAIN, Delivery(rate=0.5), PLAIN]),
        ("<prosody pitch='+2st' volume='-6dB'>both</prosody>", [Delivery(pitch=2, energy=-6)]),
        (
            "<prosody rate='200%'>fast <prosody pitch='+1st'>high</prosody></prosody>",
            [Delivery(rate=2), Delivery(rate=2, pitch=1)],
        ),
        ("<emphasis level='none'>plain</emphasis>", [PLAIN]),
    ],
)
def test_prosody_applies_to_the_words_inside(inside: str, deliveries: list[Delivery]) -> None:
    assert [word.delivery for word in words(inside) if not word.is_pause] == deliveries


def test_marks_are_reported_with_the_word_after_them() -> None:
    assert [(w.text, w.marks) for w in words("<mark name='a'/>one two <mark name='b'/>three<mark name='c'/>")] == [
        ("one", ("a",)),
        ("two", ()),
        ("three", ("b",)),
        (".", ("c",)),
    ]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("<speak>open", "not well-formed"),
        ("<p>one</p>", "must begin with <speak>, not <p>"),
        ("<speak><audio src='x'/></speak>", "<audio> is not a supported SSML element; supported: speak, p"),
        ("<speak><break time='5 minutes'/></speak>", "from '0s' to '10s'"),
        ("<speak><break strength='huge'/></speak>", "'x-strong', not 'huge'"),
        ("<speak><prosody rate='quick'>a</prosody></speak>", "'fast', 'x-fast', 'default', or '120%', not 'quick'"),
        ("<speak><prosody rate='9000%'>a</prosody></speak>", "out of range: 0.25 to 4"),
        ("<speak><prosody range='x'>a</prosody></speak>", "takes rate, pitch and volume, not 'range'"),
        ("<speak><say-as interpret-as='poem'>a</say-as></speak>", "not 'poem'"),
        ("<speak><say-as interpret-as='cardinal'>many</say-as></speak>", "'many' cannot be read as 'cardinal'"),
        ("<speak><sub>a</sub></speak>", "<sub> needs the attribute 'alias'"),
        ("<speak><phoneme alphabet='x-sampa' ph='a'>a</phoneme></speak>", "alphabet 'ipa', not 'x-sampa'"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><speak>&b;</speak>", "DOCTYPE"),
        ("<speak>" + "<p>" * 40 + "</p>" * 40 + "</speak>", "nested more than 32 deep"),
        ("<speak>" + "a" * 200_001 + "</speak>", "at most 200000"),
    ],
)
def test_what_is_not_read_is_named(source: str, message: str) -> None:
    with pytest.raises(CmaudioError, match=message.replace("(", r"\(")):
        parse_ssml(source)
