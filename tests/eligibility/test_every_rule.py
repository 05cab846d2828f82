"""The rules of eligibility: what each says of stored facts, and that what is unknown stays so."""

from dataclasses import fields, replace
from datetime import date, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cases.models import ServiceMethod
from deadlines.shipped_rules import RULES, default_calendars
from eligibility import rules
from eligibility.rules import EarlierCase, StoredFacts, StoredItemFacts, propose_answers

CALENDARS = default_calendars()
SERVED = date(2026, 2, 12)
COMPLETE = StoredFacts(
    items=(StoredItemFacts(1, "Cervical epidural steroid injection", ur_outcome="DENIED"),),
    signed_by="EMPLOYEE",
    signed_on=date(2026, 2, 20),
    received_on=date(2026, 3, 2),
    requested_on=date(2026, 2, 6),
    decided_on=SERVED,
    served_on=SERVED,
    service_method="mail_ca",
    date_of_injury=date(2024, 2, 11),
    ur_attached=True,
    liability_disputed=False,
)


def propose_with(**changes):
    return propose_answers(replace(COMPLETE, **changes), rules=RULES, calendars=CALENDARS)


def make_item(position=1, **changes):
    return StoredItemFacts(
        position, f"Treatment {position}", **({"ur_outcome": "DENIED"} | changes)
    )


def test_a_complete_application_is_proposed_as_eligible():
    found = propose_with()
    assert set(found.answers.values()) == {"YES"}
    assert found.conclusion.result == "ELIGIBLE"
    assert found.flags == []


@pytest.mark.capability("EL-1")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"signed_by": ""}, "I-UNSIGNED"),
        ({"received_on": date(2026, 4, 1)}, "I-LATE"),
        ({"ur_attached": False}, "I-NOUR"),
        ({"other_decision": ("claim number",)}, "I-NOUR"),
        ({"items": (make_item(ur_outcome="CONDITIONAL"),)}, "I-CNC"),
        ({"items": (make_item(earlier=(EarlierCase("CM26-1", True, True),)),)}, "I-DUP"),
        ({"items": (make_item(earlier=(EarlierCase("CM26-1", True),)),)}, "I-PRIOR"),
        ({"liability_disputed": True}, "I-LIAB"),
        ({"items": (make_item(ur_outcome="APPROVED"),)}, "I-NOTINUR"),
        ({"items": (make_item(ur_outcome="NOT_IN"),)}, "I-NOTINUR"),
        ({"items": (make_item(ending="AUTHORIZED"),)}, "I-AUTH"),
        (
            {"date_of_injury": date(2012, 5, 1), "decided_on": date(2013, 6, 30)},
            "I-SCOPE",
        ),
        ({"signed_by": "REPRESENTATIVE", "designated_on": date(2026, 2, 11)}, "I-PARTY"),
        ({"items": (make_item(ur_outcome="AMOUNT"),)}, "I-BILL"),
        ({"items": (make_item(ending="WITHDRAWN"),)}, "I-WITHDRAWN"),
    ],
)
def test_each_reason_has_its_code_its_source_and_its_sentence_for_the_letter(changes, code):
    found = propose_with(**changes)
    (verdict,) = [one for one in found.verdicts if one.answer == "NO" and one.fact]
    assert (verdict.code, verdict.code in rules.CODES[verdict.fact]) == (code, True)
    assert verdict.source
    assert verdict.sentence.endswith(".")
    assert verdict.letter_sentence.endswith(".")
    assert code not in verdict.letter_sentence
    assert verdict.used
    assert all(used.name and used.value and used.source for used in verdict.used)
    assert code in found.conclusion.reasons


def test_disputed_liability_defers_the_case_and_does_not_refuse_it():
    assert propose_with(liability_disputed=True).conclusion.result == "DEFERRED"
    assert propose_with(liability_disputed=True, signed_by="").conclusion.result == "INELIGIBLE"


def test_a_missing_required_field_is_asked_for_and_refuses_no_one():
    found = propose_with(missing_fields=("the claim number",))
    assert found.answers["SIGNED"] == "UNKNOWN"
    assert "the claim number" in found.governing("SIGNED").missing
    assert found.conclusion.result == "INCOMPLETE"


@pytest.mark.parametrize(
    ("designated_on", "answer"),
    [(None, "UNKNOWN"), (SERVED - timedelta(days=1), "NO"), (SERVED, "YES")],
)
def test_a_designation_from_before_the_ur_decision_is_void(designated_on, answer):
    found = propose_with(signed_by="REPRESENTATIVE", designated_on=designated_on)
    assert found.answers["SIGNED"] == answer


def test_a_provider_may_ask_for_treatment_given_in_an_emergency():
    assert propose_with(signed_by="PROVIDER").answers["SIGNED"] == "UNKNOWN"
    given_already = propose_with(signed_by="PROVIDER", items=(make_item(was_given=True),))
    assert given_already.answers["SIGNED"] == "YES"


def test_an_attorney_has_to_be_the_employees():
    assert propose_with(signed_by="ATTORNEY", attorney_named=True).answers["SIGNED"] == "YES"
    assert propose_with(signed_by="ATTORNEY").answers["SIGNED"] == "UNKNOWN"


def test_a_missing_ur_decision_could_be_cured_before_april_2014():
    old = {
        "decided_on": date(2014, 3, 3),
        "served_on": date(2014, 3, 3),
        "requested_on": None,
        "ur_attached": False,
    }
    assert propose_with(**old, received_on=date(2014, 3, 31)).answers["UR_ATTACHED"] == "UNKNOWN"
    assert propose_with(**old, received_on=date(2014, 4, 1)).answers["UR_ATTACHED"] == "NO"


@pytest.mark.capability("EL-2")
def test_lateness_is_computed_from_the_two_stored_dates():
    in_time, late = date(2026, 3, 19), date(2026, 3, 20)  # 30 days, and 5 for the mail
    assert propose_with(received_on=in_time).answers["TIMELY"] == "YES"
    found = propose_with(received_on=late)
    assert found.answers["TIMELY"] == "NO"
    letter = found.governing("TIMELY").letter_sentence
    assert "03/20/2026" in letter
    assert "03/19/2026" in letter


@pytest.mark.capability("EL-2")
def test_both_dates_are_named_where_calendars_disagree_and_a_person_decides():
    """The last day is the Friday after Thanksgiving: open on one calendar, closed on the other."""
    friday = date(2026, 11, 27)
    served = friday - timedelta(days=30)
    case = {"served_on": served, "decided_on": served, "service_method": "in_hand"}
    found = propose_with(**case, requested_on=None, received_on=date(2026, 11, 30))
    verdict = found.governing("TIMELY")
    assert verdict.answer == "UNKNOWN"
    assert verdict.dates == (friday, date(2026, 11, 30))
    assert "Fri, Nov 27, 2026" in verdict.sentence
    assert "Mon, Nov 30, 2026" in verdict.sentence


@pytest.mark.capability("EL-2")
@pytest.mark.parametrize("changes", [{"served_on": None}, {"service_method": ""}])
def test_an_application_without_a_stored_service_date_or_method_is_never_late(changes):
    found = propose_with(received_on=date(2027, 1, 4), **changes)
    assert found.answers["TIMELY"] == "UNKNOWN"
    assert found.governing("TIMELY").missing


@pytest.mark.capability("EL-6")
def test_the_new_period_counts_after_a_liability_dispute_is_resolved():
    late = {"received_on": date(2026, 6, 1), "liability_disputed": True}
    assert propose_with(**late).answers["TIMELY"] == "NO"
    after = {"liability_resolved_on": date(2026, 5, 20), "liability_notice_method": "mail_ca"}
    found = propose_with(**late, **after)
    assert (found.answers["TIMELY"], found.answers["LIABILITY_CLEAR"]) == ("YES", "YES")
    on_file = propose_with(received_on=date(2026, 3, 2), liability_disputed=True, **after)
    assert on_file.answers["TIMELY"] == "YES"


def test_a_late_ur_decision_is_flagged_and_decides_nothing():
    found = propose_with(requested_on=date(2026, 1, 2))
    (flag,) = found.flags
    assert flag.code == "I-UNTIMELYUR"
    assert "WCAB" in flag.sentence
    assert found.conclusion.result == "ELIGIBLE"


def test_an_ineligible_item_leaves_the_others_open():
    items = (make_item(1), make_item(2, ur_outcome="APPROVED"), make_item(3, ur_outcome="MODIFIED"))
    found = propose_with(items=items)
    assert found.conclusion.result == "ELIGIBLE"
    assert found.conclusion.ineligible_items == {2: ("I-NOTINUR",)}
    assert "Item 2 is ineligible. The utilization" in found.conclusion.sentence


def test_the_application_is_ineligible_when_its_last_item_is():
    items = (
        make_item(1, ur_outcome="APPROVED"),
        make_item(2, earlier=(EarlierCase("CM26-1", True),)),
    )
    found = propose_with(items=items)
    assert found.conclusion.result == "INELIGIBLE"
    assert found.conclusion.reasons == ("I-NOTINUR", "I-PRIOR")


def test_similarity_alone_is_a_question_and_not_a_refusal():
    found = propose_with(items=(make_item(earlier=(EarlierCase("CM25-7", False),)),))
    assert found.answers["NOT_DECIDED"] == "UNKNOWN"
    assert "CM25-7" in found.governing("NOT_DECIDED", 1).missing


days = st.none() | st.dates(date(2013, 1, 1), date(2030, 1, 1))
facts = st.builds(
    StoredFacts,
    items=st.lists(
        st.builds(
            StoredItemFacts,
            position=st.integers(1, 9),
            title=st.just("Brace"),
            ur_outcome=st.sampled_from(
                ["", "DENIED", "MODIFIED", "APPROVED", "AMOUNT", "CONDITIONAL", "NOT_IN"]
            ),
            was_given=st.booleans(),
            earlier=st.lists(
                st.builds(EarlierCase, st.just("CM26-1"), st.booleans(), st.booleans()), max_size=2
            ).map(tuple),
        ),
        min_size=1,
        max_size=4,
        unique_by=lambda one: one.position,
    ),
    signed_by=st.sampled_from([None, "", "EMPLOYEE", "ATTORNEY", "REPRESENTATIVE", "PROVIDER"]),
    attorney_named=st.booleans(),
    designated_on=days,
    missing_fields=st.sampled_from([(), ("the claim number",)]),
    received_on=days,
    formulary=st.booleans(),
    requested_on=days,
    rfa_facts=st.sampled_from([{}, {"method": "fax", "concurrent": False}]),
    decided_on=days,
    served_on=days,
    service_method=st.sampled_from(["", "in_hand", "mail_ca", "mail_us", "fax", "electronic"]),
    date_of_injury=st.none() | st.dates(date(2009, 1, 1), date(2030, 1, 1)),
    injury_last_day=st.none() | st.dates(date(2009, 1, 1), date(2030, 1, 1)),
    ur_attached=st.sampled_from([None, True, False]),
    liability_disputed=st.sampled_from([None, True, False]),
    liability_resolved_on=days,
    liability_notice_method=st.sampled_from(["", "mail_ca", "in_hand"]),
)
WHAT_A_RULE_NEEDS = {
    "received_on": "TIMELY",
    "served_on": "TIMELY",
    "ur_attached": "UR_ATTACHED",
    "signed_by": "SIGNED",
    "liability_disputed": "LIABILITY_CLEAR",
}


@pytest.mark.capability("EL-3")
@settings(max_examples=300, deadline=None)
@given(facts)
def test_every_answer_is_yes_no_or_unknown_and_unknown_names_the_missing_fact(known):
    found = propose_answers(known, rules=RULES, calendars=CALENDARS)
    for verdict in found.verdicts:
        assert verdict.answer in {"YES", "NO", "UNKNOWN"}
        assert bool(verdict.missing) is (verdict.answer == "UNKNOWN")
        assert bool(verdict.code) is (verdict.answer == "NO")
    if found.conclusion.result == "ELIGIBLE":
        assert set(found.answers.values()) == {"YES"}


@pytest.mark.capability("EL-3")
@settings(max_examples=300, deadline=None)
@given(facts, st.sampled_from(sorted(WHAT_A_RULE_NEEDS)))
@example(
    # Served on the day of the notice about liability, and before the decision.
    StoredFacts(
        items=[],
        served_on=date(2013, 1, 1),
        decided_on=date(2013, 1, 2),
        received_on=date(2014, 1, 1),
        liability_resolved_on=date(2013, 1, 1),
        liability_notice_method="mail_ca",
    ),
    "served_on",
)
def test_removing_a_fact_never_turns_an_answer_into_no(known, name):
    """What is not known is UNKNOWN; a NO rests on facts that are there."""
    fact = WHAT_A_RULE_NEEDS[name]
    before = propose_answers(known, rules=RULES, calendars=CALENDARS).answers[fact]
    less = replace(known, **{name: None})
    after = propose_answers(less, rules=RULES, calendars=CALENDARS).answers[fact]
    assert after != "NO" or before == "NO"


@pytest.mark.capability("EL-3")
@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(rules.FACTS), st.sampled_from(["YES", "UNKNOWN"])))
def test_unknown_answers_of_a_person_never_make_a_case_ineligible(answers):
    found = rules.weigh_item_answers(answers, {1: {}, 2: {}})
    assert found.result in {"ELIGIBLE", "INCOMPLETE"}
    assert (found.reasons, dict(found.ineligible_items)) == ((), {})


@pytest.mark.parametrize(
    ("first", "last", "answer"),
    [
        (date(2013, 1, 1), date(2014, 3, 12), "YES"),
        # The day of Labor Code 5412 may be in 2013 or later in both of these.
        (date(2009, 1, 5), date(2014, 3, 12), "UNKNOWN"),
        (date(2009, 1, 5), date(2012, 3, 12), "UNKNOWN"),
    ],
)
def test_imr_covers_a_cumulative_injury_by_its_first_day_or_asks_for_the_day_of_law(
    first, last, answer
):
    found = propose_with(
        date_of_injury=first, injury_last_day=last, decided_on=date(2013, 6, 28), served_on=None
    )
    scope = next(
        one for one in found.verdicts if any(used.name == "Date of injury" for used in one.used)
    )
    assert scope.answer == answer
    assert scope.used[0].value == f"CT {first:%m/%d/%Y} – {last:%m/%d/%Y}"
    assert ("5412" in scope.missing) is (answer == "UNKNOWN")


@pytest.mark.parametrize("method", ["", *ServiceMethod.values])
def test_the_method_of_service_is_shown_in_the_words_of_the_form(method):
    shown = [
        used.value.lower()
        for one in propose_with(service_method=method).verdicts
        for used in one.used
        if used.name == "Served by"
    ]
    assert shown == [ServiceMethod(method).label.lower() if method else "not stated"]


def test_the_strategy_covers_every_fact_that_a_rule_reads():
    left_out = {"signed_on", "other_decision", "liability_reason"}
    assert {one.name for one in fields(StoredFacts)} - left_out == set(
        facts.wrapped_strategy.kwargs
    )


def test_every_coded_reason_has_its_sentence_for_the_letter():
    coded = {code for codes in rules.CODES.values() for code in codes}
    assert coded <= set(rules.LETTER_SENTENCES)
