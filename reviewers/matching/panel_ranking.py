"""Ranking of a compiled panel for a case, with reasons only for those who are asked for. Pure.

The result is the same as that of ``ranking.rank_candidates`` for every reviewer, which judges each
of them in full; a test compares the two on random cases. What is decided here once for a class of
reviewers, and by a few comparisons for each of them, uses the functions of that module.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from functools import cached_property
from heapq import nsmallest
from zlib import crc32

from directory.affiliations import FoundConflict

from . import ranking, requirements
from .candidacy import (
    IDLE,
    NO_MARKS,
    CandidateData,
    CandidateResult,
    CaseMarks,
    MatchCase,
    Workload,
)
from .compiled_panel import CompiledPanel, PanelRow, ReviewerClass
from .specialty_map import match_specialties

# Score (negative), open work, hash, code and id: the order of the eligible reviewers.
_Place = tuple[int, int, int, str, int]


@dataclass(frozen=True)
class _ClassVerdict:
    """How a case judges a class: the requirements that it does not meet, or else the points."""

    unmet: int
    unmet_requirements: frozenset[str]
    points: tuple[int, int]  # without and with a California license


class PanelRanking:
    """The ranking of a panel for one case.

    :ivar match_case: the case.
    """

    def __init__(
        self,
        match_case: MatchCase,
        panel: CompiledPanel,
        *,
        work: Mapping[int, Workload],
        marks: Mapping[int, CaseMarks],
        no_conflicts: tuple[FoundConflict, ...],
        left_out: Set[int] = frozenset(),
    ) -> None:
        """Rank the panel.

        :param work: the work of each reviewer who has any.
        :param marks: what sets single reviewers apart for this case.
        :param no_conflicts: the conflict results of everyone else.
        :param left_out: reviewers who are not considered.
        """
        self.match_case = match_case
        self._panel = panel
        self._work = work
        self._marks = {
            pk: one for pk, one in marks.items() if pk in panel.rows and pk not in left_out
        }
        self._no_conflicts = no_conflicts
        self._left_out = left_out
        # Judged in full, because they differ from their class.
        self._own_results = {pk: self._evaluate(pk) for pk in self._marks}
        self._verdicts = [self._judge_class(one) for one in panel.classes]
        self._results_of_likes: dict[tuple[int, ...], CandidateResult] = {}
        self._places = self._rank_eligible()

    @property
    def eligible_ids(self) -> list[int]:
        """The eligible reviewers, the best first."""
        return [place[-1] for place in self._places]

    @property
    def best(self) -> CandidateResult | None:
        """The result of the first reviewer, or ``None`` if no one is eligible."""
        return next(self.list_eligible(1), None)

    @property
    def refused_number(self) -> int:
        """How many reviewers are not eligible."""
        considered = len(self._panel.rows) - sum(pk in self._panel.rows for pk in self._left_out)
        return considered - len(self._places)

    def list_eligible(self, many: int | None = None) -> Iterator[CandidateResult]:
        """Return the results of the first eligible reviewers, or of all, with ranks."""
        for rank, place in enumerate(self._places[:many], start=1):
            yield replace(self.get_result(place[-1]), rank=rank)

    def list_refused(self) -> list[CandidateResult]:
        """Return the results of all reviewers who are not eligible, by code."""
        eligible = set(self.eligible_ids)
        return [
            self.get_result(pk)
            for pk in self._panel.rows
            if pk not in eligible and pk not in self._left_out
        ]

    def list_results(self) -> list[CandidateResult]:
        """Return the results of everyone, as ``ranking.rank_candidates`` does."""
        return [*self.list_eligible(), *self.list_refused()]

    def list_marked(self) -> list[CandidateResult]:
        """Return the results of those whom something sets apart for this case, by code."""
        return sorted(self._own_results.values(), key=lambda one: one.code)

    def get_result(self, reviewer_id: int) -> CandidateResult:
        """Return the result of one reviewer, without the rank."""
        if reviewer_id in self._own_results:
            return self._own_results[reviewer_id]
        if reviewer_id in self._work:
            return self._evaluate(reviewer_id)
        row = self._panel.rows[reviewer_id]
        # Reviewers without work who have the same of these have the same score and reasons.
        key = (row.class_number, row.daily_number, row.capacity, row.in_california)
        like = self._results_of_likes.get(key)
        if like is None:
            like = self._results_of_likes[key] = self._evaluate(reviewer_id)
        return CandidateResult(reviewer_id, row.code, None, like.score, like.reasons, like.matches)

    def get_conflicts(self, reviewer_id: int) -> tuple[FoundConflict, ...]:
        """Return the conflict results of one reviewer."""
        found = self._marks.get(reviewer_id, NO_MARKS).conflicts
        return self._no_conflicts if found is None else found

    @cached_property
    def refusal_counts(self) -> list[tuple[int, str]]:
        """The number of refused reviewers of each requirement, as ``ranking.count_refusals``."""
        sets: Counter[frozenset[str]] = Counter()
        for one, verdict in zip(self._panel.classes, self._verdicts, strict=True):
            for refused, number in one.daily_counts.items():
                sets[refused | verdict.unmet_requirements] += number
        # Those who differ from their class are counted again, one by one.
        for pk in {*self._marks, *self._left_out, *self._work, *self._panel.without_capacity}:
            if (row := self._panel.rows.get(pk)) is None:
                continue
            of_class = self._panel.daily_requirements[row.daily_number]
            of_class |= self._verdicts[row.class_number].unmet_requirements
            sets[of_class] -= 1
            if pk in self._own_results:
                sets[frozenset(one.requirement for one in self._own_results[pk].refusals)] += 1
            elif pk not in self._left_out:
                at_capacity, overdue = self._count_workload_refusals(row)
                sets[
                    of_class
                    | (_AT_CAPACITY if at_capacity else frozenset())
                    | (_OVERDUE if overdue else frozenset())
                ] += 1
        tally: Counter[str] = Counter()
        for refused, number in sets.items():
            for requirement in refused:
                tally[requirement] += number
        return ranking.describe_counts(tally)

    def list_closest(self, many: int) -> list[CandidateResult]:
        """Return the refused reviewers with the fewest reasons, who are closest to eligible."""
        single = {*self._marks, *self._left_out, *self._work, *self._panel.without_capacity}
        numbered: list[tuple[int, str, int]] = [
            (len(result.refusals), result.code, pk)
            for pk, result in self._own_results.items()
            if not result.is_eligible
        ]
        for pk in single:
            row = self._panel.rows.get(pk)
            if row is None or pk in self._own_results or pk in self._left_out:
                continue
            number = self._verdicts[row.class_number].unmet + row.daily_unmet
            if number := number + sum(self._count_workload_refusals(row)):
                numbered.append((number, row.code, pk))
        for one, verdict in zip(self._panel.classes, self._verdicts, strict=True):
            numbered += [
                (verdict.unmet + row.daily_unmet, row.code, row.reviewer_id)
                for row in _take_first(one, verdict, many, left_out=single)
            ]
        return [self.get_result(pk) for _, _, pk in nsmallest(many, numbered)]

    def _judge_class(self, one: ReviewerClass) -> _ClassVerdict:
        """Check what depends on the case and is the same for a whole class."""
        member = one.example
        candidate = CandidateData(member.profile, allowed_categories=member.allowed_categories)
        matches, about_items = match_specialties(self.match_case, member.profile)
        reasons = [
            *requirements.check_license_scope(self.match_case, candidate),
            *requirements.check_experience(self.match_case, candidate),
            *about_items,
        ]
        unmet = [reason for reason in reasons if not reason.is_met]
        if unmet:
            return _ClassVerdict(
                len(unmet), frozenset(reason.requirement for reason in unmet), (0, 0)
            )
        without, with_license = (
            ranking.count_profile_points(self.match_case, matches, in_california=is_there)
            for is_there in (False, True)
        )
        return _ClassVerdict(0, frozenset(), (without, with_license))

    def _rank_eligible(self) -> list[_Place]:
        """Return the places of all eligible reviewers in order."""
        seed = crc32(f"{self.match_case.case_number} ".encode())
        single = {*self._marks, *self._left_out, *self._work, *self._panel.without_capacity}
        idle = ranking.count_work_points(self.match_case, 1, 0, IDLE.record)
        places: list[_Place] = []
        for one, verdict in zip(self._panel.classes, self._verdicts, strict=True):
            if verdict.unmet:
                continue
            scores = [-(points + idle) for points in verdict.points]
            places += [
                (scores[row[3]], 0, crc32(row[2], seed), row[1], row[0])
                for row in one.fit
                if row[0] not in single
            ]
        for pk in single - self._left_out:
            if (score := self._score_single(pk)) is not None:
                row = self._panel.rows[pk]
                load = self._work.get(pk, IDLE).workload
                places.append((-score, load, crc32(row.code_bytes, seed), row.code, pk))
        places.sort()
        return places

    def _score_single(self, reviewer_id: int) -> int | None:
        """Return the score of a reviewer who differs from the class; ``None`` if refused."""
        if reviewer_id in self._own_results:
            return self._own_results[reviewer_id].score
        row = self._panel.rows.get(reviewer_id)
        if row is None or row.daily_unmet:
            return None  # not on the panel yet when it was compiled, or refused
        verdict = self._verdicts[row.class_number]
        if verdict.unmet or any(self._count_workload_refusals(row)):
            return None
        busy = self._work.get(reviewer_id, IDLE)
        return verdict.points[row.in_california] + ranking.count_work_points(
            self.match_case, row.capacity, busy.workload, busy.record
        )

    def _count_workload_refusals(self, row: PanelRow) -> tuple[int, int]:
        busy = self._work.get(row.reviewer_id, IDLE)
        return requirements.count_workload_refusals(
            self.match_case, row.capacity, busy.workload, busy.overdue
        )

    def _evaluate(self, reviewer_id: int) -> CandidateResult:
        """Judge one reviewer in full."""
        member = self._panel.member_of[reviewer_id]
        busy = self._work.get(reviewer_id, IDLE)
        marks = self._marks.get(reviewer_id, NO_MARKS)
        return ranking.evaluate_candidate(
            self.match_case,
            CandidateData(
                profile=member.profile,
                workload=busy.workload,
                overdue=busy.overdue,
                allowed_categories=member.allowed_categories,
                days_off=member.days_off,
                record=busy.record,
                removed_from_case_on=marks.removed_from_case_on,
                barred_because=marks.barred_because,
                was_on_earlier_round=marks.was_on_earlier_round,
                has_declined=marks.has_declined,
                conflicts=self.get_conflicts(reviewer_id),
                daily_results=member.daily_results,
            ),
        )


_AT_CAPACITY = frozenset({"WORKLOAD"})
_OVERDUE = frozenset({"OVERDUE"})


def _take_first(
    one: ReviewerClass, verdict: _ClassVerdict, many: int, *, left_out: Set[int]
) -> Iterable[PanelRow]:
    """Yield the refused reviewers of a class with the fewest reasons."""
    for row in one.closest_first:
        if not verdict.unmet and not row.daily_unmet:
            continue  # eligible
        if row.reviewer_id not in left_out:
            yield row
            many -= 1
            if not many:
                return
