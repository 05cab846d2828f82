"""Publishing attestation wordings. Each one gets the next number and is never edited."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.refusals import BadFact, refuse_if
from accounts.versions import Stale
from deadlines.days import local_day
from reviewers import policies
from reviewers.facts import format_day
from reviewers.models import AttestationWording

# Limits in characters, and the most questions of one wording.
TEXT_MOST, QUESTION_MOST, REASON_MOST, QUESTIONS_MOST = 4000, 500, 300, 40
# A wording may not start before the previous one, so a wrong year would block all later wordings.
DAYS_AHEAD = 366
# Code of the question that the attestation page points at when a party shares the surname.
SURNAME = "surname"


@transaction.atomic
def publish_attestation_wording(
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
    """Publish the next wording. Attestations from its first day on use it; signed ones stay valid.

    A question with the same text as an earlier one keeps its code. All others get a new code.

    :param questions: all but the last one, in order.
    :param surname: the last question, about a party with the reviewer's surname.
    :param seen_number: the latest number that the page showed; 0 when there was none.
    :raises Stale: someone else published first.
    :raises BadFact: an invalid value, with its field.
    :raises NotAllowed: wrong role, or no difference from the latest wording.
    """
    refuse_if(policies.why_not_publish_attestation(by))
    latest = AttestationWording.objects.order_by("-number").first()
    # Otherwise the new text would silently undo a wording that its author has not seen.
    if latest is not None and latest.number != seen_number:
        raise Stale(latest)
    text, surname, reason = (
        _clean_paragraphs(text),
        _collapse_spaces(surname),
        _collapse_spaces(reason),
    )
    clean_questions = [_collapse_spaces(question) for question in questions]
    _refuse_day(effective_from, latest, at)
    _refuse_words(text, clean_questions, surname, reason)
    number = latest.number + 1 if latest is not None else 1
    coded = _assign_question_codes(number, clean_questions, surname)
    if latest is not None and (latest.text, latest.questions) == (text, coded):
        refuse_if(f"This is the same as wording {latest.number}. Change the text or a question.")
    wording = AttestationWording(
        number=number, text=text, questions=coded, effective_from=effective_from
    )
    try:
        # A savepoint, so that the wording that won can be read after the clash.
        with transaction.atomic():
            return wording.store(by=by, at=at, why=reason)
    except IntegrityError:  # someone else published this number first
        raise Stale(AttestationWording.objects.get(number=number)) from None


def _collapse_spaces(text: str) -> str:
    return " ".join(text.split())


def _clean_paragraphs(text: str) -> str:
    """Keep the typed lines without extra spaces and carriage returns."""
    return "\n".join(_collapse_spaces(line) for line in text.strip().splitlines())


def _normalize_question(question: str) -> str:
    """Return the text of a question for comparison, without case and extra spaces."""
    return _collapse_spaces(question).casefold()


def _refuse_day(day: date, latest: AttestationWording | None, at: datetime) -> None:
    today = local_day(at)
    if day < today:
        raise BadFact(
            "effective_from",
            "A wording cannot start in the past. Choose today or later.",
        )
    # The highest number in force is signed, so an earlier day would never be used.
    if latest is not None and day < latest.effective_from:
        raise BadFact(
            "effective_from",
            f"Wording {latest.number} starts on {format_day(latest.effective_from)}. "
            "Choose that day or a later one.",
        )
    if day > today + timedelta(days=DAYS_AHEAD):
        raise BadFact("effective_from", "This is more than a year ahead. Check the year.")


def _refuse_words(text: str, questions: Sequence[str], surname: str, reason: str) -> None:
    _refuse_length("text", text, TEXT_MOST, "Enter the statement.")
    _refuse_questions(questions)
    _refuse_length(
        "surname",
        surname,
        QUESTION_MOST,
        "The question about a shared surname is required. Enter it here.",
    )
    if _normalize_question(surname) in (
        normal_questions := [_normalize_question(question) for question in questions]
    ):
        raise BadFact(
            "surname",
            f"Question {normal_questions.index(_normalize_question(surname)) + 1} is the same. "
            "The question about a shared surname is asked only once, as the last.",
        )
    _refuse_length("reason", reason, REASON_MOST, "Enter why the wording changes.")


def _refuse_questions(questions: Sequence[str]) -> None:
    if not questions:
        raise BadFact("questions", "Enter at least one question.")
    if len(questions) > QUESTIONS_MOST:
        raise BadFact(
            "questions", f"There are {len(questions)} questions. The limit is {QUESTIONS_MOST}."
        )
    first_positions: dict[str, int] = {}
    for position, question in enumerate(questions, 1):
        name = f"Question {position} (“{question[:40]}{'…' * (len(question) > 40)}”)"
        if not question:
            raise BadFact("questions", f"Question {position} is empty. Enter it or remove it.")
        if len(question) > QUESTION_MOST:
            raise BadFact(
                "questions",
                f"{name} is {len(question)} characters long. Shorten it to {QUESTION_MOST}.",
            )
        if (
            earlier := first_positions.setdefault(_normalize_question(question), position)
        ) != position:
            raise BadFact(
                "questions", f"{name} is the same as question {earlier}. Remove one of them."
            )


def _refuse_length(field: str, text: str, most: int, missing: str) -> None:
    if not text:
        raise BadFact(field, missing)
    if len(text) > most:
        raise BadFact(field, f"This is {len(text)} characters long. Shorten it to {most}.")


def _assign_question_codes(
    number: int, questions: Sequence[str], surname: str
) -> list[dict[str, str]]:
    """Return the questions with codes. A code always stands for one text, in all wordings.

    :raises BadFact: the surname question among the others, or another question in its place.
    """
    known_codes = {
        _normalize_question(question["text"]): question["code"]
        for wording in AttestationWording.objects.order_by("number")
        for question in wording.questions
    }
    coded = []
    for position, text in enumerate(questions, 1):
        # The number of the wording makes a new code different from all earlier ones.
        code = known_codes.get(_normalize_question(text), f"q{number}_{position}")
        if code == SURNAME:
            raise BadFact(
                "questions",
                f"Question {position} asks about a shared surname. That question has its own field "
                "below; remove it here.",
            )
        coded.append({"code": code, "text": text})
    # Signed answers are stored by code, and each code must keep its meaning.
    if known_codes.get(_normalize_question(surname), SURNAME) != SURNAME:
        raise BadFact(
            "surname",
            "This text was used for another question. Ask here about a shared surname.",
        )
    return [*coded, {"code": SURNAME, "text": surname}]
