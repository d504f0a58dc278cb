"""What a metadata value may be called in a question: itself, and shorter forms, each with how surely it means it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipelines.vocabulary.words import Word, words

LEGAL = frozenset(
    "inc incorporated corp corporation ltd limited plc llc llp lp ag se sa nv bv gmbh kg kgaa spa srl oyj ab asa pty "
    "co kk sarl sas".split()
)
"""Words at the end of a company's name that say no more than its legal form."""
ORGANISATION = frozenset(
    "group holding holdings company bank international global worldwide industries partners enterprises "
    "technologies technology systems solutions services the".split()
)
"""Words at the end of a name that many names end in."""
COMMON = frozenset(
    "other others general current currently active inactive draft final internal external public private open closed "
    "new old report note policy memo letter email mail page file document form contract agreement press release news "
    "article blog guide manual guideline procedure rule standard update notice statement filing annual quarterly "
    "monthly weekly daily yes no none unknown misc high medium low all any main test legal finance sales support "
    "research product service market risk global local national superseded archived approved pending complete "
    "published north south east west central it us on in at as or be am pm hr key now so go do".split()
)
"""Words that questions hold for other reasons than to name a value."""
_WHOLE_ONLY = ("title", "headline", "subject", "url", "link", "file", "path", "folder", "source", "heading", "summary")
"""Fields whose values are phrases and not names: one word of a title says little of which is meant."""
_MOST_WORDS = 5
_SMALL_WORDS = frozenset("of and the for de la du van von der den y e &".split())
_PERSON_FIELDS = ("author", "person", "analyst", "speaker", "manager", "owner", "contact", "sender", "recipient", "by")


@dataclass(frozen=True, slots=True)
class Alias:
    """A way to write a value: its folded words, and how surely it means it, in (0, 1].

    `upper` asks for capitals throughout, as an acronym has them; `capital`, for a capital at the start of each word,
    and `strict` for one also where a whole question is written without any.
    `whole` says that nothing of the value is missing but its legal form.
    """

    words: tuple[str, ...]
    sure: float
    upper: bool = False
    capital: bool = False
    strict: bool = False
    whole: bool = False
    given: bool = False


def aliases(field: str, values: Sequence[str]) -> list[list[Alias]]:
    """Return the aliases of each value of a field; a shorter form is worth less, and less again where several share it.

    Derived are: the value with its hyphens or underscores closed up, without legal form, without words such as Group,
    its leading words, its acronym, a word that no other value has, and the last name in a field of persons. Of titles
    and the like, and of whatever is not written as a name, nothing but the whole counts.
    """
    written = [words(value) for value in values]
    if any(hint in field.lower() for hint in _WHOLE_ONLY):
        return [_best(_own(value, own)) for value, own in zip(values, written, strict=True)]
    forms = [[*_own(value, own), *_shortened(own)] for value, own in zip(values, written, strict=True)]
    for i, own in enumerate(_acronyms(written)):
        forms[i] += own
    for i, own in enumerate(_leading(written)):
        forms[i] += own
    for i, own in enumerate(_single(written, any(p in field.lower() for p in _PERSON_FIELDS))):
        forms[i] += own
    return [_best(own) for own in forms]


def given_aliases(lines: Iterable[str]) -> Mapping[str, list[tuple[str, ...]]]:
    """Return the words of each alias by the value, as it is written, of lines such as "MBG = Meridian Bank Group"."""
    found: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for line in lines:
        alias, _, value = line.partition("=")
        found[value.strip()].append(tuple(word.folded for word in words(alias)))
    return found


def _own(value: str, own: Sequence[Word]) -> list[Alias]:
    folded = tuple(word.folded for word in own)
    upper = len(own) == 1 and value.isupper() and len(value) <= 5 and value.isalpha()
    forms = [Alias(folded, 1.0, upper=upper, whole=True)]
    if len(own) > 1 and not any(c.isspace() for c in value):  # 10-K, e-mail, research_note
        forms.append(Alias(("".join(folded),), 0.95, whole=True))
    return forms


def _shortened(own: Sequence[Word]) -> list[Alias]:
    folded = [word.folded for word in own]
    legal = _without(folded, LEGAL)
    plain = _without(_without(legal, ORGANISATION), LEGAL)
    forms = [Alias(tuple(legal), 0.97, capital=True, whole=True)] if len(legal) < len(folded) else []
    if len(plain) < len(legal):
        forms.append(Alias(tuple(plain), 0.9, capital=True))
    return forms


def _without(folded: list[str], endings: frozenset[str]) -> list[str]:
    end = len(folded)
    while end > 1 and folded[end - 1] in endings:
        end -= 1
    return folded[:end]


def _acronyms(written: Sequence[Sequence[Word]]) -> list[list[Alias]]:
    """Return the initials of values of two words and more, where no other value has them; two are less sure."""
    initials = ["".join(w.folded[0] for w in own) if len(own) >= 3 or _pair(own) else "" for own in written]
    own_words = {own[0].folded for own in written if len(own) == 1}
    count = Counter(initials)
    return [
        [Alias((letters,), 0.85 if len(letters) > 2 else 0.7, upper=True)]
        if letters and count[letters] == 1 and letters not in own_words
        else []
        for letters in initials
    ]


def _pair(own: Sequence[Word]) -> bool:
    """Return whether it is two words written as a name, as Human Resources is."""
    return len(own) == 2 and _is_name(own) and all(word.folded[0].isalpha() for word in own)


def _leading(written: Sequence[Sequence[Word]]) -> list[list[Alias]]:
    """Return the beginnings of names; those that several values share name each of them, less surely."""
    named = [own if _is_name(own) else () for own in written]
    count = Counter(tuple(w.folded for w in own[:n]) for own in named for n in range(1, len(own)))
    return [
        [
            Alias(lead, 0.85 if count[lead] == 1 else 0.7, capital=True)
            for n in range(1, len(own))
            if not _empty(lead := tuple(w.folded for w in own[:n]))
        ]
        for own in named
    ]


def _is_name(own: Sequence[Word]) -> bool:
    """Return whether a value is written as a name: a few words, each with a capital but for of, and and the like."""
    return 0 < len(own) <= _MOST_WORDS and all(w.capital or w.folded in _SMALL_WORDS for w in own)


def _empty(lead: tuple[str, ...]) -> bool:
    """Return whether a beginning names nothing: it is short, or a common word."""
    return len(lead) == 1 and (len(lead[0]) < 3 or lead[0] in COMMON or lead[0] in ORGANISATION)


def _single(written: Sequence[Sequence[Word]], persons: bool) -> list[list[Alias]]:
    """Return the words that one value alone has: the last of a person's name; of others, what is written as a name."""
    count = Counter(word for own in written for word in {w.folded for w in own})
    found: list[list[Alias]] = []
    for own in written:
        alone = [w for w in own if len(own) > 1 and count[w.folded] == 1 and len(w.folded) > 2]
        sure = {w.folded: 0.8 if persons and w is own[-1] else 0.7 for w in alone if w.capital and _is_name(own)}
        found.append([Alias((word,), value, capital=True, strict=value < 0.8) for word, value in sure.items()])
        if alone and not own[0].capital and alone[-1] is own[-1]:  # the note of research_note
            found[-1].append(Alias((own[-1].folded,), 0.6))
    return found


def _best(forms: Sequence[Alias]) -> list[Alias]:
    """Keep of equal words the surest."""
    best: dict[tuple[str, ...], Alias] = {}
    for one in forms:
        if one.words and (one.words not in best or best[one.words].sure < one.sure):
            best[one.words] = one
    return list(best.values())
