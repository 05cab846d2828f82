"""What is proposed for a treatment, by the drug list of the day. Pure: no database."""

from datetime import date

import pytest

from guidelines.formulary import (
    Answer,
    DrugList,
    DrugRow,
    Status,
    Treatment,
    propose_for_application,
    propose_formulary,
)

BEGIN, LATER = date(2018, 1, 1), date(2020, 11, 1)
E, N = Status.EXEMPT, Status.NON_EXEMPT


def row(ingredient, status=N, *names, **values):
    return DrugRow(ingredient, status, **{"valid_from": BEGIN, "names": names, **values})


ROWS = (
    row("Acetaminophen", E, "Tylenol"),
    row("Hydrocodone bitartrate/Acetaminophen", N, "Norco", "hydrocodone", special_fill="4 days"),
    row("Codeine/Acetaminophen", N, "Tylenol #3"),
    row("Naproxen", E),
    row("Naproxen sodium", E, "Anaprox"),
    row("Carisoprodol", N, "Soma", ends_before=LATER),
    row("Duloxetine HCl", E, "Cymbalta", valid_from=LATER),
    row("Diclofenac", E, dosage_form="Tablet"),
    row("Diclofenac", N, dosage_form="Gel"),
    row("Lidocaine", N, perioperative_fill="4 days", is_confirmed=True),
    row("Potassium chloride", N),
)


def drug_list(*, is_complete=False, **values):
    return DrugList("v.1", BEGIN, is_complete, is_confirmed=False, rows=ROWS, **values)


@pytest.mark.parametrize(
    ("text", "ingredients", "status"),
    [
        ("Norco 10/325 mg #60", ["Hydrocodone bitartrate/Acetaminophen"], N),
        ("NORCO", ["Hydrocodone bitartrate/Acetaminophen"], N),
        ("Hydrocodone-APAP 10-325mg tablets", ["Hydrocodone bitartrate/Acetaminophen"], N),
        ("acetaminophen; hydrocodone", ["Hydrocodone bitartrate/Acetaminophen"], N),
        ("Tylenol #3, thirty", ["Codeine/Acetaminophen"], N),
        ("Tylenol 500 mg", ["Acetaminophen"], E),
        ("Naproxen 500 mg", ["Naproxen"], E),
        ("naproxen sodium 550 mg", ["Naproxen sodium"], E),
        ("Sodium naproxen", ["Naproxen"], E),
        ("Diclofenac gel 1 %", ["Diclofenac"], N),
        ("Diclofenac", ["Diclofenac"], Status.VARIES),
        ("Soma 350 and Norco", ["Carisoprodol", "Hydrocodone bitartrate/Acetaminophen"], N),
        ("Soma and Tylenol", ["Carisoprodol", "Acetaminophen"], Status.VARIES),
        ("Naproxen 500, Soma 350", ["Naproxen", "Carisoprodol"], Status.VARIES),
        ("Potassium chloride", ["Potassium chloride"], N),
    ],
)
def test_a_listed_drug_is_found_by_whole_words(text, ingredients, status):
    proposal = propose_formulary(text, drug_list(), date(2019, 5, 1))

    assert [drug.row.ingredient for drug in proposal.found] == ingredients
    assert (proposal.answer, proposal.status) == (Answer.YES, status)


@pytest.mark.parametrize(
    "text",
    ["Somatosensory testing", "Norcoxyl", "MRI of the lumbar spine", "Sodium", "Potassium", "#60",
     "Tylen ol"],
)  # fmt: skip
def test_parts_of_words_and_salts_name_no_drug(text):
    proposal = propose_formulary(text, drug_list(), date(2019, 5, 1))

    assert proposal.found == ()
    assert proposal.answer == Answer.UNKNOWN
    assert "incomplete" in proposal.reason


def test_the_sentence_says_which_row_since_when_and_whether_it_is_confirmed():
    day = date(2019, 5, 1)

    assert propose_formulary("Norco 10/325", drug_list(), day).reason == (
        "Hydrocodone bitartrate/Acetaminophen (written as “Norco”) is on the MTUS drug list, "
        "non-exempt, since Jan 1, 2018 (not confirmed). Special fill: 4 days."
    )
    assert propose_formulary("Lidocaine 5 % patch", drug_list(), day).reason == (
        "Lidocaine is on the MTUS drug list, non-exempt, since Jan 1, 2018. "
        "Perioperative fill: 4 days."
    )


@pytest.mark.parametrize(
    ("text", "day", "is_named"),
    [
        ("Soma", date(2020, 10, 31), True),
        ("Soma", LATER, False),
        ("Cymbalta", date(2020, 10, 31), False),
        ("Cymbalta", LATER, True),
    ],
)
def test_the_row_of_the_day_counts(text, day, is_named):
    assert bool(propose_formulary(text, drug_list(), day).found) == is_named


def test_without_an_edition_nothing_is_proposed():
    proposal = propose_formulary("Norco", None, date(2017, 12, 31))

    assert proposal.answer == Answer.UNKNOWN
    assert proposal.reason == "The drug list on file has no edition for Dec 31, 2017."


def test_only_a_complete_list_makes_a_drug_unlisted():
    day = date(2019, 5, 1)
    proposal = propose_formulary("Zolpidem", drug_list(is_complete=True), day, is_medication=True)

    assert (proposal.answer, proposal.status) == (Answer.NO, Status.UNLISTED)
    assert propose_formulary("Zolpidem", drug_list(), day).answer == Answer.UNKNOWN
    # Whatever the list, a treatment that is no medication is no formulary dispute.
    assert propose_formulary("MRI", drug_list(), day, is_medication=False).answer == Answer.NO


@pytest.mark.parametrize(
    ("text", "is_medication", "why"),
    [
        ("Epidural injection with lidocaine", None, "a physician administers"),
        ("Nerve block with lidocaine", None, "a physician administers"),
        ("Lidocaine", False, "a physician administers"),
        ("Compounded cream: lidocaine 5 %", True, "compounded"),
        ("Hydrocodone/naproxen 7.5/200", True, "written as one combination"),
        ("Hydrocodone bitartrate / Naproxen", True, "written as one combination"),
    ],
)
def test_a_warning_about_a_listed_drug_is_stated(text, is_medication, why):
    proposal = propose_formulary(text, drug_list(), date(2019, 5, 1), is_medication=is_medication)

    assert proposal.answer == Answer.UNKNOWN
    assert why in proposal.reason


def test_a_beta_blocker_is_no_nerve_block():
    proposal = propose_formulary("Norco and a beta blocker", drug_list(), date(2019, 5, 1))

    assert proposal.answer == Answer.YES
    assert "a physician administers" not in proposal.reason


@pytest.mark.parametrize(
    ("titles", "answer"),
    [
        (["Norco"], Answer.YES),
        (["Norco", "Soma"], Answer.YES),
        (["Norco", "MRI"], Answer.UNKNOWN),
        (["MRI", "Surgery"], Answer.NO),
        (["MRI", ""], Answer.NO),
    ],
)
def test_an_application_is_proposed_only_if_its_treatments_agree(titles, answer):
    treatments = [
        Treatment(title, is_medication=title not in {"MRI", "Surgery"}) for title in titles
    ]

    assert propose_for_application(treatments, drug_list(), date(2019, 5, 1)).answer == answer
    assert propose_for_application([Treatment(" ")], drug_list(), BEGIN) is None
