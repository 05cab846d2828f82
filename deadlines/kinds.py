"""The kinds of deadlines: what starts each, what it requires, and whose duty it is. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from .calendars import CannotCount


class UnknownDeadlineKind(CannotCount):
    """There is no deadline of this name."""


class BadDeadlineFact(CannotCount):
    """A given fact is unknown to the deadline or cannot be read."""


class Obligor(StrEnum):
    """Whose duty a deadline measures."""

    ORGANIZATION = "ORGANIZATION"
    PARTY = "PARTY"
    INFORMATION = "INFORMATION"  # shown only; nothing depends on it


METHODS: dict[str, str] = {
    "in_hand": "in hand",
    "mail_ca": "by mail to a California address",
    "mail_us": "by mail to another state",
    "mail_abroad": "by mail to another country",
    "express": "by express mail",
    "fax": "by fax",
    "electronic": "electronically",
}

# Where the address of the person served is. An address without a state or country is "unknown".
PLACES: dict[str, str] = {
    "ca": "in California",
    "us": "in another state",
    "abroad": "in another country",
    "unknown": "not known",
}


@dataclass(frozen=True)
class DeadlineKind:
    """A kind of deadline: what starts it and whose duty it is.

    :ivar trigger: the key of the fact that starts it.
    :ivar event: that event in words, "the UR decision was served".
    :ivar act: what must have happened by the end, "the application is received".
    """

    name: str
    label: str
    trigger: str
    event: str
    act: str
    obligor: Obligor
    takes: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all facts that it takes: trigger first, overrides last."""
        return (self.trigger, *self.takes, *_OVERRIDES)


# Facts for study. They replace what the rule says, and the sum names each that was used.
_OVERRIDES = ("rules_of", "calendar", "friday_after_thanksgiving_is_working")


DEADLINE_KINDS: dict[str, DeadlineKind] = {
    deadline_kind.name: deadline_kind
    for deadline_kind in (
        DeadlineKind(
            name="application",
            label="Application",
            trigger="served",
            event="the UR decision was served",
            act="the application is received",
            obligor=Obligor.PARTY,
            takes=("method", "form_served"),
        ),
        DeadlineKind(
            name="application_formulary",
            label="Application, formulary dispute",
            trigger="served",
            event="the UR decision was served",
            act="the application is received",
            obligor=Obligor.PARTY,
            takes=("method", "form_served"),
        ),
        DeadlineKind(
            name="application_after_liability",
            label="Application after a liability dispute",
            trigger="served",
            event="the notice that the liability dispute is resolved was served",
            act="the application is received",
            obligor=Obligor.PARTY,
            takes=("method", "form_served"),
        ),
        DeadlineKind(
            name="internal_appeal",
            label="Request for an internal UR appeal",
            trigger="received",
            event="the UR decision was received",
            act="the request for an internal appeal is made",
            obligor=Obligor.PARTY,
        ),
        DeadlineKind(
            name="eligibility_information",
            label="Answer to a request for eligibility information",
            trigger="received",
            event="the request for information was received",
            act="the information is received",
            obligor=Obligor.PARTY,
        ),
        DeadlineKind(
            name="screening",
            label="Screening",
            trigger="received",
            event="the application was received",
            act="the eligibility is decided",
            obligor=Obligor.ORGANIZATION,
        ),
        DeadlineKind(
            name="noarfi",
            label="Notice of assignment",
            trigger="found_eligible",
            event="the application was found eligible",
            act="the notice of assignment is sent",
            obligor=Obligor.ORGANIZATION,
        ),
        DeadlineKind(
            name="records",
            label="Medical records",
            trigger="noarfi",
            event="the notice of assignment was sent",
            act="the records are received",
            obligor=Obligor.PARTY,
            takes=("method",),
        ),
        # Its own kind, because the hours run from receipt, while the days of the others run from
        # sending.
        DeadlineKind(
            name="records_expedited",
            label="Medical records, expedited",
            trigger="received",
            event="the notice of assignment was received",
            act="the records are received",
            obligor=Obligor.PARTY,
        ),
        DeadlineKind(
            name="own_papers",
            label="Documents of the employee or the requesting physician",
            trigger="noarfi",
            event="the notice of assignment was sent",
            act="the documents are received",
            obligor=Obligor.PARTY,
            takes=("method",),
        ),
        DeadlineKind(
            name="own_papers_expedited",
            label="Documents of the employee or the requesting physician, expedited",
            trigger="received",
            event="the notice of assignment was received",
            act="the documents are received",
            obligor=Obligor.PARTY,
        ),
        DeadlineKind(
            name="reviewer_information",
            label="Answer to the reviewer's request",
            trigger="received",
            event="the reviewer's request was received",
            act="the answer is received",
            obligor=Obligor.PARTY,
        ),
        DeadlineKind(
            name="reviewer_information_expedited",
            label="Answer to the reviewer's request, expedited",
            trigger="received",
            event="the reviewer's request was received",
            act="the answer is received",
            obligor=Obligor.PARTY,
        ),
        DeadlineKind(
            name="determination_regular",
            label="Determination, regular",
            trigger="records_complete",
            event="the file was complete",
            act="the determination is issued",
            obligor=Obligor.ORGANIZATION,
            takes=("extension_days", "extension_approved"),
        ),
        DeadlineKind(
            name="determination_formulary",
            label="Determination, formulary dispute",
            trigger="records_complete",
            event="the file was complete",
            act="the determination is issued",
            obligor=Obligor.ORGANIZATION,
            takes=("extension_days", "extension_approved"),
        ),
        DeadlineKind(
            name="determination_expedited",
            label="Determination, expedited",
            trigger="information_complete",
            event="the information was complete",
            act="the determination is issued",
            obligor=Obligor.ORGANIZATION,
            takes=("extension_days", "extension_approved"),
        ),
        # 15 days for the records plus 30 for the determination; shown on the page, never enforced.
        DeadlineKind(
            name="notice_mark",
            label="45 days from the notice of assignment",
            trigger="noarfi",
            event="the notice of assignment was sent",
            act="the determination is issued",
            obligor=Obligor.INFORMATION,
        ),
        DeadlineKind(
            name="petition",
            label="Petition to the WCAB",
            trigger="mailed",
            event="the decision was served",
            act="the petition is filed",
            obligor=Obligor.PARTY,
            takes=("method", "place"),
        ),
        DeadlineKind(
            name="authorize",
            label="Authorize services not yet given",
            trigger="received",
            event="the determination was received",
            act="the treatment is authorized",
            obligor=Obligor.PARTY,
        ),
        DeadlineKind(
            name="reimburse",
            label="Reimburse services already given",
            trigger="received",
            event="the determination was received",
            act="the services are reimbursed",
            obligor=Obligor.PARTY,
        ),
        # Only for a flag: the WCAB decides whether a UR decision was late (Dubon II, 2014).
        DeadlineKind(
            name="ur_decision",
            label="UR decision",
            trigger="rfa",
            event="the request for authorization was received",
            act="the UR decision is made",
            obligor=Obligor.INFORMATION,
            takes=("method", "concurrent", "recommended"),
        ),
        DeadlineKind(
            name="ur_decision_expedited",
            label="UR decision, expedited",
            trigger="rfa",
            event="the request for authorization was received",
            act="the UR decision is made",
            obligor=Obligor.INFORMATION,
        ),
        # Shown as information. Nothing is refused because of it.
        DeadlineKind(
            name="twelve_month_bar",
            label="Twelve months of the UR decision",
            trigger="ur_denied",
            event="the UR decision was made",
            act="the same treatment may be requested again",
            obligor=Obligor.INFORMATION,
        ),
        # An amount of money. It is listed here so that its rule is a dated row like all others.
        DeadlineKind(
            name="records_penalty",
            label="Penalty for late records",
            trigger="records_due",
            event="the records were due",
            act="the records are received",
            obligor=Obligor.INFORMATION,
            takes=("records_received",),
        ),
    )
}


# The deadlines of a determination. A case has one of them, depending on its priority.
DETERMINATION_DEADLINE_KINDS = tuple(
    name for name in DEADLINE_KINDS if name.startswith("determination_")
)

# Former names, which scripts and example files may still use.
_FORMER_NAMES = {"authorise": "authorize"}


def find_deadline_kind(name: str) -> DeadlineKind:
    """Return the deadline of a name, or of a former name.

    :raises UnknownDeadlineKind: naming those that exist.
    """
    deadline_kind = DEADLINE_KINDS.get(_FORMER_NAMES.get(name, name))
    if deadline_kind is None:
        raise UnknownDeadlineKind(
            f"There is no deadline “{name}”. Deadlines: {', '.join(sorted(DEADLINE_KINDS))}."
        )
    return deadline_kind
