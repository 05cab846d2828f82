"""The same answer the slow way: nothing kept, no one left out, everyone tested in full."""

from dataclasses import replace

from cases.models import Case
from cases.party_facts import parties_of
from reviewers import conflicts, profiles
from reviewers.matching import ranking
from reviewers.matching.candidacy import Verdict
from reviewers.matching.candidates import conflicts_of, gather, limits_on, panel_today
from reviewers.matching.track_record import rules_on
from reviewers.models import Reviewer


def naively_ranked(case: Case, *, on, known_at, among=None) -> list[Verdict]:
    """Each reviewer's whole profile, all affiliations, every affiliation and every requirement, one
    by one.

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
        conflicts = tuple(conflicts_of(case, whole, known_at=known_at))
        people.append(replace(applicant, profile=whole, conflicts=conflicts, answered=None))
    assert question is not None
    return ranking.rank(question, people)


def plainly_ranked(case: Case, *, on, known_at) -> list[Verdict]:
    """Everything read at once, then one loop.

    Each affiliation of each reviewer, and every requirement.
    """
    rules = rules_on(on, known_at=known_at)
    whole = profiles.profiles(Reviewer.objects.all(), on=on, known_at=known_at)
    question, people = gather(case, panel_today(rules, on=on, known_at=known_at))
    limits = limits_on(on, known_at=known_at)
    parties = parties_of(case, known_at=known_at, limits=limits)
    return ranking.rank(
        question,
        [
            replace(
                one,
                profile=whole[one.profile.reviewer_id],
                conflicts=tuple(
                    conflicts.find_conflicts(whole[one.profile.reviewer_id], parties, limits)
                ),
                answered=None,
            )
            for one in people
        ],
    )
