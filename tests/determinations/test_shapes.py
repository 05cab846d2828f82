"""The shape of published decisions, without a database: what is read, refused and written."""

import copy
import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from determinations import shapes
from determinations.shapes import InvalidFactsFile

TODAY = date(2026, 3, 2)
ORGANIZATION = sorted((Path(__file__).parent / "shapes").glob("*.json"))


def read_fixture(name: str) -> dict:
    return json.loads((Path(__file__).parent / "shapes" / f"{name}.json").read_text("utf-8"))


def read_refusal(raw) -> InvalidFactsFile:
    with pytest.raises(InvalidFactsFile) as caught:
        shapes.read_published_case(raw, today=TODAY)
    return caught.value


# --- what is read --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ORGANIZATION, ids=lambda path: path.stem)
def test_a_file_reads_into_facts_that_write_the_same_file_less_its_notes(path):
    raw = shapes.parse_facts_file(path.read_bytes())

    case, notes = shapes.read_published_case(raw, today=TODAY)

    again, none = shapes.read_published_case(
        json.loads(json.dumps(shapes.build_facts(case))), today=TODAY
    )
    assert again == case
    assert none == []
    assert shapes.describe_difference(shapes.build_facts(case), remove_keys(raw, notes)) == ""


def remove_keys(raw, notes: list[str], here: str = ""):
    """The file less the keys that reading named as notes; derived keys that it lacks, added."""
    if isinstance(raw, list):
        return [remove_keys(each, notes, f"{here}[]") for each in raw]
    if not isinstance(raw, dict):
        return raw
    kept = {
        key: remove_keys(value, notes, f"{here}.{key}".lstrip("."))
        for key, value in raw.items()
        if f"{here}.{key}".lstrip(".") not in notes
    }
    if "items" in kept:
        kept.setdefault("item_count", len(kept["items"]))
        kept.setdefault("case_outcome_derived", "Uphold")
    if "citations" in kept:
        kept.setdefault("basis", "none_cited")
    return kept


def test_notes_about_the_publication_are_named_and_nothing_else_is():
    _, notes = shapes.read_published_case(read_fixture("one-item"), today=TODAY)

    assert notes == [
        "id",
        "format",
        "year",
        "odd_things",
        "truncated",
        "patient.body_parts_in_summary",
        "items[].rationale_paraphrase",
        "reviewer_statement.years_phrase",
    ]


def test_missing_facts_of_a_publication_stay_empty():
    case, _ = shapes.read_published_case(read_fixture("silent"), today=TODAY)

    assert case.injured_on is None
    assert case.assigned_on is None
    assert case.age is None
    assert (case.sex, case.party_term, case.statement) == ("", "", shapes.Statement())


def test_printed_typos_order_and_separators_stay_as_printed():
    case, _ = shapes.read_published_case(read_fixture("many-shapes"), today=TODAY)

    assert case.statement.specialties == ("Orthopedic Surgery", "Sports Medicinne", "Hand Surgery")
    assert case.statement.states == ("Utah", "California", "New Mexico")
    assert case.statement.separator == "comma"
    assert case.items[0].separator == " is: "


# --- what is refused, and where ------------------------------------------------------------------


def set_value(*path_and_value):
    """A change to the largest fixture: the keys that lead there, then what to put."""
    *path, key, value = path_and_value

    def change(raw):
        for step in path:
            raw = raw[step]
        raw[key] = value

    return change


def remove_value(*path):
    *path, key = path

    def change(raw):
        for step in path:
            raw = raw[step]
        del raw[key]

    return change


CITATION = ("items", 1, "imro_guideline", "citations", 1)
FAULTS = {
    "a number that is no case number": (
        set_value("case_number", "16/0229336"),
        "case_number",
        "not a case number",
    ),
    "a number as a number": (set_value("case_number", 160229336), "case_number", "not a number"),
    "a missing fact": (remove_value("priority"), "priority", "missing"),
    "a missing fact far down": (
        remove_value("items", 2, "outcome"),
        "items[2].outcome",
        "missing",
    ),
    "an unknown key": (set_value("prioritty", "Standard"), "prioritty", "neither a fact"),
    "an unknown key far down": (
        set_value(*CITATION, "editon", "2016"),
        "items[1].imro_guideline.citations[1].editon",
        "neither a fact",
    ),
    "a note in the wrong place": (set_value("patient", "id", "x"), "patient.id", "neither a fact"),
    "a key of strange characters": (set_value("items\n", 1), "“items\\u000a”", "neither a fact"),
    "a day that no calendar has": (
        set_value("header_dates", "date_of_injury", "02/30/2019"),
        "header_dates.date_of_injury",
        "not a day of the calendar",
    ),
    "the 29th of February in a common year": (
        set_value("header_dates", "date_of_injury", "02/29/2019"),
        "header_dates.date_of_injury",
        "not a day of the calendar",
    ),
    "a date in another style": (
        set_value("header_dates", "date_assigned", "2020-02-28"),
        "header_dates.date_assigned",
        "not a date MM/DD/YYYY",
    ),
    "a date in other digits": (
        set_value("header_dates", "date_assigned", "٠٢/28/2020"),
        "header_dates.date_assigned",
        "not a date MM/DD/YYYY",
    ),
    "a date before our time": (
        set_value("header_dates", "date_of_injury", "12/31/1899"),
        "header_dates.date_of_injury",
        "before 01/01/1900",
    ),
    "a date in the future": (
        set_value("header_dates", "decision_date", "03/03/2026"),
        "header_dates.decision_date",
        "in the future; today is 03/02/2026",
    ),
    "no decision date": (
        set_value("header_dates", "decision_date", None),
        "header_dates.decision_date",
        "needs its date",
    ),
    "a decision before the assignment": (
        set_value("header_dates", "decision_date", "02/27/2020"),
        "header_dates.decision_date",
        "The decision date (02/27/2020) lies before the date assigned (02/28/2020)",
    ),
    "an application before the denial": (
        set_value("header_dates", "application_received", "02/02/2020"),
        "header_dates.application_received",
        "lies before the UR denial date (02/03/2020)",
    ),
    "a denial before the injury": (
        set_value("header_dates", "ur_denial_date", "01/30/2020"),
        "header_dates.ur_denial_date",
        "lies before the date of injury",
    ),
    "another priority": (set_value("priority", "standard"), "priority", "none of “Standard”"),
    "an outcome that items do not have": (
        set_value("items", 1, "outcome", "Partially Overturned"),
        "items[1].outcome",
        "none of “Upheld”, “Overturned”",
    ),
    "an outcome in small letters": (
        set_value("items", 1, "outcome", "overturned"),
        "items[1].outcome",
        "none of “Upheld”",
    ),
    "an outcome that is true": (
        set_value("items", 1, "outcome", True),
        "items[1].outcome",
        "“True”",
    ),
    "a derived outcome that does not follow": (
        set_value("case_outcome_derived", "Uphold"),
        "case_outcome_derived",
        "The file says “Uphold”, but the outcomes of the items give “Partially Overturn”",
    ),
    "a wrong count": (
        set_value("item_count", 6),
        "item_count",
        "The file says “6”, but the list of items holds “5”",
    ),
    "a count that is true": (set_value("item_count", True), "item_count", "“True”"),
    "a basis that does not follow": (
        set_value("items", 0, "claims_admin_guideline", "basis", "mtus"),
        "items[0].claims_admin_guideline.basis",
        "The file says “mtus”, but the citations give “mtus_and_other”",
    ),
    "no items": (set_value("items", []), "items", "at least one item"),
    "items that are no list": (set_value("items", {"0": {}}), "items", "A list is needed"),
    "an item that is text": (set_value("items", 1, "MRI"), "items[1]", "An object is needed"),
    "too many items": (set_value("items", [{}] * 201), "items", "at most 200"),
    "a position twice": (
        set_value("items", 2, "position", 2),
        "items[2].position",
        "does not follow",
    ),
    "a position of zero": (
        set_value("items", 0, "position", 0),
        "items[0].position",
        "not between 1",
    ),
    "a position as a fraction": (
        set_value("items", 0, "position", 1.0),
        "items[0].position",
        "whole",
    ),
    "a position that is true": (
        set_value("items", 0, "position", True),
        "items[0].position",
        "whole",
    ),
    "an empty title": (set_value("items", 1, "title", "  "), "items[1].title", "The text is empty"),
    "a title that is nothing": (
        set_value("items", 1, "title", None),
        "items[1].title",
        "not nothing",
    ),
    "an endless title": (
        set_value("items", 1, "title", "x" * 4001),
        "items[1].title",
        "4,001 characters; at most 4,000",
    ),
    "a control character": (
        set_value("items", 1, "title", "MRI\x00of the knee"),
        "items[1].title",
        "Character 4 is the control character U+0000",
    ),
    "a line break in a heading": (
        set_value("items", 1, "title", "MRI\nof the knee"),
        "items[1].title",
        "U+000A",
    ),
    "half a surrogate pair": (
        set_value("items", 1, "title", "MRI \ud83d"),
        "items[1].title",
        "U+D83D",
    ),
    "a mark that turns the reading direction": (
        set_value("items", 1, "title", "MRI \u202eeenk"),
        "items[1].title",
        "U+202E",
    ),
    "a title cut short without its length": (
        remove_value("items", 0, "title_full_length"),
        "items[0].title_full_length",
        "needs its full length",
    ),
    "a full length that is not longer": (
        set_value("items", 0, "title_full_length", 20),
        "items[0].title_full_length",
        "needs its full length",
    ),
    "a full length of a whole title": (
        set_value("items", 1, "title_full_length", 500),
        "items[1].title_full_length",
        "does not say that the title is cut short",
    ),
    "a lineage of another kind": (
        set_value("items", 0, "partial_authorization", "pattern", "some_of_it"),
        "items[0].partial_authorization.pattern",
        "none of “remaining_portion”",
    ),
    "an edition without a year": (
        set_value(*CITATION, "edition", "latest"),
        "items[1].imro_guideline.citations[1].edition",
        "names no year",
    ),
    "an edition as a number": (
        set_value(*CITATION, "edition", 2004),
        "items[1].imro_guideline.citations[1].edition",
        "Text is needed here",
    ),
    "a suffix without an edition": (
        set_value("items", 1, "imro_guideline", "citations", 0, "edition_suffix", "Guidelines"),
        "items[1].imro_guideline.citations[0].edition_suffix",
        "no edition is given",
    ),
    "sections that are text": (
        set_value(*CITATION, "sections", "Surgical Considerations"),
        "items[1].imro_guideline.citations[1].sections",
        "A list is needed",
    ),
    "a section that is a number": (
        set_value(*CITATION, "sections", ["Surgical Considerations", 326]),
        "items[1].imro_guideline.citations[1].sections[1]",
        "Text is needed",
    ),
    "mtus as a word": (
        set_value(*CITATION, "mtus", "yes"),
        "items[1].imro_guideline.citations[1].mtus",
        "true or false",
    ),
    "too many citations": (
        set_value("items", 1, "imro_guideline", "citations", [{}] * 51),
        "items[1].imro_guideline.citations",
        "at most 50",
    ),
    "a negative age": (set_value("patient", "age", -1), "patient.age", "not between 0 and 125"),
    "an age in words": (set_value("patient", "age", "64"), "patient.age", "A whole number"),
    "a sex that no letter prints": (set_value("patient", "sex", "M"), "patient.sex", "none of"),
    "a party that no letter names": (
        set_value("patient", "party_term", "claimant"),
        "patient.party_term",
        "none of “injured worker”",
    ),
    "a separator in words": (
        set_value("reviewer_statement", "state_separator", ", "),
        "reviewer_statement.state_separator",
        "none of “comma”",
    ),
    "a specialty that is nothing": (
        set_value("reviewer_statement", "specialties", ["Surgery", None]),
        "reviewer_statement.specialties[1]",
        "Text is needed",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_refused_with_its_place_and_a_sentence(fault):
    change, place, reason = FAULTS[fault]
    raw = copy.deepcopy(read_fixture("many-shapes"))
    change(raw)

    error = read_refusal(raw)

    assert error.place == place
    assert reason in error.reason
    assert error.reason.endswith(".")
    assert "\n" not in str(error)


@pytest.mark.parametrize("raw", [None, [], "CM16-0123456", 7, {}])
def test_a_file_that_is_not_a_case_is_refused(raw):
    read_refusal(raw)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not JSON"),
        (b'{"case_number": ', "not JSON"),
        (b'{"a": 1, "a": 2}', "“a” appears twice"),
        (b'{"age": NaN}', "NaN is not a number"),
        (b'{"age": ' + b"9" * 5000 + b"}", "a number that cannot be read"),
        (b'{"title": "caf\xe9"}', "not UTF-8 text (byte 14)"),
        (b"[" * 200_000, "nested too deeply"),
        (b" " * (shapes.MAX_FILE_BYTES + 1), "larger than 1,048,576 bytes"),
    ],
    ids=["empty", "cut off", "key twice", "NaN", "endless number", "Latin-1", "deep", "large"],
)
def test_bytes_that_hold_no_file_of_facts_are_refused(data, reason):
    with pytest.raises(InvalidFactsFile) as caught:
        shapes.parse_facts_file(data)
    assert reason in str(caught.value)


def test_a_byte_order_mark_is_passed_over():
    assert shapes.parse_facts_file(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


# --- any case ------------------------------------------------------------------------------------

# Everything a letter can print: no control, no half pair, nothing that turns the direction.
LETTERS = st.characters(
    exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp"),
    exclude_characters="".join(shapes._DIRECTION_MARKS),
)


def text_strategy(most: int = 60):
    return st.text(LETTERS, min_size=1, max_size=most).filter(str.strip)


def tuple_strategy(each, most: int = 3):
    return st.lists(each, max_size=most).map(tuple)


MTUS = st.builds(
    lambda chapter, edition, sections, pages, note: shapes.Citation(
        source="MTUS",
        mtus=True,
        chapter=chapter,
        edition=edition[0],
        edition_suffix=edition[1],
        sections=sections,
        pages=pages,
        note=note,
    ),
    chapter=text_strategy() | st.just(""),
    edition=st.tuples(st.sampled_from(["2004", "2016"]), text_strategy(20) | st.just(""))
    | st.just(("", "")),
    sections=tuple_strategy(text_strategy()),
    pages=text_strategy(10) | st.just(""),
    note=text_strategy() | st.just(""),
)
OUTSIDE = st.builds(
    shapes.Citation,
    source=text_strategy(),
    mtus=st.just(False),
    chapter=text_strategy() | st.just(""),
    edition=st.sampled_from(["", "2016", "June 30, 2017"]),
    sections=tuple_strategy(text_strategy()),
    pages=text_strategy(10) | st.just(""),
    as_printed=text_strategy() | st.just(""),
    note=text_strategy() | st.just(""),
)
ITEMS = st.builds(
    shapes.PublishedItem,
    position=st.just(0),
    title=text_strategy(200),
    outcome=st.sampled_from([shapes.UPHELD, shapes.OVERTURNED]),
    separator=st.sampled_from([": ", " is: "]),
    administrator=tuple_strategy(MTUS | OUTSIDE),
    imro=tuple_strategy(MTUS | OUTSIDE),
    full_length=st.none() | st.integers(1000, 5000),
    prefix=st.just("") | text_strategy(40),
    lineage=st.none()
    | st.builds(
        shapes.Lineage,
        pattern=st.sampled_from(shapes.PATTERNS),
        original_request=text_strategy() | st.just(""),
        authorized_by_ur=text_strategy() | st.just(""),
        in_dispute=text_strategy() | st.just(""),
    ),
    quantities=tuple_strategy(text_strategy(20)),
    opioid_notice=st.booleans(),
)


@st.composite
def published_cases(draw):
    """Any decision that a letter could tell."""
    day = date(2016, 1, 1) + timedelta(days=draw(st.integers(0, 3000)))
    days = []
    for _ in range(5):
        day += timedelta(days=draw(st.integers(0, 60)))
        days.append(day)
    known = [each if draw(st.booleans()) else None for each in days[:4]]
    items = draw(st.lists(ITEMS, min_size=1, max_size=4))
    positions = sorted(draw(st.sets(st.integers(1, 999), min_size=len(items), max_size=len(items))))
    numbered = tuple(
        shapes.PublishedItem(**{**vars(item), "position": position})
        for item, position in zip(items, positions, strict=True)
    )
    serial = draw(st.integers(0, 9_999_999))
    return shapes.PublishedCase(
        number=f"{draw(st.sampled_from(['CM', '', 'IMR']))}{day:%y}-{serial:07d}",
        priority=draw(st.sampled_from(shapes.PRIORITIES)),
        injured_on=known[0],
        injured_until=known[0] and draw(st.none() | st.just(known[0] + timedelta(days=1)))
        if (known[0] or TODAY) < TODAY
        else None,
        ur_decided_on=known[1],
        received_on=known[2],
        assigned_on=known[3],
        decided_on=days[4],
        items=numbered,
        statement=draw(
            st.builds(
                shapes.Statement,
                specialties=tuple_strategy(text_strategy()),
                states=tuple_strategy(text_strategy(20)),
                separator=st.sampled_from(["", *shapes.STATE_SEPARATORS]),
                label=text_strategy(40) | st.just(""),
                placement=text_strategy(60) | st.just(""),
            )
        ),
        age=draw(st.none() | st.integers(0, 125)),
        sex=draw(st.sampled_from(["", *shapes.SEXES])),
        body_parts=draw(tuple_strategy(text_strategy(30))),
        party_term=draw(st.sampled_from(["", *shapes.PARTY_TERMS])),
    )


@given(published_cases())
def test_any_case_comes_back_from_its_own_file(case):
    data = json.dumps(shapes.build_facts(case)).encode()

    again, notes = shapes.read_published_case(shapes.parse_facts_file(data), today=TODAY)

    assert again == case
    assert notes == []


@settings(max_examples=200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(sorted(read_fixture("many-shapes"))), inner)
        ),
    )
)
def test_any_json_is_read_or_refused_and_never_breaks_the_reader(raw):
    with pytest.raises(InvalidFactsFile):
        shapes.read_published_case(raw, today=TODAY)


@given(st.data())
def test_a_single_value_put_anywhere_is_read_or_refused_with_its_place(data):
    raw = read_fixture("many-shapes")
    places = []

    def walk(value, path):
        places.append(path)
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for key, each in inner if isinstance(value, dict | list) else ():
            if isinstance(each, dict | list):
                walk(each, [*path, key])
            else:
                places.append([*path, key])

    walk(raw, [])
    *path, key = data.draw(st.sampled_from([place for place in places if place]))
    target = raw
    for step in path:
        target = target[step]
    target[key] = data.draw(
        st.sampled_from([None, True, -1, 2.5, "", "\x1b", "x" * 5000, [], {}, [None], {"": ""}])
    )
    faults = []
    try:
        shapes.read_published_case(raw, today=TODAY)
    except InvalidFactsFile as error:
        faults.append(error)
    assert all(fault.place and fault.reason.endswith(".") for fault in faults)
