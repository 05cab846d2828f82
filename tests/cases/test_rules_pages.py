"""The pages that keep the rules of deadlines."""

from datetime import date, time, timedelta

import pytest
from django.urls import reverse

from accounts.roles import Role
from cases.services import case_deadlines
from deadlines.forms import SupersedeForm
from deadlines.models import DeadlineRule
from tests.factories import MONDAY, eligible_case, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def rule():
    return DeadlineRule.objects.get(deadline_kind="noarfi")


@pytest.fixture
def director(client):
    user = person(Role.DIRECTOR)
    client.force_login(user)
    return user


def url(name, rule=None):
    return reverse(f"cases:{name}", args=[rule.pk] if rule else [])


def new_row(rule, **changes):
    return {
        "effective_from": "01/02/2013",
        "length": "9",
        "kind": rule.kind,
        "calendar": rule.calendar,
        "roll": rule.roll,
        "source": "8 CCR, as amended",
        "why": "Amended",
        "version": rule.version,
    } | changes


def test_every_row_is_listed_with_its_source_and_whether_it_is_confirmed(client, director, rule):
    page = client.get(url("deadline_rules")).content.decode()

    assert url("deadline_rule", rule) in page
    assert rule.source in page
    assert "Unconfirmed" in page


def test_every_row_has_a_page(client, director):
    assert {
        client.get(url("deadline_rule", row)).status_code for row in DeadlineRule.objects.all()
    } == {200}


def test_a_row_is_confirmed_on_its_page_and_the_history_shows_it(client, director, rule):
    sent = {"compared_with": "The register", "on": "t", "version": rule.version}
    client.post(url("confirm_deadline_rule", rule), sent)

    page = client.get(url("deadline_rule", rule)).content.decode()
    assert "Compared with The register" in page
    assert "Confirm rule" not in page


def test_an_error_is_shown_beside_its_field_and_typed_text_is_kept(client, director, rule):
    answer = client.post(url("supersede_deadline_rule", rule), new_row(rule, why="", length="77"))

    assert answer.status_code == 422
    assert "Say why." in answer.content.decode()
    assert 'value="77"' in answer.content.decode()


def test_nothing_is_stored_before_its_effect_was_shown(client, director, rule):
    case = eligible_case()
    before = case_deadlines.find_due_date(case, "noarfi")

    shown = client.post(url("supersede_deadline_rule", rule), new_row(rule))

    assert "1 date would change." in shown.content.decode()
    assert case.number in shown.content.decode()
    assert DeadlineRule.objects.filter(deadline_kind="noarfi").count() == 1
    key = shown.context["shown"]

    other = client.post(url("supersede_deadline_rule", rule), new_row(rule, length="8", shown=key))
    assert other.status_code == 200
    assert DeadlineRule.objects.filter(deadline_kind="noarfi").count() == 1

    assert (
        client.post(url("supersede_deadline_rule", rule), new_row(rule, shown=key)).status_code
        == 302
    )
    assert DeadlineRule.objects.filter(deadline_kind="noarfi", length=9).exists()
    assert case_deadlines.find_due_date(case, "noarfi") == before

    client.post(url("recalculate_dates"), {"why": "Amended"})
    assert case_deadlines.find_due_date(case, "noarfi") > before
    assert "No date would change." in client.get(url("recalculate_dates")).content.decode()


def test_a_day_outside_the_row_is_refused_naming_both(client, director, rule):
    answer = client.post(
        url("supersede_deadline_rule", rule), new_row(rule, effective_from="06/01/2012")
    )

    assert answer.status_code == 422
    assert str(rule) in answer.context["form"].non_field_errors()[0]


def test_a_stale_form_is_409_and_stores_nothing(client, director, rule):
    sent = {"compared_with": "The register", "on": "t", "version": "0"}
    answer = client.post(url("confirm_deadline_rule", rule), sent)

    assert answer.status_code == 409
    assert "The register" in answer.content.decode()
    rule.refresh_from_db()
    assert not rule.is_confirmed


def test_the_pages_are_closed_to_other_roles(client, rule):
    client.force_login(person(Role.COORDINATOR))

    assert client.get(url("deadline_rules")).status_code == 403
    assert client.post(url("confirm_deadline_rule", rule)).status_code == 403
    assert client.post(url("recalculate_dates"), {"why": "x"}).status_code == 403


# --- several rules at once ------------------------------------------------------------------------


def confirm_several(client, rules, **changes):
    sent = {
        "rows": [f"{rule.pk}-{rule.version}" for rule in rules],
        "compared_with": "The register",
        "on": "t",
    }
    return client.post(url("confirm_deadline_rules"), sent | changes)


def test_several_rules_are_confirmed_at_once(client, director):
    rules = list(DeadlineRule.objects.filter(deadline_kind__in=["noarfi", "petition"]))
    assert len(rules) == 3

    assert confirm_several(client, rules).status_code == 302

    for rule in rules:
        rule.refresh_from_db()
        assert rule.confirmed_by == director
        assert "Compared with The register" in rule.history.latest().history_change_reason


def test_rules_are_confirmed_together_or_not_at_all(client, director, rule):
    other = DeadlineRule.objects.get(deadline_kind="screening")
    confirm_several(client, [other])

    answer = confirm_several(client, [rule, other], compared_with="The register of 2026")

    assert answer.status_code == 409
    assert "The register of 2026" in answer.content.decode()
    rule.refresh_from_db()
    assert not rule.is_confirmed


def test_no_selection_is_refused_and_typed_text_is_kept(client, director):
    answer = confirm_several(client, [], compared_with="The register of 2026")

    assert answer.status_code == 422
    assert "Select at least one row." in answer.content.decode()
    assert "The register of 2026" in answer.content.decode()


# --- everything that a rule says ------------------------------------------------------------------


def unchanged(rule, **changes):
    """The form of a rule as the page sends it: nothing is changed but the days and the reason."""
    form = SupersedeForm(rule=rule, reasons={}, today=MONDAY.date())
    sent = {}
    for field in form:
        value = field.value()
        if value is True:
            sent[field.name] = "on"
        elif value is not None and value is not False:
            shown = field.field.widget.format_value(value)  # a list for a selection
            sent[field.name] = shown[0] if isinstance(shown, list) else shown
    begins = rule.effective_from + timedelta(days=1)
    days = {"effective_from": f"{begins:%m/%d/%Y}", "why": "Amended", "version": rule.version}
    return {name: value for name, value in (sent | days | changes).items() if value is not None}


def form_values(client, rule):
    """The values of the form to replace a rule."""
    return client.get(url("deadline_rule", rule)).context["supersede"].initial


def replace(client, rule, **changes):
    """Preview and store; returns the new row."""
    address = url("supersede_deadline_rule", rule)
    shown = client.post(address, unchanged(rule, **changes))
    assert shown.status_code == 200, shown.context["form"].errors
    key = shown.context["shown"]
    answer = client.post(address, unchanged(rule, shown=key, **changes))
    assert answer.status_code == 302
    return DeadlineRule.objects.get(pk=answer.url.strip("/").rpartition("/")[2])


def test_a_form_without_changes_keeps_everything_that_any_rule_says(client, director):
    for rule in DeadlineRule.objects.all():
        amount = {"usd_per_day": "1"} if rule.lacks_amount else {}
        form = SupersedeForm(unchanged(rule, **amount), rule=rule, reasons={}, today=MONDAY.date())
        assert form.is_valid(), (rule, form.errors)
        for name, value in form.terms().items():
            if name not in amount:
                assert value == getattr(rule, name), (rule, name)


def test_the_days_for_the_way_of_service_are_replaced(client, director):
    rule = DeadlineRule.objects.get(deadline_kind="application")

    new = replace(
        client,
        rule,
        extension_mail_ca="6",
        extension_source_mail_ca="CCP 1013, as amended",
        extension_unit_express=None,
        extension_disputed_fax=None,
        extension_electronic=None,
    )

    was = rule.extensions
    assert new.extensions == {
        **{way: row for way, row in was.items() if way != "electronic"},
        "mail_ca": was["mail_ca"] | {"days": 6, "source": "CCP 1013, as amended"},
        "express": was["express"] | {"court_days": False},
        "fax": was["fax"] | {"disputed": False},
    }
    assert new.legal_holds == rule.legal_holds
    page = client.get(url("deadline_rule", new)).content.decode()
    assert "6 days more" in page
    assert "2 court days more" not in page.split("Served by express mail")[1].split("</dd>")[0]


def test_the_receipt_of_a_request_is_replaced(client, director):
    rule = DeadlineRule.objects.get(deadline_kind="ur_decision", effective_to=None)

    new = replace(
        client, rule, cutoff="16:00", outer_days="21", deemed_mail_ca="3", deemed_mail_us=None
    )

    assert (new.cutoff, new.outer_days) == (time(16), 21)
    assert new.deemed_received == {"mail_ca": 3}
    page = client.get(url("deadline_rule", new)).content.decode()
    assert (
        "By fax after 4:00 PM: counts as received on the next open day; not for concurrent or "
        "expedited reviews" in page
    )
    assert "Never later than 21 days after the recommendation" in page
    assert "Counts as received 3 days after posting" in page
    assert "The law defines which days count" in page

    none = replace(client, new, cutoff=None, outer_days=None, defines_calendar=None)
    assert (none.cutoff, none.outer_days, none.defines_calendar) == (None, None, False)


def test_calendar_days_are_replaced_by_business_days(client, director):
    rule = DeadlineRule.objects.get(deadline_kind="determination_regular")

    new = replace(
        client, rule, kind="BUSINESS", length="20", calendar="office", roll="NONE",
        hold_days_EXTENSION="5", hold_source_EXTENSION="LC 4610.6(d)(2), as amended",
    )  # fmt: skip

    assert (new.kind, new.length, new.calendar, new.roll) == ("BUSINESS", 20, "office", "NONE")
    assert new.legal_holds["EXTENSION"]["max_days"] == 5
    page = client.get(url("deadline_rule", new)).content.decode()
    assert "20 business days; State office closures" in page
    assert "at most 5 days" in page


def test_the_amounts_of_the_penalty_are_added_when_they_are_known(client, director):
    rule = DeadlineRule.objects.get(deadline_kind="records_penalty", effective_to=None)
    page = client.get(url("deadline_rule", rule)).content.decode()
    assert "Amount not on file" in page
    assert "If the last day is closed" not in page
    assert "Amount not on file" in client.get(url("deadline_rules")).content.decode()

    first_day = {"effective_from": "04/01/2026"}
    assert form_values(client, rule)["effective_from"] == date(2026, 4, 1)
    new = replace(client, rule, usd_per_day="750", usd_limit="7500", **first_day)

    # The row was incomplete, so it is completed from its first day and keeps its earlier version.
    assert new.pk == rule.pk
    assert (new.usd_per_day, new.usd_limit) == (750, 7500)
    assert new.effective_from == date(2026, 4, 1)
    assert [one.usd_per_day for one in new.history.order_by("history_id")] == [None, 750]
    page = client.get(url("deadline_rule", new)).content.decode()
    assert "$750 for each day late, up to $7,500" in page

    # A row with an amount is replaced from a later day on, like every other row.
    again = client.post(
        url("supersede_deadline_rule", new), unchanged(new, usd_per_day="800", **first_day)
    )
    assert again.status_code == 422
    later = replace(client, new, usd_per_day="800", usd_limit=None)
    assert later.pk != new.pk
    page = client.get(url("deadline_rule", later)).content.decode()
    assert "$800 for each day late, with no limit" in page


def test_a_penalty_without_an_amount_is_refused_beside_its_field(client, director):
    rule = DeadlineRule.objects.get(deadline_kind="records_penalty", effective_to=None)
    answer = client.post(url("supersede_deadline_rule", rule), unchanged(rule))

    assert answer.status_code == 422
    assert answer.context["form"].errors["usd_per_day"] == ["Enter the amount."]


def test_days_added_by_the_address_are_shown(client, director):
    rule = DeadlineRule.objects.get(deadline_kind="petition", effective_to=None)
    page = client.get(url("deadline_rule", rule)).content.decode()

    assert "By the address of the person served, for every way of service except in hand" in page
    assert "Address in another state" in page


def test_disputed_days_are_shown(client, director):
    rule = DeadlineRule.objects.get(deadline_kind="application")

    assert "2 court days more, disputed" in client.get(url("deadline_rule", rule)).content.decode()


@pytest.mark.parametrize(
    ("deadline_kind", "changes", "field"),
    [
        ("noarfi", {"calendar": None}, "calendar"),
        ("records_expedited", {"roll": "FORWARD", "calendar": "office"}, "roll"),
        ("petition", {"extension_mail_us": None}, "extension_mail_us"),
        (
            "records",
            dict.fromkeys(("length_mail_ca", "length_mail_us", "length_electronic")),
            "length_in_hand",
        ),
        ("ur_decision", {"cutoff": "late"}, "cutoff"),
    ],
)
def test_terms_that_contradict_are_refused_beside_their_field(
    client, director, deadline_kind, changes, field
):
    rule = DeadlineRule.objects.get(deadline_kind=deadline_kind, effective_to=None)

    answer = client.post(url("supersede_deadline_rule", rule), unchanged(rule, **changes))

    assert answer.status_code == 422
    assert [*answer.context["form"].errors] == [field]
    assert DeadlineRule.objects.filter(deadline_kind=deadline_kind, effective_to=None).get() == rule
