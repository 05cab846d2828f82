"""The same answer the slow way: every reviewer read and tested alone, nothing kept."""

from dataclasses import replace

from cases.models import Case
from reviewers import matching, profiles
from reviewers.candidates import gather, panel_today, ties_of
from reviewers.matching import Verdict
from reviewers.models import Reviewer
from reviewers.standing import rules_on


def naively_ranked(case: Case, *, on, known_at, among=None) -> list[Verdict]:
    """Each reviewer's whole profile, all affiliations, every tie and every gate, one by one.

    :param among: these reviewers only.
    """
    rules = rules_on(on, known_at=known_at)
    question, people = None, []
    for reviewer in among or Reviewer.objects.order_by("code"):
        today = panel_today(rules, on=on, known_at=known_at, only=reviewer)
        question, (applicant,) = gather(case, today)
        whole = profiles.profiles(
            Reviewer.objects.filter(pk=reviewer.pk), on=on, known_at=known_at
        )[reviewer.pk]
        ties = tuple(ties_of(case, whole, known_at=known_at))
        people.append(replace(applicant, profile=whole, ties=ties, answered=None))
    assert question is not None
    return matching.rank(question, people)
