"""Search by number and name: the same on both databases, by indexes, and never more than stated."""

import html
import re

import pytest
from django.db import connection
from django.urls import reverse

from accounts.roles import Role
from cases import search
from cases.models import Case, Party, PartyRole
from cases.name_index import EXTENSIONS, IndexEmployeeNames, list_pairs
from cases.search import search_cases
from cases.services import restrictions
from cases.services.parties import PartyDetails, change_party_details
from directory.models import Person
from directory.names import fold_for_search, fold_name
from maintenance.derived import compare_names
from tests.factories import MONDAY, parties, person, received_case

pytestmark = [pytest.mark.django_db, pytest.mark.every_database]

NAMES = {
    "brannigan": "Tomas O’Brannigan-Reyes Jr.",
    "tulley": "Maeve O‘Tulley",
    "farquhar": "Ian O´Farquhar",
    "kaanoi": "Leilani Kaʻanoi",
    "dang": "Đặng Thị Ngọc Lê",
    "zolc": "Łukasz Żółć",
    "munoz": "María Muñoz de la Cruz",
    "weiss": "Jürgen Weiß",
    "fisher": "Anna ﬁsher",
    "petrova": "Yelena Petrоva",  # with a Cyrillic о
    "smith": "John Smith III",
    "bo": "Bo Li",
}
FINDS = [
    ("O'Brannigan-Reyes Jr., Tomas", "brannigan"),
    ("tomas reyes", "brannigan"),
    ("Reyes, Tomas", "brannigan"),
    ("Reyes Jr", "brannigan"),
    ("obrannigan reyes sr", "brannigan"),
    ("O'Tulley", "tulley"),
    ("OTulley", "tulley"),
    ("O Tulley", "tulley"),
    ("O`TULLEY", "tulley"),
    ("O'Farquhar", "farquhar"),
    ("OʼFarquhar", "farquhar"),
    ("Ka'anoi", "kaanoi"),
    ("Kaanoi, Leilani", "kaanoi"),
    ("Dang Le", "dang"),
    ("Đặng Ngọc", "dang"),
    ("Lê", "dang"),
    ("le", "dang"),
    ("zolc lukasz", "zolc"),
    ("ŁUKASZ", "zolc"),
    ("Munoz", "munoz"),
    ("Muñoz, Maria", "munoz"),
    ("de la Cruz, María", "munoz"),
    ("Cruz Muñoz", "munoz"),
    ("weiss", "weiss"),
    ("WEISS", "weiss"),
    ("Weiß, J", "weiss"),
    ("Fisher", "fisher"),
    ("ﬁsh", "fisher"),
    ("Petrova", "petrova"),
    ("Pеtrova, Yelena", "petrova"),  # with a Cyrillic е
    ("Smith, John", "smith"),
    ("John Smith Jr.", "smith"),
    ("Li", "bo"),
    ("li bo", "bo"),
    ("Bo", "bo"),
]


@pytest.fixture(scope="module")
def named(module_db):
    """A case for each name."""
    return {key: received_case(parties=parties(EMPLOYEE=name)) for key, name in NAMES.items()}


@pytest.fixture
def clerk(db):
    return person(Role.INTAKE)


@pytest.fixture
def desk(client, clerk):
    client.force_login(clerk)
    return client


@pytest.mark.parametrize(("text", "key"), FINDS)
def test_a_name_is_found_in_any_order_and_any_spelling(named, clerk, text, key):
    found = search_cases(text, clerk)

    assert named[key].pk in found.ids
    assert not found.has_more


@pytest.mark.parametrize(("text", "key"), [one for one in FINDS if len(one[0]) > 5])
def test_a_longer_name_finds_that_case_alone(named, clerk, text, key):
    assert search_cases(text, clerk).ids == {named[key].pk}


@pytest.mark.parametrize(
    "text",
    ["%", "_", "%%%", "___", "'", '"', '"""', "' OR 1=1 --", 'x" OR "y', "*", "NEAR(a b)", "-",
     "Quill%", "Tomas Wrongname", "o brannigan zz", "a" * 4000, "abc " * 1000, "\\", "^zz",
     "𝒳𝒴𝒵"],
)  # fmt: skip
def test_signs_and_long_texts_are_no_syntax_and_find_nothing(named, clerk, text):
    assert search_cases(text, clerk) == search.FoundCases()


def test_a_short_word_has_to_begin_a_word_of_the_name(named, clerk):
    assert search_cases("l", clerk).ids == {
        named[key].pk for key in ("kaanoi", "dang", "zolc", "munoz", "bo")
    }
    assert named["fisher"].pk not in search_cases("er", clerk).ids


def test_numbers_are_found_by_their_beginning_and_claims_without_their_signs(named, clerk):
    case = received_case(claim_number="ZQ-77-1")

    assert search_cases(case.number[:-1], clerk).ids >= {case.pk}
    for text in (case.number.lower(), "zq77", "ZQ-77-1", " zq 77 "):
        assert search_cases(text, clerk).ids == {case.pk}, text


def test_a_case_is_found_by_its_number_as_people_say_it(named, clerk):
    case = received_case()
    year, serial = case.number[2:4], str(int(case.number[5:]))

    for text in (f"CM{year}-{serial}", f"{year}-{serial}", serial, serial.zfill(7)):
        assert case.pk in search_cases(text, clerk).ids, text
    assert case.pk not in search_cases(f"{int(year) - 1}-{serial}", clerk).ids


def test_a_claim_number_is_found_without_the_zeros_at_its_beginning(named, clerk):
    case = received_case(claim_number="0082-4471-9")
    bare = received_case(claim_number="5561-3308-2")

    for text in ("824471", "82-4471-9", "082-4471", "0082-4471-9"):
        assert search_cases(text, clerk).ids == {case.pk}, text
    assert search_cases("005561-33", clerk).ids == {bare.pk}
    assert search_cases("0000", clerk) == search.FoundCases()


def test_a_corrected_name_is_found_and_the_old_one_is_not(named, clerk):
    case = received_case(parties=parties(EMPLOYEE="Wilhelmina Misprint"))
    party = case.parties.get(role=PartyRole.EMPLOYEE)
    correct = {name: getattr(party, name) for name in PartyDetails.__dataclass_fields__} | {
        "name": "Wilhelmina Corrected"
    }
    change_party_details(
        case_id=case.pk,
        party_id=party.pk,
        details=PartyDetails(**correct),
        since=None,
        why="Misread",
        by=person(Role.COORDINATOR),
        at=MONDAY,
    )

    assert search_cases("Corrected", clerk).ids == {case.pk}
    assert search_cases("Misprint", clerk) == search.FoundCases()


def test_physicians_and_attorneys_are_not_found(named, clerk):
    assert not search_cases("Oyelaran", clerk).ids
    assert not search_cases("Castellanos", clerk).ids


def test_a_restricted_case_is_neither_found_nor_counted(named, clerk, monkeypatch):
    monkeypatch.setattr(search, "MOST_FOUND", 1)
    case = received_case(parties=parties(EMPLOYEE="Hidden Hollander"), claim_number="HH-1234")
    other = received_case(parties=parties(EMPLOYEE="Seen Hollander"), claim_number="HH-1235")
    assert search_cases("Hollander", clerk).has_more
    restrictions.restrict_case(
        case_id=case.pk,
        ground="OTHER",
        reason="A relative",
        by=person(Role.SUPERVISOR),
        at=MONDAY,
    )

    for text in ("Hollander", "HH-123"):
        assert search_cases(text, clerk) == search.FoundCases(frozenset({other.pk})), text
    assert search_cases(case.number, clerk).ids == set()


def copy_case(first, number, name):
    """A case like this one with another worker; a journey for each would say nothing more."""
    case = Case.objects.get(pk=first.pk)
    case.pk, case.ur_decision, case.version = None, None, 0
    case.number, case._state.adding = f"CM25-{number:07d}", True
    case.claim_number_normal = ""
    case.store(by=None, at=MONDAY)
    Party.objects.create(
        case=case,
        role=PartyRole.EMPLOYEE,
        person=Person().store(by=None, at=MONDAY),
        name=name,
        list_version=1,
        recorded_at=MONDAY,
    )
    return case


def test_of_a_frequent_name_the_newest_are_found_and_more_are_announced(named, clerk, monkeypatch):
    monkeypatch.setattr(search, "MOST_FOUND", 5)
    cases = [copy_case(named["bo"], n, f"Worker{n} Manyfold") for n in range(40)]
    rare = copy_case(named["bo"], 99, "Odalys Manyfold")

    found = search_cases("Manyfold", clerk)
    assert found == search.FoundCases(
        frozenset([rare.pk, *(case.pk for case in cases[-4:])]), has_more=True
    )
    assert search_cases("Manyfold, Odalys", clerk) == search.FoundCases(frozenset({rare.pk}))


def test_two_words_are_found_wherever_they_stand_in_a_name(named, clerk):
    case = copy_case(named["bo"], 1, "Vandenberghe, Annaliese-Marie")
    copy_case(named["bo"], 2, "Vandermeer, Annaliese")

    for text in (
        "van den berghe",
        "marie vandenberghe",
        "denb liese",
        "ande denberghe",
        "nna ann mar",
    ):
        assert search_cases(text, clerk).ids == {case.pk}, text
    assert not search_cases("marie vandermeer", clerk).ids


@pytest.mark.postgres
@pytest.mark.parametrize(
    "words", [("maria", "nguyen"), ("ann", "anna"), ("ukasz", "zolc", "mar"), ("abcd", "bcd")]
)
def test_the_pairs_of_a_search_are_among_those_of_each_name_with_its_words(db, words):
    with connection.cursor() as cursor:
        for name in (" ".join(words), "".join(words), "-".join(reversed(words))):
            cursor.execute("SELECT cases_name_pairs(%s)", [fold_for_search(name)])
            assert {*list_pairs(words)} <= {*cursor.fetchone()[0]}, name
    assert list_pairs(words)
    assert not list_pairs(("aaa", "aaaa"))


def test_the_search_box_shows_the_newest_and_says_how_many_it_leaves_out(desk, named):
    cases = [copy_case(named["bo"], n, f"Worker{n} Manyfold") for n in range(14)]

    page = desk.get(reverse("desk:jump"), {"q": "Manyfold"})
    options = desk.get(reverse("desk:jump"), {"q": "Manyfold"}, headers={"HX-Request": "true"})

    for answer in (page, options):
        assert [case.pk for case in answer.context["cases"]] == [
            case.pk for case in reversed(cases[4:])
        ]
        text = " ".join(html.unescape(answer.content.decode()).split())
        assert "The newest 10 are shown. 4 older cases match too" in text
    assert "14 cases found" in " ".join(page.content.decode().split())


def test_the_search_box_and_the_list_say_that_there_are_more(desk, named, monkeypatch):
    monkeypatch.setattr(search, "MOST_FOUND", 12)
    for number in range(20):
        copy_case(named["bo"], number, f"Worker{number} Manyfold")

    text = " ".join(desk.get(reverse("desk:jump"), {"q": "Manyfold"}).content.decode().split())
    assert "more than 12 cases found" in text
    assert "More than 2 older cases match too" in text
    rows = desk.get(reverse("desk:queue", args=["eligibility"]), {"q": "Manyfold"})
    assert "More cases match “Manyfold” than a search reads." in rows.content.decode()
    assert len(rows.context["rows"]) == 12


def test_a_list_finds_what_the_search_box_finds(desk, named):
    for text, key in FINDS:
        rows = desk.get(reverse("desk:queue", args=["eligibility"]), {"q": text}).context["rows"]
        assert named[key].pk in {row.case.pk for row in rows}, text


def test_a_list_finds_a_claims_administrator_by_words_of_its_name(desk, named):
    case = received_case(parties=parties(CLAIMS_ADMINISTRATOR="The Sierra & Söhne Claims, Inc."))
    for text in ("sierra", "Claims Sohne", "SIERRA, INC."):
        address = reverse("desk:queue", args=["eligibility"])
        rows = desk.get(address, {"administrator": text}).context["rows"]
        assert [row.case.pk for row in rows] == [case.pk], text
    assert not desk.get(address, {"administrator": "nobody"}).context["rows"]
    assert not desk.get(address, {"administrator": "%"}).context["rows"]


def test_every_part_of_a_search_reads_by_an_index(named, clerk, monkeypatch):
    plans = []
    read_rows = search._read_rows

    def note_plan(statement, params):
        explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
        rows = read_rows(f"{explain} {statement}", params)
        plans.append("\n".join(str(row[-1]) for row in rows))
        return read_rows(statement, params)

    monkeypatch.setattr(search, "_read_rows", note_plan)
    if connection.vendor == "postgresql":
        # Reading the few rows of a test one by one is cheaper than any index.
        connection.cursor().execute("SET LOCAL enable_seqscan = off")
    search_cases("Tomas Reyes", clerk)

    (plan,) = plans
    indexes = {
        "postgresql": ["on cases_case", "cases_party_name"],
        "sqlite": ["number>?", "claim_number_normal>?", "SCAN cases_party_name VIRTUAL TABLE"],
    }[connection.vendor]
    assert all(index in plan for index in indexes), plan
    assert not re.search(r"SCAN (cases_case|p)\b|Seq Scan on cases_(case|party) ", plan), plan


def test_the_folded_name_is_stored_with_the_row_and_compared_every_night(named):
    party = named["zolc"].parties.get(role=PartyRole.EMPLOYEE)
    assert party.name_search == fold_for_search("Łukasz Żółć") == "  lukasz  zolc "
    assert not list(compare_names(lambda: None))


@pytest.mark.postgres
def test_the_owner_of_a_database_may_create_the_index_without_being_a_superuser(db):
    """The migration makes the extension; operators give their owner no more than the database."""
    statements = IndexEmployeeNames().statements("postgresql")
    assert statements[: len(EXTENSIONS)] == [
        f"CREATE EXTENSION IF NOT EXISTS {name}" for name in EXTENSIONS
    ]
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if not cursor.fetchone()[0]:
            return  # the migrations ran as such an owner
        cursor.execute(
            "SELECT name FROM pg_available_extension_versions WHERE trusted AND installed"
        )
        assert {*EXTENSIONS} <= {name for (name,) in cursor.fetchall()}


@pytest.mark.sqlite
def test_the_index_of_names_on_sqlite_agrees_with_the_rows(named):
    with connection.cursor() as cursor:
        # Fails if the index differs from the table that it reads its text from.
        cursor.execute(
            "INSERT INTO cases_party_name (cases_party_name, rank) VALUES ('integrity-check', 0)"
        )
        cursor.execute("SELECT count(*) FROM cases_party WHERE role = 'EMPLOYEE'")
        rows = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM cases_party_name_docsize")
        assert cursor.fetchone() == rows


def test_search_duplicates_and_conflicts_fold_every_name_alike(named):
    from cases.duplicates import classify_names
    from directory.affiliations import compare_names as compare_for_conflict
    from directory.affiliations import split_name

    pairs = [
        ("Maeve O‘Tulley", "Maeve O'Tulley"),
        ("Ian O´Farquhar", "Ian OFarquhar"),
        ("Leilani Kaʻanoi", "Leilani Ka'anoi"),
        ("Yelena Petrоva", "Yelena Petrova"),
        ("Anna ﬁsher", "Anna Fisher"),
        ("Łukasz Żółć", "Lukasz Zolc"),
    ]
    for one, other in pairs:
        assert fold_name(one) == fold_name(other), one
        assert classify_names(one, other) == "SAME", one
        assert compare_for_conflict(split_name(one), split_name(other)) == "SAME", one
