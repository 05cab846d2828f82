"""Where the letters of a case stand, in one line."""

from collections import Counter

from cases.models import Case, CaseLetter
from letters.models import Delivery, Letter

_WORDS = (
    (Letter.State.QUEUED, "being made"),
    (Letter.State.RENDERING, "being made"),
    (Letter.State.PARKED, "waiting for a person"),
)


def letters_line(case: Case) -> str:
    """How many letters there are and what is still to be done about them. Three queries."""
    drafts = case.case_letters.filter(state=CaseLetter.State.DRAFT).count()
    waiting = f" {drafts} draft{' waits' if drafts == 1 else 's wait'} for a person."
    return _written(case) + (waiting if drafts else "")


def _written(case: Case) -> str:
    states = Counter(
        Letter.objects.filter(reference=case.number).order_by().values_list("state", flat=True)
    )
    if not states:
        return "No letter yet."
    total = sum(states.values())
    unsent = Delivery.objects.filter(
        letter__reference=case.number,
        letter__state=Letter.State.FILED,
        state=Delivery.State.PREPARED,
    ).count()
    open_ends: Counter[str] = Counter()
    for state, words in _WORDS:
        open_ends[words] += states[state]
    open_ends["not sent yet"] = unsent
    rest = ", ".join(f"{count} {words}" for words, count in open_ends.items() if count)
    return f"{total} letter{'' if total == 1 else 's'}, {rest or 'all sent'}."
