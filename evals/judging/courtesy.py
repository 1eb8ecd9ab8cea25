"""Which sentences are nothing but forms of address, thanks and signposts, told by code.

They are settled before any judge is asked: a weak judge finds a fact in `Thank you, Chair`, and a
courtesy that counts as a consistent claim would make the politest delegation the most consistent.
"""

from __future__ import annotations

from evals.text import content_words, stem

FEWEST = 2
"""Content words besides those below that a sentence needs to say anything."""

_WORDS = (
    # address
    "chair chairman chairwoman chairperson president mister madam excellency excellencies "
    "ambassador minister colleague colleagues delegation delegations delegate delegates "
    "distinguished dear friend friends ladies gentlemen secretariat host hosts guest "
    # thanks and wishes
    "thank thanks thankful grateful gratitude appreciate appreciation appreciated welcome "
    "pleasure pleased glad honour honor honoured honored privilege happy delighted warm warmly "
    "greet greetings greeting kind kindly kindness courtesy hospitality wish wishes hope best "
    "congratulate congratulations good great well sincere sincerely deep deeply heartfelt "
    "express expressed expressing once again today morning afternoon evening day work "
    # the floor
    "floor word words take give giving given giving speak speaking spoke turn first brief "
    "briefly patience attention patient listen listening hear heard statement remarks "
    "intervention interventions opening meeting session table room "
    # signposts
    "point points further add addition recall stand let begin start conclude close finally "
    "note noted say said question"
)
_FORMS = frozenset(stem(word) for word in _WORDS.split())


_STANDS = (
    "accept agree approve back concede consent decline deny disagree endorse insist object oppose "
    "propose refuse reject reserve retract support veto withdraw"
)
_TAKES_A_STAND = frozenset(stem(word) for word in _STANDS.split())


def only_courtesy(sentence: str) -> bool:
    """Whether a sentence says nothing but courtesies and signposts.

    True where fewer than `FEWEST` of its different content words are something else and none of
    them takes a stand: `We refuse.` is short, and no courtesy.
    """
    rest = set(content_words(sentence)) - _FORMS
    return len(rest) < FEWEST and not rest & _TAKES_A_STAND
