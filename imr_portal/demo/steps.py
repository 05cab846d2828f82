"""Steps of a case of the demonstration, each through the services that the pages call."""

from collections.abc import Mapping
from datetime import datetime

from django.core.files.uploadedfile import SimpleUploadedFile

import records.services.documents
import records.services.reading
import reviewers.services.assignment
import reviewers.services.matching
from cases.models import Case, DisputedItem, Signer
from correspondence.services import notices
from deadlines.days import PACIFIC, local_day
from determinations.services import issuing, quality, writing
from eligibility.rules import FACTS
from eligibility.services import screening, ur_decision
from eligibility.services.citations import AdministratorCitations, record_administrator_citations
from eligibility.services.ur_decision import DecisionReading
from intake.services import receiving
from records.models import Document, ReadMark
from reviewers.models import ReviewerAssignment

from . import papers
from .applications import describe_request, fill_application, find_injury
from .office import CaseClock, Demo
from .stories import AUTHORITIES, Disputed, Record, Story, date_story, find_recommendation

_ALL_YES: dict[str, str] = dict.fromkeys(FACTS, "YES")


class DemoCase:
    """A case of the demonstration.

    Its methods act through the services, each later than the one before.
    """

    def __init__(self, demo: Demo, story: Story, *, days_ago: int) -> None:
        self.demo, self.clock = demo, CaseClock(demo.now, demo.calendar)
        received_at = self.clock.find_moment(days_ago, 9)
        self.dated = date_story(story, received_at=received_at)
        self.case = self._enter_application(received_at, days_ago, story.key, Signer.EMPLOYEE)

    @property
    def story(self) -> Story:
        return self.dated.story

    @property
    def items(self) -> list[tuple[DisputedItem, Disputed]]:
        """The items of the case, each with its part of the story."""
        return list(zip(self.case.items.order_by("position"), self.story.items, strict=True))

    def receive_again(self, *, days_ago: int) -> Case:
        """Receive a second application against the same UR decision, from the attorney."""
        received_at = self.clock.find_moment(days_ago, 14)
        key = f"{self.story.key} again"
        return self._enter_application(received_at, days_ago, key, Signer.ATTORNEY)

    def read_ur_decision(self, days_ago: int) -> None:
        """State what the UR decision says of the worker and each item, and what it cites."""
        by, at = self.demo.people["coordinator"], self.clock.find_moment(days_ago)
        story, injury = self.story, find_injury(self.dated)
        ur_decision.record_ur_reading(
            case_id=self.case.pk,
            as_read=DecisionReading(
                employee=story.worker.name,
                claim_number=story.claim,
                date_of_injury=injury.day,
                injury_last_day=injury.last_day,
                date_of_injury_printed=str(injury),
                items=[item.title for item in story.items],
            ),
            outcomes={item.pk: DisputedItem.UROutcome.DENIED for item, _ in self.items},
            by=by,
            at=at,
        )
        for item, disputed in self.items:
            cited = self.dated.cite_authorities(disputed.ur_cites)
            record_administrator_citations(
                item_id=item.pk,
                cited=AdministratorCitations(cited, nothing=not cited),
                by=by,
                at=at,
            )

    def decide_eligibility(
        self, days_ago: int, answers: Mapping[str, str] | None = None, note: str = ""
    ) -> None:
        """Answer the six facts; every answer that is not given is yes."""
        all_answers = _ALL_YES | dict(answers or {})
        screening.decide_eligibility(
            case_id=self.case.pk,
            answers=all_answers,
            # An answer that contradicts the proposal needs a note.
            notes={fact: note for fact, answer in all_answers.items() if answer != "YES"},
            seen_version=None,
            by=self.demo.people["coordinator"],
            at=self.clock.find_moment(days_ago, 11),
        )

    def send_notices(self, days_ago: int) -> None:
        """Make the notices of assignment, wait until they are filed, and send them."""
        made_at = self.clock.find_moment(days_ago)
        notices.make_notices(case_id=self.case.pk, by=self.demo.people["coordinator"], at=made_at)
        self.demo.wait_for_letters(self.case.number)
        sent = self.clock.find_moment(days_ago, 14)
        notices.mark_notices_sent(
            case_id=self.case.pk,
            sent_on=local_day(sent),
            # The records of an expedited case are due 24 hours after receipt, so the hour is
            # needed.
            received_at=sent if self.story.expedited else None,
            by=self.demo.people["mailroom"],
            at=sent,
        )

    def accept_case(self, days_ago: int) -> None:
        """Find the case eligible and send its notices on the next day."""
        self.read_ur_decision(days_ago)
        self.decide_eligibility(days_ago)
        self.send_notices(max(0, days_ago - 1))

    def add_records(self, days_ago: int) -> None:
        """Add the request for authorization and the records of the story."""
        at = self.clock.find_moment(days_ago)
        for record in (describe_request(self.story), *self.story.records):
            self._add_record(record, at)

    def complete_records(self, days_ago: int) -> None:
        """Add the records and state that they are complete."""
        self.add_records(days_ago)
        at = self.clock.find_moment(days_ago, 15)
        received = at.astimezone(PACIFIC)
        records.services.documents.mark_records_complete(
            case_id=self.case.pk,
            received_on=received.date(),
            received_time=received.time() if self.story.expedited else None,
            basis="COMPLETE",
            seen_version=None,
            by=self.demo.people["coordinator"],
            at=at,
        )

    def offer_case(self, days_ago: int, reviewer: str) -> ReviewerAssignment:
        """Offer the case to a reviewer from the ranked list."""
        by, at = self.demo.people["coordinator"], self.clock.find_moment(days_ago)
        candidate_list = reviewers.services.matching.rank_panel(case_id=self.case.pk, by=by, at=at)
        return reviewers.services.assignment.assign_reviewer(
            case_id=self.case.pk,
            reviewer_id=self.demo.people[reviewer].reviewer.pk,
            candidate_list_id=candidate_list.pk,
            seen_version=None,
            # The story names the reviewer, who may not be the first of the list.
            override_code="EXPERIENCE",
            by=by,
            at=at,
        )

    def assign_case(self, days_ago: int, reviewer: str) -> "DemoReview":
        """Offer the case to a reviewer, who attests that no conflict exists."""
        assignment = self.offer_case(days_ago, reviewer)
        at = self.clock.find_moment(days_ago, 16)
        wording = reviewers.services.assignment.get_current_wording(at)
        if wording is None:
            raise RuntimeError("Run seed_reference first: there is no attestation to sign.")
        assignment = reviewers.services.assignment.sign_attestation(
            assignment_id=assignment.pk,
            answers={question["code"]: "no" for question in wording.questions},
            wording_id=wording.pk,
            by=self.demo.people[reviewer],
            at=at,
        )
        return DemoReview(self, assignment, reviewer)

    def approve_review(self, days_ago: int) -> None:
        """Approve the review for issue, as the QA reviewer."""
        quality.approve_review(
            case_id=self.case.pk,
            comment="",
            seen_version=None,
            by=self.demo.people["qa"],
            at=self.clock.find_moment(days_ago, 15),
        )

    def issue_determination(self, days_ago: int) -> None:
        """Issue the determination after its preview, and wait for the letter."""
        director, at = self.demo.people["director"], self.clock.find_moment(days_ago)
        # A determination can be issued only in words that were shown in a preview.
        issuing.preview_determination(case_id=self.case.pk, by=director, at=at)
        issuing.issue_determination(case_id=self.case.pk, seen_version=None, by=director, at=at)
        self.demo.wait_for_letters(self.case.number)

    def _enter_application(
        self, received_at: datetime, days_ago: int, key: str, signer: Signer
    ) -> Case:
        return receiving.receive_application(
            application=fill_application(
                self.dated, key=key, signer=signer, received_at=received_at
            ),
            by=self.demo.people["intake"],
            at=self.clock.find_moment(days_ago, 10),
        )

    def _add_record(self, record: Record, at: datetime) -> None:
        """Add a record. Each case gets pages of its own, so that no two cases share a file."""
        dated, story = self.dated, self.story
        first = dated.requested_on if record.day == "requested" else dated.find_date(record.day)
        pages = [page.format_map(dated.words) for page in record.pages]
        content = papers.write_report(
            pages,
            title=record.title.upper(),
            head=(record.author, *story.physician.address.split("\n"))
            if record.sent_by == Document.SentBy.REQUESTING_PHYSICIAN
            else (record.author,),
            running=f"Patient: {story.worker.name}    Claim: {story.claim}",
        )
        by = self.demo.people["coordinator"]
        upload = SimpleUploadedFile(
            f"{record.title.lower().replace(' ', '-')}.pdf",
            content,
            content_type="application/pdf",
        )
        documents = records.services.documents
        documents.add_document(
            case_id=self.case.pk,
            file=documents.receive_record_file(case_id=self.case.pk, upload=upload, by=by, at=at),
            kind=record.kind,
            title=record.title,
            author=record.author,
            dated_from=first,
            dated_to=dated.find_date(record.last_day) if record.last_day else None,
            sent_by=record.sent_by,
            received_on=local_day(at),
            by=by,
            at=at,
        )


class DemoReview:
    """The review of one reviewer: reads the records, writes and submits."""

    def __init__(self, demo_case: DemoCase, assignment: ReviewerAssignment, reviewer: str) -> None:
        self.demo_case, self.assignment = demo_case, assignment
        self.by = demo_case.demo.people[reviewer]

    def open_records(self, days_ago: int) -> None:
        """Open the workspace and read every document."""
        at = self.demo_case.clock.find_moment(days_ago)
        writing.open_review(assignment_id=self.assignment.pk, by=self.by, at=at)
        for document in records.services.reading.list_unopened_documents(self.assignment):
            records.services.reading.mark_document(
                assignment_id=self.assignment.pk,
                document_id=document.pk,
                mark=ReadMark.Mark.REVIEWED,
                by=self.by,
                at=at,
            )

    def write_summary(self, days_ago: int) -> None:
        """Write the clinical case summary of the story."""
        dated, at = self.demo_case.dated, self.demo_case.clock.find_moment(days_ago, 11)
        self._type_part("summary", {"summary": dated.fill_text(dated.story.summary)}, at)

    def write_decisions(self, days_ago: int, *, without: str = "") -> None:
        """Decide each item as the story says.

        :param without: words of the rationale that are left out at first.
        """
        dated, at = self.demo_case.dated, self.demo_case.clock.find_moment(days_ago, 12)
        for item, disputed in self.demo_case.items:
            self._type_part(
                f"item-{item.pk}",
                {
                    "outcome": str(disputed.outcome),
                    "rationale": dated.fill_text(disputed.rationale.replace(without, "")),
                    "basis": disputed.basis,
                    "why_not_higher": disputed.why_not_higher,
                },
                at,
            )
            for key in disputed.cites:
                recommendation = find_recommendation(AUTHORITIES[key], on=dated.requested_on)
                writing.add_citation(
                    assignment_id=self.assignment.pk,
                    item_id=item.pk,
                    recommendation_id=recommendation.pk if recommendation else None,
                    as_printed="",
                    by=self.by,
                    at=at,
                )

    def change_rationale(self, days_ago: int) -> None:
        """Write the whole rationale of each item, after the review was returned."""
        dated, at = self.demo_case.dated, self.demo_case.clock.find_moment(days_ago, 13)
        for item, disputed in self.demo_case.items:
            text = dated.fill_text(disputed.rationale)
            self._type_part(f"item-{item.pk}", {"rationale": text}, at)

    def submit_review(self, days_ago: int) -> None:
        """Sign the review and submit it."""
        at = self.demo_case.clock.find_moment(days_ago, 14)
        writing.submit_review(assignment_id=self.assignment.pk, by=self.by, at=at)

    def write_review(self, days_ago: int, *, without: str = "") -> None:
        """Read the records, write everything and submit it."""
        self.open_records(days_ago)
        self.write_summary(days_ago)
        self.write_decisions(days_ago, without=without)
        self.submit_review(days_ago)

    def _type_part(self, part: str, content: Mapping[str, str], at: datetime) -> None:
        draft = self.assignment.drafts.filter(part=part).first()
        writing.save_review_draft(
            assignment_id=self.assignment.pk,
            part=part,
            content=content,
            revision=draft.revision if draft else 0,
            by=self.by,
            at=at,
        )
        writing.save_version(
            assignment_id=self.assignment.pk, part=part, by=self.by, at=at, why="Left the part"
        )
