"""Run every check and store what it found."""

from collections.abc import Callable
from datetime import datetime

import structlog
from django.db import transaction

from accounts.verification import count_history
from jobs.failures import LeaseLost
from maintenance.checks import CHECKS
from maintenance.findings import Found, Tick
from maintenance.models import Finding

logger = structlog.get_logger(__name__)


class ChecksFailed(Exception):
    """One or more checks could not run; the other checks have stored what they found."""


def run_checks(*, at: datetime, tick: Tick = lambda: None) -> int:
    """Run every check, store new findings, and resolve those that are not found any more.

    A check that cannot run does not stop the others, and resolves nothing.

    :returns: the number of open findings.
    :raises ChecksFailed: naming the checks that could not run.
    """
    failed: list[str] = []
    first_error: Exception | None = None
    # Several codes may share one function, which then runs once.
    codes: dict[Callable[..., object], list[str]] = {}
    for code, check in CHECKS.items():
        codes.setdefault(check.find, []).append(code)
    for find, its_codes in codes.items():
        try:
            found = list(CHECKS[its_codes[0]].find(at, tick))
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001 - one check must not stop the others
            logger.error("nightly_check_failed", check=find.__name__, error=type(error).__name__)
            failed += [CHECKS[code].label for code in its_codes]
            first_error = first_error or error
        else:
            _store_findings(found, its_codes, at=at)
    # After the checks, so that rows of this day are compared from tomorrow on.
    count_history(at=at, tick=tick)
    if first_error is not None:
        raise ChecksFailed(", ".join(failed)) from first_error
    return Finding.objects.open().count()


@transaction.atomic
def _store_findings(found: list[Found], codes: list[str], *, at: datetime) -> None:
    """Store the findings of some checks, and resolve the earlier ones that are gone."""
    known = {
        (row.code, row.table, row.row, row.column, row.sentence): row.pk
        for row in Finding.objects.open().filter(code__in=codes)
    }
    seen = {one.key: one for one in found}
    still_there = [pk for key, pk in known.items() if key in seen]
    Finding.objects.filter(pk__in=still_there).update(seen_at=at)
    gone = [pk for key, pk in known.items() if key not in seen]
    Finding.objects.filter(pk__in=gone).update(resolved_at=at)
    Finding.objects.bulk_create(
        [
            Finding(
                code=one.code,
                table=one.table,
                row=one.row,
                column=one.column,
                reference=one.reference,
                sentence=one.sentence,
                found_at=at,
                seen_at=at,
            )
            for key, one in seen.items()
            if key not in known
        ]
    )
