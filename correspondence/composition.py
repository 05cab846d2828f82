"""Composes the letters of a case from its current facts. Reads only.

The fixed sentences come from the wording in force, the reasons from the eligibility decision, and
questions or missing records from the draft. Each stated fact has its source.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

import letters.services
from cases.application_cases import describe_other_cases
from cases.consolidated_items import list_decided_items, select_decided_case_ids
from cases.item_liability import read_liability
from cases.letter_periods import collect_petition_facts
from cases.lifecycle import Status
from cases.models import Case, CaseLetter, Deadline, DisputedItem, Event, Party, PartyRole, Priority
from correspondence.services.notices import build_address, load_organization
from deadlines.days import local_day
from eligibility import rules
from eligibility.answers import Answer, EligibilityResult
from eligibility.models import EligibilityDecision, EligibilityFinding
from letters.documents import (
    CaseLetterDocument,
    Document,
    Recipient,
    Section,
    find_document_problems,
)
from letters.facts import Fact, FactName
from letters.kinds import LetterKind
from letters.models import DeliveryMethod, WordingSet
from letters.wording import Composed

from .kinds import SPECS, LetterSpec

LAYOUT = "case-letter"

_PARTIES = {"employee", "claims_administrator"}
# How an item ended without a decision, as a closure notice prints it.
_ENDED = {
    DisputedItem.Ending.WITHDRAWN: "withdrawn",
    DisputedItem.Ending.AUTHORIZED: "authorized by the claims administrator",
}
_NAMED_FACT = re.compile(r"\((\w+)\)")


@dataclass(frozen=True)
class MissingPart:
    """A missing part that prevents sending a draft: a sentence, and the page to correct it."""

    sentence: str
    url: str = ""


@dataclass(frozen=True)
class ComposedLetter:
    """The letter to one recipient, ready for preview or for the queue."""

    party: Party
    document: Document
    facts: list[Fact]
    declared: Sequence[FactName]
    wording: WordingSet
    variants: tuple[str, ...]
    slots: list[str]


def list_possible_recipients(draft: CaseLetter, *, at: datetime) -> list[Party]:
    """List the parties who may receive this letter today, in the order of 8 CCR 9792.10.4(b)."""
    roles = _letter_spec(draft).recipients
    on_the_case = draft.case.parties.current().true_on(local_day(at))
    # A party of a single item only, such as another physician, gets no letters of the case.
    parties = on_the_case.filter(role__in=roles, item=None)
    # By id within a role, so that the first recipient, whose letter is previewed, stays the same.
    return sorted(parties, key=lambda party: (roles.index(PartyRole(party.role)), party.pk))


def list_chosen_recipients(draft: CaseLetter, *, at: datetime) -> list[Party]:
    """List the parties who receive the letter: all possible recipients that were not left out."""
    # Stored as exceptions, so that a party who is added later receives the letter.
    return [
        party for party in list_possible_recipients(draft, at=at) if party.pk not in draft.left_out
    ]


def find_missing_parts(draft: CaseLetter, *, at: datetime) -> list[MissingPart]:
    """List everything that prevents sending the draft; empty if it can be sent."""
    case, missing = draft.case, []
    to_parties = reverse("cases:parties", args=[case.number])
    getting = list_chosen_recipients(draft, at=at)
    if not getting:
        missing.append(MissingPart("No recipient is selected.", to_parties))
    for party in getting:
        # Found before approval: afterward the address is frozen in the service.
        if not build_address(party).address.strip():
            # A party who gets email has its address: a constraint of the table.
            by_fax = DeliveryMethod(party.preferred_channel) == DeliveryMethod.FAX
            missing_name = "fax number" if by_fax else "postal address"
            sentence = f"{party.get_role_display()} {party.name} has no {missing_name} on file."
            missing.append(MissingPart(sentence, to_parties))
    if getting:
        # The first stands for all: the letters differ only in address, channel and copies.
        try:
            composed = compose_letter(draft, getting[0], at=at)
        except letters.services.LetterRefused as refusal:
            missing += [MissingPart(one, _repair_url(draft, one)) for one in refusal.problems]
        else:
            missing += [
                MissingPart(one, _repair_url(draft, one))
                for one in find_document_problems(composed.document, LAYOUT)
            ]
    return missing


def compose_letter(draft: CaseLetter, party: Party, *, at: datetime) -> ComposedLetter:
    """Compose the letter to one recipient from the current facts.

    :raises LetterRefused: naming every missing fact, or that no wording is in force.
    """
    case, spec = draft.case, _letter_spec(draft)
    # Looked up each time: a draft has no text of its own until it is approved.
    wording = letters.services.find_wording_in_force(kind=draft.kind, layout=LAYOUT)
    facts = _collect_facts(draft, at=at)
    values = {one.name: one.value for one in facts}
    variants = _choose_variants(draft)
    slots = _choose_slots(wording, spec, values)
    declared = spec.declared
    composed = letters.services.compose_wording(
        wording_set=wording,
        facts=facts,
        declared=declared,
        on=local_day(at),
        variants=variants,
        slots=slots,
    )
    heading = composed.text("heading")
    others = [one for one in list_chosen_recipients(draft, at=at) if one.pk != party.pk]
    document = CaseLetterDocument(
        kind=draft.kind,
        title=f"{heading}, {case.number}",
        heading=heading,
        organization=load_organization(),
        dated_on=local_day(at),
        case_number=case.number,
        recipient=Recipient(
            role=party.get_role_display(),
            name=party.name,
            address=tuple(party.address.splitlines()),
        ),
        way=_service_line(party),
        employee=str(values.get("employee", "")),
        opening=composed.paragraphs("opening"),
        sections=tuple(_build_sections(spec, composed, values)),
        closing=composed.paragraphs("closing"),
        # By role and once each: names of other parties are not printed.
        copies_to=tuple(dict.fromkeys(one.get_role_display() for one in others)),
        claims_administrator=str(values.get("claims_administrator", "")),
        claim_number=case.claim_number,
        priority=case.get_priority_display(),
        date_of_injury=case.date_of_injury,
        injury_last_day=case.injury_last_day,
        application_received=case.received_on,
        ur_decision_date=case.ur_decision.decided_on if case.ur_decision else None,
    )
    return ComposedLetter(party, document, facts, declared, wording, variants, slots)


def _letter_spec(draft: CaseLetter) -> LetterSpec:
    return SPECS[LetterKind(draft.kind)]


def _build_sections(
    spec: LetterSpec, composed: Composed, values: dict[str, object]
) -> Iterable[Section]:
    for name in spec.sections:
        # The points are a slot of their own, so that it can depend on a fact by itself.
        paragraphs = composed.paragraphs(name) + composed.paragraphs(f"{name}_points")
        # Typed by staff for this case, so it is a fact and not a sentence of the wording.
        if name == "particulars":
            paragraphs += (str(values["particulars"]),) if "particulars" in values else ()
        list_values = values.get(spec.lists.get(name, ""), [])
        points = tuple(list_values) if isinstance(list_values, list) else ()
        # A heading without anything below it would look like a mistake.
        if paragraphs or points:
            yield Section(composed.text(f"{name}_heading"), paragraphs, points)


def _choose_slots(wording: WordingSet, spec: LetterSpec, values: dict[str, object]) -> list[str]:
    """Return the slots of the wording, without those that depend on a fact that is not stated."""
    # From the wording, so that only slots it really has are asked for.
    available_slots = wording.sentences.order_by("slot").values_list("slot", flat=True).distinct()
    return [slot for slot in available_slots if not (fact := spec.fact_for(slot)) or fact in values]


def _choose_variants(draft: CaseLetter) -> tuple[str, ...]:
    case = draft.case
    if draft.kind == LetterKind.CLOSURE:
        # The stage is asked first; a case that is closed by now no longer shows how it ended.
        ended = {Status.WITHDRAWN: "WITHDRAWN", Status.TERMINATED: "TERMINATED"}
        variant = ended.get(case.stage) or _closure_variant(case)
        return (variant,) if variant != "PARTIAL" else _partial_closure_variants(case)
    if draft.kind == LetterKind.INELIGIBILITY and _is_partly_eligible(case):
        return ("PARTIAL",)
    # The priority stays as second choice for sentences without a variant for duplicates.
    if draft.kind == LetterKind.ACKNOWLEDGMENT and case.duplicate_of_id is not None:
        return ("DUPLICATE", case.priority)
    return (case.priority,)


def _closure_variant(case: Case) -> str:
    """Return the closure variant of a case that did not end in a stage of its own.

    An open case ended in part. A closed case was withdrawn if any of its items was.
    """
    if case.is_open:
        return "PARTIAL"
    withdrawn = case.items.filter(ending=DisputedItem.Ending.WITHDRAWN).exists()
    return "WITHDRAWN" if withdrawn else "TERMINATED"


def _partial_closure_variants(case: Case) -> tuple[str, ...]:
    """Return the variant that names how the items ended, if all ended in the same way."""
    endings = {item.ending for item in _list_ended_items(case)}
    return (*(f"PARTIAL_{one}" for one in endings if len(endings) == 1), "PARTIAL")


def _service_line(party: Party) -> str:
    address = build_address(party)
    match address.method:
        case DeliveryMethod.FAX:
            return f"By fax to {address.address}"
        case DeliveryMethod.ELECTRONIC:
            return f"By secure email to {address.address}"
        case _:
            return "By mail"


# --- Facts ----------------------------------------------------------------------------------------


def _collect_facts(draft: CaseLetter, *, at: datetime) -> list[Fact]:
    """Collect the facts that the letter may state, with their sources; empty facts are left out."""
    # Empty ones are dropped below, so that ``letters`` names them as missing.
    facts = [*_case_facts(draft.case, at=at), *_kind_facts(draft, at=at), _treatment_fact(draft)]
    if draft.particulars.strip():
        facts.append(Fact("particulars", draft.particulars.strip(), "Typed by staff in the draft"))
    return [one for one in facts if one.value not in (None, "", [])]


def _case_facts(case: Case, *, at: datetime) -> Iterable[Fact]:
    application, decision = "Application", case.ur_decision
    parties = case.parties.current().true_on(local_day(at)).filter(item=None)
    # Newest first, so that the oldest party of a role wins.
    names = {party.role: party.name for party in parties.order_by("-pk")}
    yield Fact("imro_name", settings.IMRO_NAME, "Settings")
    yield Fact("imro_short_name", settings.IMRO_SHORT_NAME, "Settings")
    yield Fact("imro_address", ", ".join(settings.IMRO_ADDRESS.splitlines()), "Settings")
    yield Fact("imro_phone", settings.IMRO_PHONE, "Settings")
    yield Fact("case_number", case.number, "Registration")
    yield Fact("employee", names.get(PartyRole.EMPLOYEE, ""), "Parties of the case")
    yield Fact(
        "claims_administrator", names.get(PartyRole.CLAIMS_ADMINISTRATOR, ""), "Parties of the case"
    )
    yield Fact("claim_number", case.claim_number, application)
    yield Fact("priority", case.get_priority_display(), "Case")
    yield Fact("letter_date", _format_day(local_day(at)), "Day of approval")
    yield Fact("application_received", _format_day(case.received_on), application)
    yield Fact("date_of_injury", case.injury_printed, application)
    yield Fact(
        "ur_decision_date", _format_day(decision.decided_on if decision else None), "UR decision"
    )


def _treatment_fact(draft: CaseLetter) -> Fact:
    """Return the treatments that the letter lists, which depend on its kind."""
    case = draft.case
    items: QuerySet[DisputedItem] = case.items.order_by("position")
    if draft.kind in {LetterKind.EXPEDITED, LetterKind.CORRECTED_NOTICE}:
        # With the items of consolidated cases, as the notice lists them.
        items = list_decided_items(case).filter(ending=DisputedItem.Ending.PENDING)
    elif draft.kind == LetterKind.INELIGIBILITY and _is_partly_eligible(case):
        # The rest of the case continues, so the notice is about these items only.
        items = items.filter(ending=DisputedItem.Ending.INELIGIBLE)
    else:
        items = items.exclude(ending__in=[DisputedItem.Ending.WITHDRAWN, DisputedItem.Ending.MOVED])
    return Fact("treatments", list(items.values_list("title", flat=True)), "Disputed items")


def _is_partly_eligible(case: Case) -> bool:
    latest = case.eligibility_decisions.filter(undone_at=None).order_by("-attempt").first()
    return latest is not None and latest.result == EligibilityResult.ELIGIBLE


def _kind_facts(draft: CaseLetter, *, at: datetime) -> Iterable[Fact]:
    case = draft.case
    match draft.kind:
        case LetterKind.INFORMATION_REQUEST:
            yield _asked_fact(draft)
        case LetterKind.INELIGIBILITY:
            yield from _finding_facts(case, EligibilityResult.INELIGIBLE, "found_ineligible")
            yield from collect_petition_facts(local_day(at))
        case LetterKind.DEFERRAL:
            yield from _finding_facts(case, EligibilityResult.DEFERRED, "found_deferred")
            # As the claims administrator stated it. It may not be on file.
            items = case.items.filter(ending=DisputedItem.Ending.PENDING).order_by("position")
            liability = read_liability(list(items), case.ur_decision)
            yield Fact("dispute_reason", list(liability.reasons), "UR decision")
            yield Fact("other_cases", describe_other_cases(case), "Cases of the application")
        case LetterKind.EXPEDITED:
            yield from _conversion_facts(case)
        case LetterKind.CORRECTED_NOTICE:
            yield from _item_change_facts(case)
            yield Fact("other_cases", describe_other_cases(case), "Cases of the application")
        case LetterKind.RECORDS_REMINDER:
            yield from _reminder_facts(draft, at=at)
        case LetterKind.CLOSURE:
            yield from _ending_facts(case)
        case _:
            if points := _letter_spec(draft).points:
                yield Fact(points, list(draft.points), "Draft")


def _asked_fact(draft: CaseLetter) -> Fact:
    """Return the questions of the letter: of the draft, else open ones, else unknown facts."""
    case = draft.case
    # Points that a person typed replace the questions that would be proposed.
    if draft.points:
        return Fact("asked", list(draft.points), "Draft")
    open_questions = case.information_requests.filter(closed_at__isnull=True)
    requests = list(open_questions.select_related("party").order_by("pk"))
    if requests:
        questions = [f"{one.party.get_role_display()}: {one.question}" for one in requests]
        return Fact("asked", questions, "Questions on file")
    latest = case.eligibility_decisions.filter(undone_at=None).order_by("-attempt").first()
    if latest is None:
        return Fact("asked", [], "")
    unknown = list(
        latest.findings.filter(answer=Answer.UNKNOWN).select_related("item").order_by("pk")
    )
    # What is asked about the whole application is not asked again about an item.
    whole = {one.fact for one in unknown if one.item is None}
    sentences = [
        _prefix_item_title(one, rules.REQUESTED[one.fact])
        for one in unknown
        if one.item is None or one.fact not in whole
    ]
    return Fact("asked", sentences, _decision_source(latest))


def _finding_facts(case: Case, result: EligibilityResult, proof: str) -> Iterable[Fact]:
    latest = case.eligibility_decisions.filter(undone_at=None).order_by("-attempt").first()
    if latest is None:
        return
    # An eligible case can have refused items, which get a notice of their own.
    refused = latest.refusals()
    # No facts at all: the letter is then refused, because its reason no longer holds.
    if latest.result != result and not (
        result == EligibilityResult.INELIGIBLE
        and latest.result == EligibilityResult.ELIGIBLE
        and refused
    ):
        return
    source = _decision_source(latest)
    yield Fact(proof, True, source)
    yield Fact("decided_on", _format_day(local_day(latest.decided_at)), source)
    if result == EligibilityResult.INELIGIBLE:
        # The sentences stored with the decision, so the letter says what was decided then.
        reasons = [_prefix_item_title(one, one.letter_sentence) for one in refused]
        yield Fact("reasons", list(dict.fromkeys(reasons)), source)


def _prefix_item_title(finding: EligibilityFinding, sentence: str) -> str:
    return f"{finding.item.title}: {sentence}" if finding.item else sentence


def _conversion_facts(case: Case) -> Iterable[Fact]:
    # The latest one, in case the review became expedited more than once.
    event = case.events.filter(kind=Event.Kind.CONVERTED).order_by("pk").last()
    if event is None or case.priority != Priority.EXPEDITED:
        return
    source = f"Conversion of {_format_day(local_day(event.happened_at))}"
    yield Fact("made_expedited", True, source)
    yield Fact("converted_on", _format_day(local_day(event.happened_at)), source)
    yield Fact("certified_by", event.facts.get("certified_by", ""), source)


def _item_change_facts(case: Case) -> Iterable[Fact]:
    kinds = [Event.Kind.ITEM_CHANGED, Event.Kind.SPLIT]
    ids = select_decided_case_ids(case)
    event = Event.objects.filter(case__in=ids, kind__in=kinds).order_by("pk").last()
    # A proof fact: without an accepted change and a notice there is nothing to correct.
    if event is not None and case.notices.filter(round=case.round).exists():
        yield Fact("items_changed", True, f"Change of {_format_day(local_day(event.happened_at))}")


def _reminder_facts(draft: CaseLetter, *, at: datetime) -> Iterable[Fact]:
    case = draft.case
    running = Deadline.objects.filter(
        case=case,
        round=case.round,
        deadline_kind__in=("records", "records_expedited"),
        replaced_at__isnull=True,
        # A deadline that was met needs no reminder.
        met_at__isnull=True,
    )
    deadline = running.order_by("due_on").first()
    notice = case.notices.filter(
        round=case.round, party__role=PartyRole.CLAIMS_ADMINISTRATOR, sent_on__isnull=False
    ).first()
    if deadline is not None and deadline.due_on and case.stage == Status.NOTICE_SENT:
        yield Fact("records_due_on", _format_day(deadline.due_on), "Deadline of the records")
        if deadline.due_on < local_day(at):
            # A proof fact: without it the reminder, which speaks of overdue records, is refused.
            yield Fact("records_owed", True, "Deadline of the records")
    if notice is not None:
        yield Fact("notice_sent_on", _format_day(notice.sent_on), "Notice of assignment")
    yield Fact("records_missing", list(draft.points), "Draft")


def _ending_facts(case: Case) -> Iterable[Fact]:
    ended = _list_ended_items(case)
    # Items can end on several days; the review has ended with the last one.
    last = max((one.ended_at for one in ended if one.ended_at), default=None)
    if last is None:
        return
    yield Fact("ended", True, "Disputed items")
    yield Fact("ended_on", _format_day(local_day(last)), "Disputed items")
    # How each item ended is printed only if that differs by item.
    differ = len({one.ending for one in ended}) > 1
    titles = [
        f"{one.title} ({_ENDED[DisputedItem.Ending(one.ending)]})" if differ else one.title
        for one in ended
    ]
    yield Fact("ended_items", titles, "Disputed items")


def _list_ended_items(case: Case) -> list[DisputedItem]:
    """Return the items whose review ended without a decision, in order."""
    return list(case.items.filter(ending__in=tuple(_ENDED)).order_by("position"))


def _decision_source(decision: EligibilityDecision) -> str:
    return f"Eligibility decision {decision.attempt}"


def _format_day(value: object) -> str:
    return f"{value:%m/%d/%Y}" if value else ""


def _repair_url(draft: CaseLetter, sentence: str) -> str:
    """Return the page for correcting the fact that a sentence names; empty for the draft itself.

    The refusals of ``letters`` end with the name of the fact in parentheses.
    """
    number = draft.case.number
    named = _NAMED_FACT.findall(sentence)
    # The most specific page first; the case page corrects everything else.
    if _PARTIES & set(named):
        return reverse("cases:parties", args=[number])
    if {"reasons", "decided_on", "found_ineligible", "found_deferred"} & set(named):
        return reverse("eligibility:eligibility", args=[number])
    if {"notice_sent_on", "records_due_on", "records_owed"} & set(named):
        return reverse("correspondence:notices", args=[number])
    return "" if "asked" in named else draft.case.get_absolute_url()
