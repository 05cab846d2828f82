"""Attestation wordings as their page shows them: which is in force, who published it, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

from django.db.models import Count

from accounts.models import User

from .models import Attestation, AttestationWording


@dataclass(frozen=True)
class PublishedWording:
    """One wording with its publication details."""

    row: AttestationWording
    by: str  # who published it, as the reader may see it; empty for the system
    published_at: datetime
    reason: str
    signed: int  # number of attestations, including void ones
    next_from: date | None  # the first day of the next number


@dataclass(frozen=True)
class WordingHistory:
    """All wordings, latest first, grouped by whether they are in force on a day."""

    in_force: PublishedWording | None
    to_come: Sequence[PublishedWording]
    before: Sequence[PublishedWording]
    latest: AttestationWording | None


def list_wordings(*, on: date, reader: User) -> WordingHistory:
    """Return all wordings, grouped for a day. Three queries for any number of wordings."""
    wordings = _load_published_wordings(reader)
    begun = [one for one in wordings if one.row.effective_from <= on]
    return WordingHistory(
        in_force=begun[0] if begun else None,
        to_come=[one for one in wordings if one.row.effective_from > on],
        before=begun[1:],
        latest=wordings[0].row if wordings else None,
    )


def _load_published_wordings(reader: User) -> list[PublishedWording]:
    rows = list(AttestationWording.objects.order_by("-number"))
    # Latest first, so each pair is a wording and the one before it.
    next_from = {row.pk: after.effective_from for after, row in pairwise(rows)}
    versions = {
        version.id: version
        # A wording is never edited, so its first version says who published it and why.
        for version in AttestationWording.history.filter(version=1).select_related("history_user")
    }
    signed = dict(
        Attestation.objects.order_by()
        .values_list("wording")
        .annotate(how_many=Count("pk"))
        .values_list("wording", "how_many")
    )
    wordings = []
    for row in rows:
        version = versions[row.pk]
        user = version.history_user
        wordings.append(
            PublishedWording(
                row=row,
                by=user.name_for(reader) if user is not None else "",
                published_at=version.history_date,
                reason=version.history_change_reason,
                signed=signed.get(row.pk, 0),
                next_from=next_from.get(row.pk),
            )
        )
    return wordings
