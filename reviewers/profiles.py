"""Loads reviewer profiles as of a day and as known at a moment, in two queries."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Case as SqlCase
from django.db.models import Exists, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Cast

from .facts import (
    EXPERIENCE_YEARS,
    AffiliationRecord,
    CertificationRecord,
    ExperienceRecord,
    FactRecord,
    FileProofRecord,
    LeaveRecord,
    LicenseRecord,
    PracticeRecord,
    Profile,
    SanctionRecord,
    TrainingRecord,
    subtract_years,
)
from .models import (
    Affiliation,
    Certification,
    CredentialFact,
    FileProof,
    Leave,
    License,
    PracticeFact,
    Reviewer,
    SanctionCheck,
    Training,
    TreatmentExperience,
)

_TEXT = models.TextField()
# The parts of the union select these in this order, and the rows are read in the same.
_DATED = ["valid_from", "valid_to", "verified_on", "verified_by", "source", "recorded_at"]
_NOTHING = Value("", output_field=_TEXT)


def _cast_to_text(name: str) -> Cast:
    return Cast(name, _TEXT)


# The own columns of each kind of fact, padded to five text columns, so that one UNION query reads
# all nine tables.
# Written out, because SQLite and PostgreSQL cast a boolean to different texts.
_FOUND = SqlCase(When(found=True, then=Value("1")), default=Value(""), output_field=_TEXT)
_COLUMNS: dict[str, tuple[type[CredentialFact], list[Any]]] = {
    "licenses": (
        License,
        [
            _cast_to_text("state"),
            _cast_to_text("number"),
            _cast_to_text("kind"),
            _cast_to_text("standing"),
            _NOTHING,
        ],
    ),
    "certifications": (
        Certification,
        [
            _cast_to_text("board"),
            _cast_to_text("specialty__name"),
            _cast_to_text("parent__name"),
            _cast_to_text("standing"),
            _NOTHING,
        ],
    ),
    "practice": (
        PracticeFact,
        [_cast_to_text("kind"), _cast_to_text("weekly_hours"), *[_NOTHING] * 3],
    ),
    "trainings": (
        Training,
        [_cast_to_text("topic"), _cast_to_text("version_taught"), *[_NOTHING] * 3],
    ),
    "sanction_checks": (SanctionCheck, [_cast_to_text("register"), _FOUND, *[_NOTHING] * 3]),
    "experience": (TreatmentExperience, [_cast_to_text("treatment"), *[_NOTHING] * 4]),
    "file_proofs": (FileProof, [_cast_to_text("kind"), *[_NOTHING] * 4]),
    "leaves": (Leave, [_cast_to_text("note"), *[_NOTHING] * 4]),
    "affiliations": (
        Affiliation,
        [
            _cast_to_text("relation"),
            _cast_to_text("organization_id"),
            _cast_to_text("person_id"),
            _cast_to_text("share_percent"),
            _cast_to_text("kin"),
        ],
    ),
}


def _parse_number(text: str | None) -> int | None:
    return int(text) if text else None


def _parse_decimal(text: str | None) -> Decimal | None:
    return Decimal(text) if text else None


_BUILD: dict[str, Callable[[dict[str, Any], list[Any]], FactRecord]] = {
    "licenses": lambda held, own: LicenseRecord(
        **held, state=own[0], number=own[1], kind=own[2], standing=own[3]
    ),
    "certifications": lambda held, own: CertificationRecord(
        **held, board=own[0], specialty=own[1], parent=own[2] or "", standing=own[3]
    ),
    "practice": lambda held, own: PracticeRecord(
        **held, kind=own[0], weekly_hours=_parse_decimal(own[1])
    ),
    "trainings": lambda held, own: TrainingRecord(**held, topic=own[0], version_taught=own[1]),
    "sanction_checks": lambda held, own: SanctionRecord(
        **held, register=own[0], found=own[1] == "1"
    ),
    "experience": lambda held, own: ExperienceRecord(**held, treatment=own[0]),
    "file_proofs": lambda held, own: FileProofRecord(**held, kind=own[0]),
    "leaves": lambda held, own: LeaveRecord(**held, note=own[0]),
    "affiliations": lambda held, own: AffiliationRecord(
        **held,
        relation=own[0],
        organization_id=_parse_number(own[1]),
        person_id=_parse_number(own[2]),
        share_percent=_parse_decimal(own[3]),
        kin=own[4] or "",
    ),
}


def load_profile(reviewer: Reviewer, *, on: date, known_at: datetime) -> Profile:
    """Load a reviewer's facts in force on a day, as known at a moment. Three queries.

    Status and capacity are those of that moment, from the reviewer's history.
    """
    versions = (
        reviewer.history.filter(history_date__lte=known_at)
        .order_by("-history_date", "-history_id")
        .first()
    )
    profiles = load_profiles(Reviewer.objects.filter(pk=reviewer.pk), on=on, known_at=known_at)
    now = profiles[reviewer.pk]
    # The reviewer was not on file at that moment, so there are only the current values.
    if versions is None:
        return now
    return replace(now, status=versions.status, capacity=versions.capacity)


def load_profiles(
    reviewers: QuerySet[Reviewer],
    *,
    on: date,
    known_at: datetime,
    affiliations: Q | None = None,
) -> dict[int, Profile]:
    """Load the profiles of many reviewers by id, in two queries. The status is the current one.

    :param affiliations: only these affiliations; all when left out.
    """
    facts = load_facts_by_reviewer(
        on=on, known_at=known_at, of=reviewers, affiliations=affiliations
    )
    return {
        row["pk"]: Profile(
            reviewer_id=row["pk"],
            code=row["code"],
            status=row["status"],
            capacity=row["capacity"],
            has_sign_in=bool(row["user__is_active"]),
            on=on,
            known_at=known_at,
            first_name=row["first_name"],
            last_name=row["last_name"],
            **{kind: tuple(rows) for kind, rows in facts.get(row["pk"], {}).items()},
        )
        for row in reviewers.order_by("pk").values(
            "pk", "code", "status", "capacity", "first_name", "last_name", "user__is_active"
        )
    }


def load_facts_by_reviewer(
    *,
    on: date,
    known_at: datetime,
    of: QuerySet[Reviewer] | None = None,
    affiliations: Q | None = None,
    kinds: Collection[str] = tuple(_COLUMNS),
) -> dict[int, dict[str, list[Any]]]:
    """Load the facts in force on a day by reviewer and kind, as known at a moment. One query.

    :param of: only these reviewers; the whole panel when left out.
    :param affiliations: only these affiliations, because a panel may have very many.
    :param kinds: only these kinds of facts, named as in a profile.
    """
    parts = [
        _query_facts(
            model,
            kind,
            columns,
            on=on,
            known_at=known_at,
            of=of,
            only=affiliations if kind == "affiliations" else None,
        )
        for kind, (model, columns) in _COLUMNS.items()
        if kind in kinds
    ]
    # all=True, because the rows differ by kind and id, and looking for equal ones is slow.
    return _build_facts(parts[0].union(*parts[1:], all=True) if parts[1:] else parts[0])


def select_affiliations(only: Q, *, on: Any, known_at: Any) -> QuerySet[Any]:
    """Select the affiliations in force on a day, as known at a moment, for a kept query.

    :param on: the day or a slot for it, and ``known_at`` likewise the moment.
    """
    model, columns = _COLUMNS["affiliations"]
    return _query_facts(
        model, "affiliations", columns, on=on, known_at=known_at, of=None, only=only
    )


def build_affiliations(rows: Iterable[Any]) -> dict[int, tuple[AffiliationRecord, ...]]:
    """Build the affiliations of each reviewer from the rows of ``select_affiliations``."""
    return {pk: tuple(facts["affiliations"]) for pk, facts in _build_facts(rows).items()}


def _build_facts(rows: Iterable[Any]) -> dict[int, dict[str, list[Any]]]:
    """Build the facts of each reviewer and kind from the rows of ``_query_facts``."""
    by_reviewer: dict[int, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for kind, reviewer_id, pk, *rest in rows:
        dated = dict(zip(_DATED, rest[: len(_DATED)], strict=True))
        built = _BUILD[kind]({"pk": pk, **dated}, rest[len(_DATED) :])
        by_reviewer[reviewer_id][kind].append(built)
    for kinds in by_reviewer.values():
        for rows in kinds.values():
            # A union has no order, and results should not differ from run to run.
            rows.sort(key=lambda fact: fact.pk)
    return by_reviewer


def _query_facts(
    model: Any,  # a subclass of CredentialFact; mypy cannot query the abstract one
    kind: str,
    columns: list[Any],
    *,
    on: Any,  # a date, or a slot for one
    known_at: Any,
    of: QuerySet[Reviewer] | None,
    only: Q | None,
) -> QuerySet[Any]:
    # A correction counts from the moment it was recorded; an old letter shows the old row.
    later = model._default_manager.filter(corrects=OuterRef("pk"), recorded_at__lte=known_at)
    rows = model._default_manager.filter(~Exists(later), recorded_at__lte=known_at, withdrawn=False)
    holds = Q(valid_from__isnull=True) | Q(valid_from__lte=on)
    holds &= Q(valid_to__isnull=True) | Q(valid_to__gte=on)
    if model is Affiliation:
        # Having treated the employee, or taken part in the claim, has no end.
        lasting = [Affiliation.Relation.TREATMENT, Affiliation.Relation.INVOLVED]
        holds |= Q(relation__in=lasting)
    if model is TreatmentExperience:
        # Experience that ended recently still counts.
        recent = Q(valid_to__gte=subtract_years(on, EXPERIENCE_YEARS))
        holds |= recent & (Q(valid_from__isnull=True) | Q(valid_from__lte=on))
    rows = rows.filter(holds)
    if only is not None:
        rows = rows.filter(only)
    if of is not None:
        rows = rows.filter(reviewer__in=of.values("pk"))
    words: dict[str, Any] = {f"own_{number}": column for number, column in enumerate(columns)}
    # The kind comes first in each row and says which columns the others stand for.
    words["fact"] = Value(kind, output_field=_TEXT)
    names = ["fact", "reviewer_id", "pk", *_DATED, *sorted(words.keys() - {"fact"})]
    answer: QuerySet[Any] = rows.annotate(**words)
    return answer.values_list(*names)
