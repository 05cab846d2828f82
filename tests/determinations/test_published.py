"""Published decisions: loaded as closed cases, compared on a second load, written out again."""

import copy
import json
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings

from accounts.refusals import NotAllowed
from accounts.roles import Role
from accounts.versions import Versioned
from cases.lifecycle import Status
from cases.models import Case, DisputedItem, Event, Origin, Priority
from determinations import shapes
from determinations.models import (
    CredentialStatement,
    DecidedItem,
    Determination,
    Opinion,
    OpinionCitation,
)
from determinations.published import NotExportable, export_case_facts
from determinations.services import published
from determinations.services.published import (
    AlreadyLoaded,
    NumberTaken,
    load_many_published,
    load_published,
)
from tests.determinations.test_shapes import (
    ORGANIZATION,
    published_cases,
    read_fixture,
    remove_keys,
)
from tests.factories import person, received_case

AT = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
SHARED = Path(__file__).parents[3] / "shared" / "letters" / "shapes"
PUBLISHED = [
    "cm16-0229336",
    "cm16-0230548",
    "cm16-0238035",
    "cm16-0242419",
    "cm16-0248698",
    "cm16-0249726",
    "cm17-0002106",
    "cm17-0002198",
    "cm17-0007142",
    "cm17-0007300",
    "cm17-0013240",
    "cm17-0014449",
]

pytestmark = pytest.mark.django_db


def load_facts(facts) -> Case:
    return load_published(facts=facts, by=None, at=AT)


def count_rows() -> dict[str, int]:
    """How many rows every table of ours holds."""
    return {model._meta.label: model._default_manager.count() for model in apps.get_models()}


def run_command(*args) -> tuple[str, str, int]:
    """What the import command prints, complains of, and ends with."""
    out, err = StringIO(), StringIO()
    try:
        call_command("import_case_facts", *map(str, args), stdout=out, stderr=err)
    except CommandError as error:
        return out.getvalue(), err.getvalue() + str(error), error.returncode
    return out.getvalue(), err.getvalue(), 0


# --- there and back ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ORGANIZATION, ids=lambda path: path.stem)
def test_an_exported_file_loads_with_the_same_facts(path):
    there_and_back(path)


@pytest.mark.shared
@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_decision_loads_with_the_same_facts(name):
    path = SHARED / f"{name}.json"
    if not path.exists():
        pytest.skip("the published decisions stand in ../shared, which is not here")
    there_and_back(path)


def there_and_back(path: Path) -> None:
    raw = shapes.parse_facts_file(path.read_bytes())
    _, notes = shapes.read_published_case(raw, today=TODAY)

    case = load_facts(raw)

    written = json.loads(json.dumps(export_case_facts(Case.objects.get(pk=case.pk))))
    assert shapes.describe_difference(remove_keys(raw, notes), written) == ""
    assert written == remove_keys(raw, notes)  # not one key more or less


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(published_cases())
def test_any_generated_case_is_restored_from_its_rows(case):
    facts = shapes.build_facts(case)
    known = Case.objects.filter(number=case.number).exists()
    if known:
        return

    stored = load_facts(facts)

    assert export_case_facts(Case.objects.get(pk=stored.pk)) == facts


# --- what is stored ------------------------------------------------------------------------------


def test_loading_creates_a_closed_case_without_open_work():
    case = Case.objects.get(pk=load_facts(read_fixture("many-shapes")).pk)

    assert (case.origin, case.stage) == (Origin.PUBLISHED, Status.CLOSED)
    assert (case.is_open, case.next_role, case.queue) == (False, "", "")
    assert case.priority == Priority.EXPEDITED
    assert case.date_of_injury == date(2020, 1, 31)
    assert case.ur_decision.decided_on == date(2020, 2, 3)
    assert case.received_on == date(2020, 2, 28)
    assert case.assigned_on == date(2020, 2, 28)
    assert case.decided_on == date(2020, 2, 29)
    assert (case.sex, case.age_stated, case.body_parts) == ("MALE", 64, ["knee", "hip/pelvis"])


def test_facts_that_the_publication_lacks_stay_empty():
    case = Case.objects.get(pk=load_facts(read_fixture("many-shapes")).pk)

    assert case.received_at is None
    assert case.closed_at is None
    assert case.claim_number == ""
    assert case.ur_decision.ur_type == ""
    assert case.ur_decision.served_on is None
    assert not case.parties.exists()
    assert case.application is None
    assignment = case.assignments.get()
    assert assignment.reviewer is None
    assert assignment.offered_at is None
    assert assignment.review.summary == ""
    assert set(Opinion.objects.values_list("rationale", "basis")) == {("", "")}
    assert DisputedItem.objects.filter(ended_at__isnull=False).count() == 0


def test_a_letter_with_few_facts_makes_a_case_with_few_facts():
    case = Case.objects.get(pk=load_facts(read_fixture("silent")).pk)

    assert case.ur_decision is None
    assert (case.date_of_injury, case.assigned_on, case.received_on) == (None, None, None)
    assert (case.sex, case.age_stated, case.body_parts) == ("", None, [])
    assert case.assignments.get().review.party_term == ""


def test_outcomes_are_kept_as_printed_and_the_case_outcome_is_derived():
    case = load_facts(read_fixture("many-shapes"))

    determination = Determination.objects.get(case=case)
    assert determination.state == Determination.State.ISSUED
    assert (determination.round, determination.origin) == (1, Origin.PUBLISHED)
    assert determination.outcome == "Partially Overturn"
    assert determination.letter is None
    assert {item.how for item in determination.decided_items.all()} == {
        DecidedItem.Derivation.AS_PRINTED
    }
    assert [
        (item.position, item.ending, item.outcome) for item in case.items.order_by("position")
    ] == [
        (1, "DECIDED", "UPHELD"),
        (2, "DECIDED", "OVERTURNED"),
        (3, "DECIDED", "OVERTURNED"),
        (4, "DECIDED", "UPHELD"),
        (5, "DECIDED", "UPHELD"),
    ]


def test_lineage_notices_and_both_lists_of_citations_are_stored_in_order():
    case = load_facts(read_fixture("many-shapes"))

    first = case.items.get(position=1)
    assert (first.title_truncated, first.title_full_length) == (True, 311)
    assert first.lineage == DisputedItem.Lineage.REMAINING
    assert first.authorized_by_ur == "five visits of aquatic exercise for the right knee"
    assert [
        (one.position, one.mtus, one.edition, one.pages)
        for one in first.administrator_citations.order_by("position")
    ] == [(1, True, "2004", "412"), (2, False, "", "")]
    opinion = first.opinions.get()
    assert [
        (one.position, one.edition, one.edition_suffix, one.sections)
        for one in opinion.citations.order_by("position")
    ] == [
        (1, "2004", "", ["Initial Care"]),
        (2, "2016", "Guidelines", []),
        (3, "2009", "", ["Aquatic therapy"]),
    ]
    assert case.items.get(position=4).opinions.get().notices == ["opioid-taper"]


def test_credentials_are_kept_as_printed_and_name_no_one():
    load_facts(read_fixture("many-shapes"))

    statement = CredentialStatement.objects.get()
    assert statement.specialties == ["Orthopedic Surgery", "Sports Medicinne", "Hand Surgery"]
    assert statement.license_states == ["Utah", "California", "New Mexico"]
    assert (statement.separator, statement.label) == ("comma", "physician reviewer")


def test_loading_is_an_event():
    case = load_facts(read_fixture("many-shapes"))

    event = Event.objects.get(case=case)
    assert (event.kind, event.happened_at) == (Event.Kind.LOADED, AT)
    assert "5 decided items" in event.sentence


def test_every_row_that_loading_stores_has_its_first_version():
    tracked = [model for model in apps.get_models() if issubclass(model, Versioned)]
    before = {model: list(model.objects.values_list("pk", flat=True)) for model in tracked}

    load_facts(read_fixture("many-shapes"))

    stored = [row for model in tracked for row in model.objects.exclude(pk__in=before[model])]
    assert len(stored) > 25
    for row in stored:
        (version,) = row.history.all()
        assert (version.version, version.history_date) == (1, AT)
        assert version.history_change_reason == "Loaded from a published letter"


# --- the same number again -----------------------------------------------------------------------


def test_the_same_facts_again_change_nothing():
    load_facts(read_fixture("many-shapes"))
    before = count_rows()

    with pytest.raises(AlreadyLoaded, match="CM20-0900002 is already loaded, unchanged"):
        load_facts(read_fixture("many-shapes"))

    assert count_rows() == before


def test_other_facts_under_the_same_number_are_refused_with_the_first_difference():
    load_facts(read_fixture("many-shapes"))
    other = read_fixture("many-shapes")
    other["items"][3]["imro_guideline"]["citations"][0]["edition"] = "2009"

    with pytest.raises(NumberTaken) as refused:
        load_facts(other)

    assert "Case CM20-0900002 is already loaded with other facts" in str(refused.value)
    assert "items[3].imro_guideline.citations[0].edition" in str(refused.value)
    assert "“2016” here and “2009” in the file" in str(refused.value)


def test_a_number_of_our_own_case_is_refused():
    facts = read_fixture("one-item")
    Case(
        number=facts["case_number"],
        status=Status.SCREENING,
        next_role="COORDINATOR",
        received_at=AT,
        received_on=TODAY,
        due_on=TODAY,
    ).store(by=None, at=AT)

    with pytest.raises(NumberTaken, match="one of our own cases"):
        load_facts(facts)


@pytest.mark.capability("IN-9")
def test_case_numbers_continue_within_the_year_and_skip_numbers_in_use():
    """A refused application takes no number; one that a published letter took is passed over."""
    facts = read_fixture("one-item")
    for taken in ("CM26-0000002", "CM26-0000003"):
        load_facts(facts | {"case_number": taken})
    first = received_case()
    with pytest.raises(NotAllowed):
        received_case(items=[])

    second = received_case()

    assert [first.number, second.number] == ["CM26-0000001", "CM26-0000004"]


# --- the commands --------------------------------------------------------------------------------


def write_facts_file(folder: Path, name: str, facts) -> Path:
    path = folder / name
    path.write_text(json.dumps(facts), encoding="utf-8")
    return path


def test_several_files_are_reported_one_by_one_and_a_bad_file_stops_no_other(tmp_path):
    good = write_facts_file(tmp_path, "good.json", read_fixture("one-item"))
    bad_facts = read_fixture("many-shapes")
    bad_facts["items"][1]["outcome"] = "Partially Overturned"
    bad = write_facts_file(tmp_path, "bad.json", bad_facts)
    last = write_facts_file(tmp_path, "last.json", read_fixture("silent"))

    out, err, code = run_command(good, bad, last, tmp_path / "absent.json")

    assert code == 1
    assert f"{good}: case CM20-0900001 loaded." in out
    assert f"{last}: case 20-000003 loaded." in out
    assert f"{bad}: refused. items[1].outcome: “Partially Overturned” is none of" in err
    assert "absent.json: refused. No such file" in err
    assert "2 of 4 files refused." in err
    assert set(Case.objects.values_list("number", flat=True)) == {"CM20-0900001", "20-000003"}


def test_notes_that_are_not_stored_are_named_in_one_line(tmp_path):
    out, _, code = run_command(write_facts_file(tmp_path, "one.json", read_fixture("one-item")))

    assert code == 0
    (line,) = out.splitlines()
    assert "Notes not stored: id, format, year," in line
    assert "items[].rationale_paraphrase" in line


def test_loading_the_same_file_again_is_not_an_error(tmp_path):
    path = write_facts_file(tmp_path, "one.json", read_fixture("one-item"))
    run_command(path)

    out, err, code = run_command(path)

    assert (err, code) == ("", 0)
    assert "already loaded, unchanged" in out


def test_a_dry_run_reports_refusals_and_stores_nothing(tmp_path):
    good = write_facts_file(tmp_path, "good.json", read_fixture("many-shapes"))
    bad = write_facts_file(tmp_path, "bad.json", {**read_fixture("one-item"), "item_count": 2})
    before = count_rows()

    out, err, code = run_command("--dry-run", good, bad)

    assert code == 1
    assert "CM20-0900002 can be loaded." in out
    assert "item_count: The file says “2”, but the list of items holds “1”." in err
    assert count_rows() == before


def test_an_error_while_storing_leaves_no_rows(monkeypatch):
    before = count_rows()

    def fail(*args, **options):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(published, "_store_decisions", fail)
    with pytest.raises(RuntimeError):
        load_facts(read_fixture("many-shapes"))

    assert count_rows() == before


def test_a_bad_file_leaves_no_rows():
    before = count_rows()
    facts = copy.deepcopy(read_fixture("many-shapes"))
    facts["items"][4]["imro_guideline"]["basis"] = "mtus"

    with pytest.raises(shapes.InvalidFactsFile):
        load_facts(facts)

    assert count_rows() == before


def test_the_facts_are_written_to_a_file_that_can_be_loaded_elsewhere(tmp_path):
    load_facts(read_fixture("many-shapes"))
    out = tmp_path / "out.json"

    call_command("export_case_facts", "CM20-0900002", "--out", str(out), stdout=StringIO())

    assert (
        shapes.describe_difference(json.loads(out.read_text("utf-8")), read_fixture("many-shapes"))
        == ""
    )


def test_the_facts_are_written_to_the_screen():
    load_facts(read_fixture("one-item"))
    screen = StringIO()

    call_command("export_case_facts", "CM20-0900001", stdout=screen)

    assert json.loads(screen.getvalue())["items"][0]["outcome"] == "Overturned"


def test_there_is_nothing_to_write_of_an_unknown_or_undecided_case():
    with pytest.raises(CommandError, match="There is no case CM99-0000001"):
        call_command("export_case_facts", "CM99-0000001")

    case = load_facts(read_fixture("one-item"))
    determination = case.determinations.get()
    determination.state = Determination.State.SET_ASIDE
    determination.store(by=None, at=AT, fields=["state"])
    with pytest.raises(NotExportable, match="has no issued determination yet"):
        export_case_facts(case)


# --- the limits are those of the columns ---------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "column", "longest"),
    [
        (Case, "number", 20),
        (DisputedItem, "prefix", shapes.WORD),
        (DisputedItem, "separator", 8),
        (CredentialStatement, "label", 60),
        (CredentialStatement, "placement", 120),
        (CredentialStatement, "separator", max(map(len, shapes.STATE_SEPARATORS))),
        (OpinionCitation, "source", shapes.SOURCE),
        (OpinionCitation, "chapter_topic", shapes.CHAPTER),
        (OpinionCitation, "edition", shapes.EDITION),
        (OpinionCitation, "edition_suffix", shapes.EDITION),
        (OpinionCitation, "pages", shapes.WORD),
        (OpinionCitation, "as_printed", shapes.TEXT),
        (OpinionCitation, "note", shapes.LINE),
    ],
)
def test_no_text_that_is_read_is_longer_than_its_column(model, column, longest):
    """SQLite would take it and PostgreSQL would not."""
    most = model._meta.get_field(column).max_length
    assert most is None or most >= longest


# --- many at once --------------------------------------------------------------------------------


def number_facts(number, name="one-item", **changes):
    return {**copy.deepcopy(read_fixture(name)), "case_number": number, **changes}


def load_many(*letters, dry_run=False):
    return load_many_published(letters=letters, by=None, at=AT, dry_run=dry_run)


def test_in_a_batch_each_letter_is_loaded_or_refused_as_it_would_be_alone():
    """Refusals of all kinds, also against an earlier letter of the batch, stop no other letter."""
    own = received_case()
    load_facts(number_facts("CM20-0000001"))
    before = Case.objects.count()

    results = load_many(
        number_facts("CM20-0000002"),
        number_facts("CM20-0000003", item_count=7),
        number_facts("CM20-0000001"),
        number_facts("CM20-0000001", name="many-shapes"),
        number_facts("CM20-0000002"),
        number_facts("CM20-0000002", name="many-shapes"),
        number_facts(own.number),
        number_facts("CM20-0000004", name="many-shapes"),
    )

    assert [type(one.refusal).__name__ for one in results] == [
        "NoneType", "InvalidFactsFile", "AlreadyLoaded", "NumberTaken", "AlreadyLoaded",
        "NumberTaken", "NumberTaken", "NoneType",
    ]  # fmt: skip
    assert "already loaded with other facts: " in str(results[3].refusal)
    assert str(results[3].refusal)[20:] == str(results[5].refusal)[20:]
    assert "one of our own cases" in str(results[6].refusal)
    assert Case.objects.count() == before + 2
    for result, name in ((results[0], "one-item"), (results[7], "many-shapes")):
        facts = export_case_facts(Case.objects.get(pk=result.case.pk))
        alone = export_case_facts(load_facts(number_facts(f"CM21-{result.case.pk:07d}", name)))
        assert facts | {"case_number": ""} == alone | {"case_number": ""}


def test_the_number_of_statements_does_not_depend_on_the_number_of_letters():
    counts = []
    # Few enough that SQLite, which limits the parameters of a statement, does not divide them.
    for first, many in ((1, 2), (10, 6)):
        letters = [number_facts(f"CM20-{n:07d}") for n in range(first, first + many)]
        with CaptureQueriesContext(connection) as asked:
            assert all(one.case for one in load_many(*letters))
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_every_row_of_a_batch_has_its_first_version_with_who_when_and_why():
    by = person(Role.ADMINISTRATOR)
    letters = [number_facts(f"CM20-{n:07d}", name="many-shapes") for n in (1, 2)]

    load_many_published(letters=letters, by=by, at=AT)

    for model in apps.get_models():
        if not issubclass(model, Versioned):
            continue
        for row in model.objects.filter(version=1):
            version = row.history.filter(history_date=AT, history_user=by).first()
            if version is not None:
                assert (version.history_type, version.history_change_reason) == (
                    "+", "Loaded from a published letter"
                )  # fmt: skip
                assert version.version == 1
    cases = Case.objects.filter(number__in=["CM20-0000001", "CM20-0000002"])
    for item in DisputedItem.objects.filter(case__in=cases):
        version = item.history.get()
        assert (version.title, version.case_id, version.quantity_expressions) == (
            item.title, item.case_id, item.quantity_expressions
        )  # fmt: skip


def test_a_letter_that_someone_else_stores_meanwhile_is_refused_and_the_others_are_loaded(
    monkeypatch,
):
    load_facts(number_facts("CM20-0000001"))
    monkeypatch.setattr(published, "_find_known_cases", lambda fresh: {})

    first, second, third = load_many(*(number_facts(f"CM20-000000{n}") for n in (2, 1, 3)))

    assert first.case
    assert third.case
    assert "Another user has just stored case CM20-0000001" in str(second.refusal)


def test_a_dry_run_of_a_batch_gives_the_results_and_stores_nothing():
    before = count_rows()

    first, second = load_many(
        number_facts("CM20-0000001"), number_facts("CM20-0000002", item_count=7), dry_run=True
    )

    assert first.case
    assert second.refusal
    assert count_rows() == before
