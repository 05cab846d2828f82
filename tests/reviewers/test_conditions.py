"""The map by condition: a diagnosis on paper is recognized, and decides who may answer for it."""

import pytest
from django.core.exceptions import ValidationError
from django.db.models import Q
from hypothesis import given
from hypothesis import strategies as st

from accounts.roles import Role
from intake.services.receiving import ItemOnForm
from reviewers.matching.specialty_map import KnownCondition, find_conditions
from reviewers.models import Condition, SpecialtyFit
from tests.factories import person
from tests.reviewers.factories import (
    PANEL_ENTERED,
    fit_reviewer,
    get_category,
    get_specialty,
    offered_case,
    panel_seeds,
    ready_case,
)
from tests.reviewers.test_requirements import map_refusals, result_for

pytestmark = pytest.mark.django_db

PAIN = KnownCondition(1, "Regional pain", "G90.5, G56.4", "complex regional pain syndrome, CRPS")
MIND = KnownCondition(2, "Depression", "F32", "depressive disorder")


@pytest.mark.parametrize(
    ("diagnosis", "found"),
    [
        ("G90.521 CRPS of right lower limb", [PAIN]),
        ("g90521", [PAIN]),
        ("Complex Regional Pain-Syndrome, type I", [PAIN]),
        ("G90.4 autonomic dysreflexia", []),
        ("Regional pain, complex", []),  # the words, in another order
        ("CRPSX", []),
        ("F32.9; G56.42", [PAIN, MIND]),
        ("Major dépressive disorder", [MIND]),
        ("Pain at L4-L5 and C3-4", []),  # levels of the spine are no codes
        ("", []),
    ],
)
def test_a_diagnosis_is_recognized_by_its_code_or_its_words(diagnosis, found):
    assert list(find_conditions(diagnosis, [PAIN, MIND])) == found


@given(st.text(max_size=80))
def test_any_typed_diagnosis_is_accepted(diagnosis):
    assert set(find_conditions(diagnosis, [PAIN, MIND])) <= {PAIN, MIND}


def make_map_entry(named, *, condition="", treatment="", part="", why="treats such conditions"):
    """One more line of the map."""
    return SpecialtyFit(
        specialty=get_specialty(named),
        condition=Condition.objects.get(name=condition) if condition else None,
        category=get_category(treatment) if treatment else None,
        body_part=part,
        reason=why,
    ).store(by=None, at=PANEL_ENTERED)


def case_of(diagnosis, **item):
    treatment = item.pop("treatment", "")
    pk = get_category(treatment).pk if treatment else None
    panel_seeds()
    items = [ItemOnForm(title="Ketamine infusion", category_id=pk, **item)]
    return ready_case(diagnosis=diagnosis, items=items)


@pytest.mark.capability("MA-1")
def test_the_condition_decides_the_specialty_where_no_treatment_does_and_is_named():
    case = case_of("F32.1 Major depressive disorder")

    assert map_refusals(case, fit_reviewer()) == {
        "SPECIALTY": "Item 1: requires Addiction Psychiatry, Psychiatry, "
        "Psychologist or Psychology."
    }
    mind = fit_reviewer(certification={"specialty": "Psychiatry"})
    (match,) = result_for(case, mind).matches
    assert match.is_mapped
    assert match.why == "Psychiatry fits for Depression and anxiety (treats such conditions)."
    (stored,) = offered_case(case=case, reviewer=mind).match_reasons
    assert (stored["item"], stored["specialty"], stored["diagnosis"]) == (
        case.items.get().pk, "Psychiatry", "Depression and anxiety",
    )  # fmt: skip


@pytest.mark.capability("MA-1")
def test_a_diagnosis_that_is_not_in_the_map_is_kept_as_printed():
    case = case_of("Q99.9 Something rare")

    (stored,) = offered_case(case=case).match_reasons

    assert stored["diagnosis"] == "Q99.9 Something rare"


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        # the treatment goes before the condition, and the condition before the body part
        ([{"treatment": "Injection"}, {"condition": "Hernia"}], 0),
        ([{"part": "Groin"}, {"condition": "Hernia"}], 1),
        ([{"condition": "Hernia", "part": "Groin"}, {"condition": "Hernia"}], 0),
        (
            [
                {"treatment": "Injection", "part": "Groin"},
                {"treatment": "Injection", "condition": "Hernia"},
            ],
            1,
        ),
    ],
)
def test_the_most_specific_line_of_the_map_decides(lines, wanted):
    names = ["Urology", "Nephrology"]
    treatment = next((one["treatment"] for one in lines if "treatment" in one), "")
    case = case_of("K40.90 Inguinal hernia", treatment=treatment, body_part="Left groin")
    shipped = SpecialtyFit.objects.filter(Q(condition__name="Hernia") | Q(category__name=treatment))
    for fit in shipped:
        fit.is_active = False
        fit.store(by=None, at=PANEL_ENTERED, fields=["is_active"])
    for name, about in zip(names, lines, strict=True):
        make_map_entry(name, **about)

    chosen = [
        name
        for name in names
        if result_for(case, fit_reviewer(certification={"specialty": name})).is_eligible
    ]

    assert chosen == [names[wanted]]


def test_a_retired_condition_disables_its_lines_of_the_map():
    case = case_of("Hernia")
    assert "SPECIALTY" in map_refusals(case, fit_reviewer())
    hernia = Condition.objects.get(name="Hernia")
    hernia.is_active = False
    hernia.store(by=None, at=PANEL_ENTERED, fields=["is_active"])

    assert map_refusals(case, fit_reviewer()) == {}


def test_a_line_of_the_map_needs_a_subject_and_is_unique():
    panel_seeds()
    with pytest.raises(ValidationError, match="Choose a treatment, a condition or a body part"):
        SpecialtyFit(specialty=get_specialty("Urology"), reason="x").full_clean()
    make_map_entry("Urology", condition="Hernia")
    with pytest.raises(ValidationError, match="already on the map"):
        SpecialtyFit(
            specialty=get_specialty("Urology"),
            condition=Condition.objects.get(name="Hernia"),
            reason="again",
        ).full_clean()
    with pytest.raises(ValidationError, match="codes or words"):
        Condition(name="Nothing to tell it by").full_clean()


def test_credentialing_maintains_the_conditions_and_the_map(client):
    panel_seeds()
    client.force_login(person(Role.CREDENTIALING))
    page = "/admin/reviewers/condition/add/"

    assert client.get(page).status_code == 200
    client.post(page, {"name": "Gout", "codes": "M10", "words": "gout", "is_active": "on"})
    gout = Condition.objects.get(name="Gout")
    client.post(
        "/admin/reviewers/specialtyfit/add/",
        {
            "specialty": get_specialty("Rheumatology").pk,
            "condition": gout.pk,
            "body_part": "",
            "reason": "treats gout",
            "is_active": "on",
        },
    )

    assert [fit.specialty.name for fit in gout.fits.all()] == ["Rheumatology"]
    assert gout.history.count() == 1
    client.force_login(person(Role.COORDINATOR))
    assert client.get(page).status_code in {302, 403, 404}
