"""Sentences by type and language, to measure intonation and pauses. A word in asterisks is the one asked about."""

from __future__ import annotations

from collections.abc import Mapping

_ENGLISH = {
    "statement": """The train leaves at seven in the morning.|My sister has bought a new car.
They were walking along the river.|He never answers the phone.|We had dinner with some old friends.
The garden looks lovely in spring.|I would rather stay at home.|The children are playing outside.
She works in a bank near the station.|Nobody knew where the money came from.|It has been raining since yesterday.
The museum is closed on Mondays.|You can leave your coat here.|Her brother lives in London.
The soup needs a little more salt.|I forgot to bring my umbrella.|The plane landed an hour late.
He reads the paper every day.|There is a bakery around the corner.|Most of the windows were open.""",
    "yes_no_question": """Are you coming to the party tonight?|Did you see the film?|Is there anything I can do for you?
Would you like some coffee?|Have they finished the report?|Can he really speak French?|Are the children asleep?
Does this train stop in London?|Was it raining?|May I open the window?|Is this seat taken?
Could you help me with the luggage?|Do you remember my brother?|Will the shop be open tomorrow?
Has anybody seen my glasses?|Were you born in this town?|Should we wait for them?|Is the water warm enough?
Did she say anything about the money?|You are leaving tomorrow?""",
    "word_question": """Where did you put the keys?|What time is it?|Who told you about the meeting?
Why is the door open?|How far is it to the station?|Which of these do you prefer?|When does the concert begin?
What are you going to do?|Whose coat is this?|How much does it cost?|Where have you been all day?
What did the doctor say?|Who is that man over there?|Why did they leave so early?|How do you spell your name?
What happened to your hand?|When will they be back?|How long have you lived here?|In which street is the hotel?
What would you like to drink?""",
    "exclamation": """Stop it!|What a beautiful day!|I told you to leave me alone!|Come here!|We won the match!
Look at that!|Don't touch the stove!|How wonderful!|Get out of my house!|That is not fair!|Watch your head!
What a terrible idea!|You must be joking!|The house is on fire!|Leave him alone!|I can't believe it!|Hurry up!
Never do that again!|Good luck!|It was fantastic!""",
}
_RUSSIAN = {
    "statement": """Поезд отходит в семь утра.|Моя сестра купила новую машину.|Они шли вдоль реки.
Он никогда не берёт трубку.|Мы ужинали со старыми друзьями.|Весной сад очень красив.|Я лучше останусь дома.
Дети играют на улице.|Она работает в банке у вокзала.|Никто не знал об этом.|Дождь идёт со вчерашнего дня.
Музей закрыт по понедельникам.|Пальто можно оставить здесь.|Её брат живёт в Москве.|В супе мало соли.
Я забыл взять зонт.|Самолёт опоздал на час.|Он каждый день читает газету.|За углом есть булочная.
Почти все окна были открыты.""",
    "yes_no_question": """Ты *придёшь* завтра?|Вы *говорите* по-русски?|Вы *видели* этот фильм?|Ты *купил* хлеб?
Он уже *уехал*?|*Придёт* ли он вечером?|Ты *знаешь* эту песню?|Вы *были* в Москве?|Она *сказала* тебе правду?
Ты *хочешь* чаю?|Вы *понимаете* меня?|Дети *спали* ночью?|Это твоя *книга*?|Тебе *холодно*?
Вы *живёте* в этом городе?|Ты *забыл* ключи?|Они *нашли* дорогу?|Ты *слышишь* музыку?|Это *правда*?
Вы *работали* вчера?""",
    "word_question": """Где ты живёшь?|Куда вы идёте?|Кто это сказал?|Почему дверь открыта?|Сколько это стоит?
Когда начинается концерт?|Что вы будете делать?|Чья это куртка?|Какой сегодня день?|Где вы были весь день?
Что сказал врач?|Кто этот человек?|Почему они ушли так рано?|Как пишется ваше имя?|Что у тебя с рукой?
Когда они вернутся?|Откуда вы приехали?|В каком городе ты родился?|С кем ты говорил?|Что вы хотите пить?""",
    "exclamation": """Хватит!|Какой прекрасный день!|Оставь меня в покое!|Иди сюда!|Мы победили!|Посмотри на это!
Не трогай плиту!|Как чудесно!|Вон из моего дома!|Это нечестно!|Осторожно, голова!|Какая ужасная мысль!|Ты шутишь!
Дом горит!|Отпусти его!|Не могу поверить!|Быстрее!|Никогда так не делай!|Удачи!|Это было великолепно!""",
}
# Pauses inside a text: two sentences each, with commas.
_ENGLISH_PAUSES = """The door was open, the lights were off, and nobody was home. We went in.
Are you coming tonight? I hope so.|If you want, we can go, but it is late; still, I would like to stay.
Where did you put the keys? They were on the table, I think.|Stop it! You are hurting him.
What a beautiful day! Let us go out, and leave the work for tomorrow.
When the rain stopped, the children ran outside, laughing and shouting.
He said that he would come. She did not believe him.|Is there anything that I can do? Just say so.
My brother, who lives in London, is a doctor. His wife is a teacher.|Look out! There is a car behind you.
She opened the box, looked inside, and smiled. It was empty.|Hurry up! The train leaves in five minutes.
Is it far? No, it is quite near.|In the morning, before breakfast, he goes for a swim. The water is cold."""
_RUSSIAN_PAUSES = """Дверь была открыта, свет не горел, и дома никого не было. Мы вошли.
Ты придёшь вечером? Я надеюсь.|Если хочешь, мы можем пойти, но уже поздно.
Где ты оставил ключи? Они лежали на столе, рядом с лампой.|Хватит! Ему больно.
Какой прекрасный день! Пойдём гулять, а работу оставим на завтра.|Когда дождь кончился, дети выбежали на улицу.
Он сказал, что придёт. Она ему не поверила.|Это далеко? Нет, совсем близко.
Мой брат, который живёт в Москве, врач. Его жена учительница.|Осторожно! Сзади машина.
Она открыла коробку, заглянула внутрь и улыбнулась. Там было пусто.|Быстрее! Поезд уходит через пять минут.
Утром, до завтрака, он плавает в реке. Вода холодная."""
_KINDS: Mapping[str, Mapping[str, str]] = {"en": _ENGLISH, "ru": _RUSSIAN}
_PAUSES: Mapping[str, str] = {"en": _ENGLISH_PAUSES, "ru": _RUSSIAN_PAUSES}


def sentences_by_kind(language: str) -> dict[str, list[str]]:
    """Twenty sentences of each type; none for a language without a list."""
    return {kind: _split(text) for kind, text in _KINDS.get(language[:2], {}).items()}


def texts_with_pauses(language: str) -> list[str]:
    return _split(_PAUSES.get(language[:2], ""))


def _split(text: str) -> list[str]:
    return [sentence for sentence in text.replace("\n", "|").split("|") if sentence]
