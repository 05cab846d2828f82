"""Publishing what reviewers sign before a file opens: always the next number, never an edit."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.refusals import BadFact, refuse
from accounts.versions import Stale
from deadlines.days import local_day
from reviewers import policies
from reviewers.models import AttestationWording

# Characters, and questions of one wording.
TEXT_MOST, QUESTION_MOST, REASON_MOST, QUESTIONS_MOST = 4000, 500, 300, 40
# A slip in the year would bar every wording until then: none may begin before the one before it.
DAYS_AHEAD = 366
# The question that the page of attestation points at when a party bears the reviewer's surname.
SURNAME = "surname"


@transaction.atomic
def publish(
    *,
    text: str,
    questions: Sequence[str],
    surname: str,
    effective_from: date,
    reason: str,
    seen_number: int,
    by: User,
    at: datetime,
) -> AttestationWording:
    """Publish the next wording; who attests from its first day on signs it, what is signed stays.

    A question that was ever asked in these words keeps its code; any other gets a new one.

    :param questions: all but the last, in the order in which they are asked.
    :param surname: the last question, which is about a party with the reviewer's surname.
    :param seen_number: the latest number that the page showed; 0 when there was none.
    :raises Stale: someone else published first.
    :raises BadFact: a part that cannot be so, with its field.
    :raises NotAllowed: wrong role, or nothing differs from the latest wording.
    """
    refuse(policies.why_not_publish_attestation(by))
    latest = AttestationWording.objects.order_by("-number").first()
    if latest is not None and latest.number != seen_number:
        raise Stale(latest)
    text, surname, reason = _paragraphs(text), _line(surname), _line(reason)
    asked = [_line(question) for question in questions]
    _refuse_day(effective_from, latest, at)
    _refuse_words(text, asked, surname, reason)
    number = latest.number + 1 if latest is not None else 1
    coded = _coded(number, asked, surname)
    if latest is not None and (latest.text, latest.questions) == (text, coded):
        refuse(f"Nothing differs from wording {latest.number}. Change what is to change.")
    made = AttestationWording(
        number=number, text=text, questions=coded, effective_from=effective_from
    )
    try:
        with transaction.atomic():
            return made.store(by=by, at=at, why=reason)
    except IntegrityError:  # published between our look and our row: the number is theirs
        raise Stale(AttestationWording.objects.get(number=number)) from None


def _line(text: str) -> str:
    return " ".join(text.split())


def _paragraphs(text: str) -> str:
    """Lines as typed, without what a browser or a paste puts at their ends."""
    return "\n".join(_line(line) for line in text.strip().splitlines())


def _meaning(question: str) -> str:
    """What two questions in the same words have in common, however they are cased."""
    return _line(question).casefold()


def _refuse_day(day: date, latest: AttestationWording | None, at: datetime) -> None:
    today = local_day(at)
    if day < today:
        raise BadFact(
            "effective_from",
            "A wording holds from today on, not for the past. Choose today or later.",
        )
    if latest is not None and day < latest.effective_from:
        raise BadFact(
            "effective_from",
            f"Wording {latest.number} begins on {latest.effective_from:%m/%d/%Y}. "
            "Choose that day or a later one.",
        )
    if day > today + timedelta(days=DAYS_AHEAD):
        raise BadFact("effective_from", "This is more than a year ahead. Check the year.")


def _refuse_words(text: str, questions: Sequence[str], surname: str, reason: str) -> None:
    _refuse_length("text", text, TEXT_MOST, "Write the statement that is signed.")
    _refuse_questions(questions)
    _refuse_length(
        "surname",
        surname,
        QUESTION_MOST,
        "The question about a shared surname has to stay, as the last. Write it here.",
    )
    if _meaning(surname) in (asked := [_meaning(question) for question in questions]):
        raise BadFact(
            "surname",
            f"Question {asked.index(_meaning(surname)) + 1} asks the same. "
            "The question about a shared surname is asked once, as the last.",
        )
    _refuse_length("reason", reason, REASON_MOST, "Say why the wording changes.")


def _refuse_questions(questions: Sequence[str]) -> None:
    if not questions:
        raise BadFact("questions", "Write at least one question.")
    if len(questions) > QUESTIONS_MOST:
        raise BadFact(
            "questions", f"These are {len(questions)} questions. Ask {QUESTIONS_MOST} at most."
        )
    first: dict[str, int] = {}
    for place, question in enumerate(questions, 1):
        name = f"Question {place} (“{question[:40]}{'…' * (len(question) > 40)}”)"
        if not question:
            raise BadFact("questions", f"Question {place} is empty. Write it or take it out.")
        if len(question) > QUESTION_MOST:
            raise BadFact(
                "questions",
                f"{name} is {len(question)} characters long. Shorten it to {QUESTION_MOST}.",
            )
        if (before := first.setdefault(_meaning(question), place)) != place:
            raise BadFact(
                "questions", f"{name} asks the same as question {before}. Take one of them out."
            )


def _refuse_length(field: str, text: str, most: int, missing: str) -> None:
    if not text:
        raise BadFact(field, missing)
    if len(text) > most:
        raise BadFact(field, f"This is {len(text)} characters long. Shorten it to {most}.")


def _coded(number: int, questions: Sequence[str], surname: str) -> list[dict[str, str]]:
    """The questions with their codes, which no question in other words has or had.

    :raises BadFact: the question about a surname among the others, or another in its place.
    """
    known = {
        _meaning(question["text"]): question["code"]
        for wording in AttestationWording.objects.order_by("number")
        for question in wording.questions
    }
    coded = []
    for place, text in enumerate(questions, 1):
        code = known.get(_meaning(text), f"q{number}_{place}")
        if code == SURNAME:
            raise BadFact(
                "questions",
                f"Question {place} asks about a shared surname. It has its place below, "
                "as the last; take it out here.",
            )
        coded.append({"code": code, "text": text})
    if known.get(_meaning(surname), SURNAME) != SURNAME:
        raise BadFact(
            "surname",
            "This was asked as another question before. Ask here about a shared surname.",
        )
    return [*coded, {"code": SURNAME, "text": surname}]
