"""Cases that are screened: they end early, change, or wait for others."""

from datetime import date

from accounts.roles import Role
from cases.models import PartyRole
from cases.services import calls, endings, item_changes, notes, parties
from cases.services.parties import PartyOnForm
from eligibility.services import clear_cases, information, screening, splitting, ur_decision
from intake.services import receiving
from intake.services.receiving import ItemOnForm
from notices import services as notice_services
from notices.models import Notice
from tests.factories import MONDAY, SIX_YES, application, person


def ends_early(walk, clerk, coordinator):
    """Cases that never reach a reviewer."""

    def received(**changes):
        form = application(received_at=MONDAY, **changes)
        return walk.act(receiving.receive_application, by=clerk, application=form)

    def decide(case, **answers):
        walk.act(
            screening.decide_eligibility,
            by=coordinator,
            case_id=case.pk,
            answers=SIX_YES | answers,
            notes=dict.fromkeys(answers, "Read on the paper."),
            seen_version=None,
        )

    lead = received(claim_number="06-1", items=[ItemOnForm("Brace"), ItemOnForm("Norco")])
    duplicate = received(claim_number="06-1")
    walk.act(
        endings.terminate_items,
        by=coordinator,
        case_id=lead.pk,
        item_ids=[lead.items.get(position=1).pk],
        reason="Authorized.",
    )
    walk.act(endings.withdraw_case, by=coordinator, case_id=lead.pk, reason="A letter.")
    walk.act(endings.close_case, by=coordinator, case_id=lead.pk, reason="Done.")
    walk.undo(endings.undo_close_case, by=coordinator, case=lead)
    walk.act(endings.close_case, by=coordinator, case_id=lead.pk, reason="Done.")
    walk.act(
        screening.screen_case_again, by=coordinator, case_id=duplicate.pk, reason="Lead closed."
    )
    decide(duplicate, TIMELY="UNKNOWN")
    decide(duplicate, SIGNED="NO")
    walk.act(endings.close_case, by=coordinator, case_id=duplicate.pk, reason="Done.")
    note = walk.act(notes.add_note, by=clerk, case_id=lead.pk, text="The adjuster called.")
    walk.act(notes.correct_note, by=clerk, event_id=note.pk, text="The attorney called.")
    spoken = calls.CallFacts("MADE", None, "Jo Marsh", "", MONDAY, "The notice is on its way.")
    call = walk.act(calls.log_call, by=clerk, case_id=lead.pk, facts=spoken)
    walk.act(calls.correct_call, by=clerk, call_id=call.pk, facts=spoken)
    mention = f"Call them, @{coordinator.email.partition('@')[0]}."
    asked = walk.act(notes.add_note, by=clerk, case_id=lead.pk, text=mention)
    walk.act(notes.answer_note, by=coordinator, event_id=asked.pk, text="Done.")
    answer = Notice.objects.get(addressee=clerk)
    walk.act(notice_services.mark_read, by=clerk, notice_id=answer.pk)
    walk.act(notice_services.mark_all_read, by=coordinator)


def changes_after_acceptance(walk, clerk, coordinator):
    """Parties and items of a case that was found eligible."""
    form = application(received_at=MONDAY, items=[ItemOnForm("Brace"), ItemOnForm("Norco")])
    case = walk.act(receiving.receive_application, by=clerk, application=form)
    walk.act(
        screening.decide_eligibility,
        by=coordinator,
        case_id=case.pk,
        answers=SIX_YES,
        notes={},
        seen_version=None,
    )
    fields = {"case_id": case.pk, "why": "A letter.", "by": coordinator}
    maker = PartyOnForm(role=PartyRole.MANUFACTURER, name="Helix Devices")
    joined = walk.act(
        parties.add_party_to_case, party=maker, since=None, item_id=case.items.first().pk, **fields
    )
    moved = walk.act(
        parties.change_party_details,
        party_id=joined.pk,
        details=parties.PartyDetails(name="Helix Devices Inc", address="1 Quay St"),
        since=date(2026, 3, 2),
        **fields,
    )
    walk.act(parties.end_party_role, party_id=moved.pk, last_day=date(2026, 3, 2), **fields)
    brace, norco = case.items.order_by("position")
    asked = [
        walk.act(item_changes.propose_item, facts=item_changes.ItemValues("Massage"), **fields),
        walk.act(
            item_changes.propose_item_change,
            by=clerk,
            item_id=brace.pk,
            facts=item_changes.ItemValues("Lumbar brace"),
            seen_version=None,
            why="A letter.",
        ),
        walk.act(
            item_changes.propose_item_withdrawal,
            by=clerk,
            item_id=norco.pk,
            seen_version=None,
            why="A letter.",
        ),
    ]
    supervisor = person(Role.SUPERVISOR)
    walk.act(
        item_changes.refuse_item_change,
        by=supervisor,
        change_id=asked[0].pk,
        reason="Not on the form.",
    )
    for change in asked[1:]:
        walk.act(item_changes.accept_item_change, by=coordinator, change_id=change.pk)


def waits_for_others(walk, clerk, coordinator):
    """A case that is compared with its UR decision, asked about, deferred and taken up again."""
    case = walk.act(
        receiving.receive_application, by=clerk, application=application(received_at=MONDAY)
    )
    item = case.items.get()
    as_read = ur_decision.DecisionReading(employee="Marisol Quintana", items=["Norco"])
    walk.act(
        ur_decision.record_ur_reading,
        by=coordinator,
        case_id=case.pk,
        as_read=as_read,
        outcomes={item.pk: "DENIED"},
    )
    listed = [one.difference.key for one in ur_decision.list_differences(case)]
    walk.act(
        ur_decision.answer_differences,
        by=coordinator,
        case_id=case.pk,
        answers=dict.fromkeys(listed, "TYPING_ERROR"),
        notes={},
    )
    asked = walk.act(
        information.ask_information,
        by=coordinator,
        case_id=case.pk,
        party_id=case.parties.get(role="EMPLOYEE").pk,
        facts=["SIGNED"],
        question="Who signed?",
        received_on=MONDAY.date(),
    )
    walk.act(
        information.record_party_answer,
        by=coordinator,
        request_id=asked.pk,
        answer="I did.",
        answered_on=MONDAY.date(),
    )
    walk.act(
        screening.decide_eligibility,
        by=coordinator,
        case_id=case.pk,
        answers=SIX_YES | {"LIABILITY_CLEAR": "NO"},
        notes={"LIABILITY_CLEAR": "A letter of the administrator."},
        seen_version=None,
    )
    walk.act(
        information.resolve_liability,
        by=coordinator,
        case_id=case.pk,
        notice_on=MONDAY.date(),
        method="mail_ca",
        how="Accepted.",
    )


def split_and_merge(walk, clerk, coordinator):
    """Liability is disputed for one item, and then it was the wrong item."""
    form = application(
        received_at=MONDAY,
        claim_number="06-777",
        items=[ItemOnForm("Lumbar brace"), ItemOnForm("Walker")],
    )
    case = walk.act(receiving.receive_application, by=clerk, application=form)
    new = walk.act(
        splitting.split_case,
        by=coordinator,
        case_id=case.pk,
        item_ids=[case.items.get(position=2).pk],
        reason="Not accepted.",
    )
    walk.act(splitting.merge_split_case, by=coordinator, case_id=new.pk, reason="The other item.")


def clear_at_once(walk, clerk, coordinator):
    """Cases whose UR decision agrees: decided with the reading, accepted alone, and in bulk."""

    def received(number):
        form = application(received_at=MONDAY, claim_number=f"06-9{number}")
        return walk.act(receiving.receive_application, by=clerk, application=form)

    def keyed(case):
        item = case.items.get()
        as_read = ur_decision.DecisionReading(employee="Marisol Quintanar", items=[item.title])
        return ur_decision.KeyedDecision(as_read, {item.pk: "DENIED"})

    together, alone, ticked = (received(number) for number in range(3))
    walk.act(
        screening.read_and_decide,
        by=coordinator,
        case_id=together.pk,
        keyed=keyed(together),
        difference_answers={},
        difference_notes={},
        seen_version=None,
        answers=SIX_YES | {"NECESSITY": "READ"},
        notes={},
    )
    for case in (alone, ticked):
        walk.act(
            ur_decision.record_ur_reading,
            by=coordinator,
            case_id=case.pk,
            as_read=keyed(case).as_read,
            outcomes=keyed(case).outcomes,
        )
        case.refresh_from_db()
    walk.act(
        screening.accept_proposal, by=coordinator, case_id=alone.pk, seen_version=alone.version
    )
    pairs = [(ticked.pk, ticked.version)]
    walk.act(clear_cases.accept_clear_cases, by=coordinator, seen_versions=pairs)
