"""What follows from the service of a letter on each recipient: the time to petition the WCAB.

Each aggrieved party has a date of its own, because the days that 8 CCR 10605 adds depend on the
address of the person served (8 CCR 10575). The calculation is shown to staff for information.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from accounts.models import User
from cases.letter_periods import PETITION_FACTS, collect_petition_facts
from cases.models import Case, Deadline, Event, Party, PartyRole
from deadlines.rules import MAIL_METHODS
from letters.models import DeliveryMethod, Letter, Service

from . import case_deadlines

PETITION = "petition"
# The employee and the employer may petition, each through the others of their side (LC 4610.6(h)).
AGGRIEVED_ROLES = frozenset(
    {
        PartyRole.EMPLOYEE,
        PartyRole.EMPLOYEE_ATTORNEY,
        PartyRole.REPRESENTATIVE,
        PartyRole.EMPLOYER,
        PartyRole.CLAIMS_ADMINISTRATOR,
        PartyRole.INSURER,
        PartyRole.DEFENSE_ATTORNEY,
    }
)
# A method of service, as the deadline engine names it. Mail is named by the place of the address.
_ENGINE_METHODS = {
    DeliveryMethod.EXPRESS: "express",
    DeliveryMethod.IN_HAND: "in_hand",
    DeliveryMethod.FAX: "fax",
    DeliveryMethod.ELECTRONIC: "electronic",
    DeliveryMethod.PORTAL: "electronic",
}


def start_petition_deadlines(
    *, case: Case, services: Iterable[Service], by: User | None, at: datetime
) -> list[Deadline]:
    """Start the time to petition the WCAB for each aggrieved party that was served.

    Runs from the service of a determination or of a decision that a dispute is not eligible
    (8 CCR 10575(a), (c)), on a locked case.

    :param services: served letters; recipients who may not petition are skipped.
    """
    rows = list(services)
    _warn_of_other_days(case, rows, by=by, at=at)
    roles = dict(
        Party.objects.filter(pk__in=[row.recipient_id for row in rows]).values_list("pk", "role")
    )
    return [
        case_deadlines.start_deadline(
            case=case,
            deadline_kind=PETITION,
            given=_build_petition_facts(row),
            service=row,
            by=by,
            at=at,
            sets_due_date=False,
        )
        for row in rows
        if roles.get(row.recipient_id) in AGGRIEVED_ROLES and row.is_served
    ]


def list_services(*, letter: Letter) -> list[Service]:
    """List the services of a letter; ``is_outdated`` says that the party was changed since.

    Two queries.
    """
    rows = list(letter.services.order_by("pk"))
    ids = [row.recipient_id for row in rows]
    changed = set(Party.objects.filter(corrects__in=ids).values_list("corrects", flat=True))
    for row in rows:
        row.is_outdated = row.recipient_id in changed
    return rows


def _warn_of_other_days(
    case: Case, services: Iterable[Service], *, by: User | None, at: datetime
) -> None:
    """Record that a letter states other days than the rule in force when it was served.

    The deadline follows the rule of the day of service, so a person has to tell the recipient.
    """
    names = [name.name for name in PETITION_FACTS]
    for row in services:
        if row.served_on is None:
            continue
        stated = dict(row.letter.fact_rows.filter(name__in=names).values_list("name", "value"))
        in_force = {fact.name: fact.value for fact in collect_petition_facts(row.served_on)}
        if stated and stated != in_force:
            Event.objects.create(
                case=case,
                kind=Event.Kind.CHANGED,
                happened_at=at,
                by=by,
                sentence=f"The letter to {row.recipient_name} states other days for a petition "
                "than the rule in force when it was served. The deadline follows that rule. "
                "Tell the recipient.",
                facts={"service": row.pk, "stated": stated, "in_force": in_force},
                letter=row.letter,
            )


def _build_petition_facts(service: Service) -> Mapping[str, str]:
    """Build the facts of the petition deadline from a service. Unknown facts are left out."""
    facts = {} if service.served_on is None else {"mailed": service.served_on.isoformat()}
    method = DeliveryMethod(service.served_method) if service.served_method else None
    if method == DeliveryMethod.MAIL:
        # An address without a state is neither; the engine then names the day of each place.
        by_place = {"method": MAIL_METHODS[service.place]} if service.place in MAIL_METHODS else {}
        return facts | by_place | {"place": service.place}
    if method is not None:
        facts["method"] = _ENGINE_METHODS[method]
    return facts | {"place": service.place}
