"""Mentions in notes: who is found, who is refused, the notice, and the answer."""

import html

import pytest
from django.urls import reverse

from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.models import Event
from cases.services import notes, restrictions
from notices.models import Notice
from tests.factories import MONDAY, person, received_case

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(db):
    return person(Role.COORDINATOR, name="Ada Lin", email="ada.lin@example.org")


@pytest.fixture
def ben(db):
    return person(Role.SUPERVISOR, name="Ben de la Cruz", email="ben@example.org")


def add_note(case, text, by):
    return notes.add_note(case_id=case.pk, text=text, by=by, at=MONDAY)


def mentioned(case):
    rows = Notice.objects.filter(kind="MENTION", reference=case.number)
    return [row.addressee.name for row in rows.order_by("pk").select_related("addressee")]


@pytest.mark.capability("RV-9")
@pytest.mark.parametrize(
    "text",
    [
        "@Ben de la Cruz please call.",
        "Please call, @ben de la cruz.",
        "@Cruz: please call.",
        "Asked @BEN, twice: @ben.",
    ],
)
def test_a_mention_is_a_name_or_a_part_of_it_and_gives_one_notice(ada, ben, text):
    case = received_case()

    note = add_note(case, text, ada)

    notice = Notice.objects.get()
    assert (notice.addressee, notice.kind, notice.reference) == (ben, "MENTION", case.number)
    assert (notice.event_id, notice.by, notice.read_at) == (note.pk, ada, None)


@pytest.mark.capability("RV-9")
def test_an_email_address_and_a_mention_of_oneself_give_no_notice(ada):
    case = received_case()

    add_note(case, "Mail to adjuster@carrier.example, cost @ 5 dollars, @Ada Lin.", ada)

    assert not Notice.objects.exists()


@pytest.mark.capability("RV-9")
def test_a_name_of_nobody_and_of_several_is_refused_and_nothing_is_written(ada, ben):
    case = received_case()
    person(Role.COORDINATOR, name="Ben Weiss", email="weiss@example.org")

    with pytest.raises(NotAllowed, match="No colleague who may open this case is called “Zoe”"):
        add_note(case, "Ask @Zoe.", ada)
    with pytest.raises(NotAllowed, match="“@Ben” fits several colleagues: Ben Weiss"):
        add_note(case, "Ask @Ben.", person(Role.INTAKE))

    assert not case.events.filter(kind=Event.Kind.NOTE).exists()
    add_note(case, "Ask @weiss.", ada)
    assert mentioned(case) == ["Ben Weiss"]


@pytest.mark.capability("RV-9")
def test_whoever_cannot_open_cases_or_is_confidential_is_not_found(ada):
    case = received_case()
    person(Role.GUIDELINE_ADMIN, name="Tom Guideline")
    person(Role.REVIEWER, Role.QA, name="Rita Reviewer")
    clerk = person(Role.INTAKE)

    for name in ("Tom", "Rita Reviewer"):
        with pytest.raises(NotAllowed, match="No colleague who may open this case"):
            add_note(case, f"Ask @{name}.", clerk)


@pytest.mark.capability("RV-9")
def test_a_barred_person_is_refused_beside_the_field_and_the_text_is_kept(client, ada, ben):
    case = received_case()
    director = person(Role.DIRECTOR)
    restrictions.restrict_case(
        case_id=case.pk,
        ground="PUBLIC",
        reason="A known person.",
        cleared=[ada.pk],
        by=director,
        at=MONDAY,
    )
    client.force_login(ada)

    answer = client.post(
        reverse("cases:note", args=[case.number]), {"text": "Ask @Ben de la Cruz."}
    )

    assert answer.status_code == 422
    page = html.unescape(answer.content.decode())
    assert "Ben de la Cruz is barred from this case and cannot be mentioned." in page
    assert "Ask @Ben de la Cruz.</textarea>" in page
    assert answer.context["form"].errors["text"]
    assert not Notice.objects.exists()


@pytest.mark.capability("RV-9")
def test_a_correction_tells_only_whom_the_first_note_did_not(ada, ben):
    case = received_case()
    first = add_note(case, "Ask @Ben de la Cruz.", ada)
    person(Role.QA, name="Cy Quill")

    notes.correct_note(
        event_id=first.pk, text="Ask @Ben de la Cruz and @Cy Quill.", by=ada, at=MONDAY
    )

    assert mentioned(case) == ["Ben de la Cruz", "Cy Quill"]


@pytest.mark.capability("RV-9", "RP-5")
def test_an_answer_notifies_the_one_who_asked_and_marks_the_mention_as_read(ada, ben, client):
    case = received_case()
    note = add_note(case, "Did they call, @Ben de la Cruz?", ada)
    client.force_login(ben)
    page = client.get(reverse("desk:notices")).content.decode()
    assert "Did they call, @Ben de la Cruz?" in page
    assert "Ada Lin mentioned you in a note" in page

    address = reverse("cases:answer_note", args=[case.number, note.pk])
    answer = client.post(address, {"text": "Yes, on Friday."})

    assert answer.url == reverse("desk:notices")
    mention = Notice.objects.get(addressee=ben)
    assert mention.read_at is not None
    assert mention.answered_at is not None
    told = Notice.objects.get(addressee=ada)
    assert (told.kind, told.by) == ("ANSWER", ben)
    reply = case.events.get(pk=told.event_id)
    assert (reply.sentence, reply.facts["answers"]) == ("Yes, on Friday.", note.pk)

    client.force_login(person(Role.COORDINATOR))
    refused = client.post(address, {"text": "Me too."})
    assert "You are not mentioned in this note." in refused.content.decode()


@pytest.mark.capability("RV-9")
def test_an_answer_does_not_reach_whoever_was_barred_since(ada, ben):
    case = received_case()
    note = add_note(case, "Did they call, @Ben de la Cruz?", ada)
    restrictions.restrict_case(
        case_id=case.pk,
        ground="PUBLIC",
        reason="A known person.",
        cleared=[ben.pk],
        by=person(Role.DIRECTOR),
        at=MONDAY,
    )

    notes.answer_note(event_id=note.pk, text="Yes.", by=ben, at=MONDAY)

    assert not Notice.objects.filter(addressee=ada).exists()
