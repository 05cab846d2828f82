"""The shape of a case of the demonstration: who, when, what is disputed, and what the papers say.

Every date of a story is a number of days before the request for authorization, so that the
demonstration is as fresh on any day as on the day on which it was written. Texts name a date by
its key in braces: ``{visit}`` becomes ``06/05/2026``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from deadlines.days import local_day
from guidelines.citations import Citation, describe_authority
from guidelines.models import Edition, Recommendation
from letters.outcomes import Outcome
from records.models import Document


@dataclass(frozen=True)
class Authority:
    """A topic of a guideline that the demonstration cites, with what it asks in our own words.

    :ivar guideline: the code of the guideline; the edition is the one in force on the day of the
        request.
    """

    guideline: str
    section: str
    keywords: str
    summary: str


AUTHORITIES: dict[str, Authority] = {
    "neck injection": Authority(
        "acoem-cervical-and-thoracic-spine",
        "Epidural glucocorticosteroid injections",
        "esi radicular pain cervical",
        "An option for radicular pain that examination and imaging or nerve tests explain. Another "
        "injection depends on marked relief that lasted for weeks and on better function.",
    ),
    "neck facet": Authority(
        "acoem-cervical-and-thoracic-spine",
        "Facet joint injections",
        "facet medial branch cervical",
        "Injections into facet joints are not routine care for neck pain.",
    ),
    "back imaging": Authority(
        "acoem-low-back",
        "Magnetic resonance imaging (MRI)",
        "imaging scan lumbar mri",
        "For red flags, or for radicular findings that persist and may lead to an invasive "
        "treatment. Repeated imaging without a change in findings is not recommended.",
    ),
    "back therapy": Authority(
        "acoem-low-back",
        "Exercise and supervised therapy",
        "physical therapy aquatic exercise",
        "A limited number of supervised visits that leads to exercise at home.",
    ),
    "gym": Authority(
        "odg-low-back",
        "Gym memberships",
        "gym pool exercise facility",
        "Not recommended as a medical prescription unless a documented home program was not "
        "effective, equipment is needed, and a medical professional monitors the treatment.",
    ),
    "home care": Authority(
        "odg-low-back",
        "Home health services",
        "home nursing infusion",
        "Recommended for skilled care of patients who cannot leave home.",
    ),
    "knee": Authority(
        "acoem-knee",
        "Meniscal tears: arthroscopic surgery",
        "knee meniscus arthroscopy",
        "An option for a tear with locking or catching, shown by examination and imaging, after "
        "conservative treatment. Not for degenerative tears without mechanical symptoms.",
    ),
    "shoulder therapy": Authority(
        "acoem-shoulder",
        "Therapeutic exercise",
        "physical therapy shoulder",
        "Supervised exercise with documented functional gain.",
    ),
    "shoulder imaging": Authority(
        "acoem-shoulder",
        "Magnetic resonance imaging (MRI)",
        "imaging scan shoulder",
        "For a suspected tear of the rotator cuff after failure of conservative treatment.",
    ),
    "hand tests": Authority(
        "acoem-hand-wrist-and-forearm",
        "Electrodiagnostic studies",
        "emg ncs nerve conduction carpal tunnel",
        "Recommended where carpal tunnel syndrome is suspected, symptoms persist despite "
        "conservative treatment, and the result bears on the choice of treatment.",
    ),
    "lidocaine": Authority(
        "acoem-chronic-pain",
        "Topical lidocaine",
        "lidocaine patch neuropathic",
        "An option for localized neuropathic pain after a trial of an oral drug for neuropathic "
        "pain that failed or was not tolerated.",
    ),
    "acupuncture": Authority(
        "acoem-chronic-pain",
        "Acupuncture",
        "needles",
        "A trial of visits beside active exercise; further visits with functional gain.",
    ),
    "restoration": Authority(
        "acoem-chronic-pain",
        "Functional restoration programs",
        "frp multidisciplinary",
        "For motivated patients with a thorough evaluation, in blocks with documented gains.",
    ),
    "stimulation": Authority(
        "acoem-chronic-pain",
        "Transcutaneous electrical nerve stimulation (TENS)",
        "tens unit",
        "An option as an addition to exercise, after a trial with documented benefit.",
    ),
    "opioids": Authority(
        "acoem-opioids",
        "Opioids for chronic pain",
        "hydrocodone norco monitoring",
        "Only with documented functional gain and monitoring of risk.",
    ),
    "psychotherapy": Authority(
        "acoem-depressive-disorders",
        "Cognitive behavioral therapy",
        "psychotherapy depression",
        "Recommended for depressive disorders that a full evaluation establishes.",
    ),
}


@dataclass(frozen=True)
class Worker:
    """The injured worker as the application names them."""

    name: str
    born: date
    sex: str
    address: str
    phone: str


@dataclass(frozen=True)
class Office:
    """A company, physician or attorney as the application names them.

    :ivar contact: the adjuster, or the group of a physician.
    :ivar reached_by: an email address or fax number where letters do not go by mail.
    """

    name: str
    address: str
    phone: str = ""
    contact: str = ""
    specialty: str = ""
    channel: str = "MAIL"
    reached_by: str = ""


@dataclass(frozen=True)
class Disputed:
    """One disputed item: the request, what UR cites for it, and what the reviewer decides.

    :ivar ur_cites: keys of ``AUTHORITIES``; empty where UR cites nothing.
    :ivar cites: keys of ``AUTHORITIES`` that the reviewer cites; the rationale argues from them.
    """

    title: str
    category: tuple[str, str]
    body_part: str
    ur_reason: str
    ur_cites: tuple[str, ...] = ()
    outcome: Outcome | None = None
    rationale: str = ""
    cites: tuple[str, ...] = ()
    basis: str = "A"
    why_not_higher: str = ""


@dataclass(frozen=True)
class Record:
    """One medical record: its day by key of the story's dates, and its pages."""

    kind: Document.Kind
    title: str
    author: str
    day: str
    pages: tuple[str, ...]
    sent_by: Document.SentBy = Document.SentBy.CLAIMS_ADMINISTRATOR
    last_day: str = ""


@dataclass(frozen=True)
class Story:
    """Everything that the papers of one case say.

    :ivar dates: key to days before the request for authorization; ``injury`` is always there.
    :ivar exposure: days before the request on which a cumulative trauma began; its last day is
        ``injury``.
    :ivar filed_after: days from the UR decision to the receipt of the application.
    :ivar signed: whether the employee signed the application.
    :ivar service_stated: whether the UR decision says when and how it was served.
    :ivar liability: why liability is disputed, as the UR decision says; empty where it is not.
    """

    key: str
    worker: Worker
    employer: Office
    administrator: Office
    physician: Office
    claim: str
    diagnosis: str
    dates: Mapping[str, int]
    items: tuple[Disputed, ...]
    attorney: Office | None = None
    records: tuple[Record, ...] = ()
    summary: str = ""
    exposure: int | None = None
    filed_after: int = 12
    signed: bool = True
    service_stated: bool = True
    expedited: bool = False
    liability: str = ""


@dataclass(frozen=True)
class DatedStory:
    """A story on the days of one run: its dates, and its texts with the dates filled in."""

    story: Story
    received_on: date
    decided_on: date
    requested_on: date
    words: Mapping[str, str]

    def find_date(self, key: str) -> date:
        """Return one of the story's own dates."""
        return find_day(self.requested_on, self.story.dates[key], key)

    def fill_text(self, text: str) -> str:
        """Return a text of the story on these days, without the line breaks of the code."""
        filled = text.format_map(self.words)
        return "\n\n".join(" ".join(part.split()) for part in filled.strip().split("\n\n"))

    def cite_authorities(self, keys: tuple[str, ...]) -> list[Citation]:
        """Return authorities as a decision cites them, in the edition of the request date."""
        return [cite_authority(AUTHORITIES[key], on=self.requested_on) for key in keys]


def find_day(requested_on: date, days: int, key: str) -> date:
    """Return a date of a story. Offices are closed on weekends; an injury can happen on any day."""
    day = requested_on - timedelta(days=days)
    return day if key == "injury" else to_weekday(day)


def to_weekday(day: date) -> date:
    """Return the day itself, or the Friday before a weekend."""
    return day - timedelta(days=max(0, day.weekday() - 4))


def date_story(story: Story, *, received_at: datetime) -> DatedStory:
    """Place a story's dates before the receipt of its application. Queries the editions."""
    received_on = local_day(received_at)
    decided_on = to_weekday(received_on - timedelta(days=story.filed_after))
    # Within the time that utilization review has, so that no decision of the demonstration is late.
    requested_on = to_weekday(decided_on - timedelta(days=2 if story.expedited else 5))
    worker = story.worker
    days = {key: find_day(requested_on, ago, key) for key, ago in story.dates.items()}
    words = {key: f"{day:%m/%d/%Y}" for key, day in days.items()}
    words |= {
        "requested": f"{requested_on:%m/%d/%Y}",
        "decided": f"{decided_on:%m/%d/%Y}",
        "age": str(_count_years(worker.born, requested_on)),
        "physician": story.physician.name,
    }
    if story.exposure is not None:
        words["exposure"] = f"{requested_on - timedelta(days=story.exposure):%m/%d/%Y}"
    for item in story.items:
        # A text names an authority by its key, in the edition in force on the request date.
        for key in (*item.ur_cites, *item.cites):
            words[key] = _name_authority(AUTHORITIES[key], on=requested_on)
    return DatedStory(story, received_on, decided_on, requested_on, words)


def find_edition(one: Authority, *, on: date) -> Edition:
    """Return the edition of a guideline in force on a day. Queries."""
    editions = Edition.objects.select_related("guideline__source").in_force(on)
    edition: Edition = editions.get(guideline__code=one.guideline)
    return edition


def find_recommendation(one: Authority, *, on: date) -> Recommendation | None:
    """Return the topic as the guideline administrator keeps it. Queries."""
    edition = find_edition(one, on=on)
    recommendation: Recommendation | None = edition.recommendations.filter(
        section=one.section
    ).first()
    return recommendation


def cite_authority(one: Authority, *, on: date) -> Citation:
    """Return the authority as a decision about a request of this day cites it."""
    edition = find_edition(one, on=on)
    guideline = edition.guideline
    if guideline.source.is_mtus:
        return Citation(
            source=guideline.source.name,
            mtus=True,
            chapter=guideline.title,
            edition=edition.label,
            sections=(one.section,),
        )
    return Citation(
        source=guideline.source.name,
        as_printed=f"{guideline.source.name}, {guideline.title}, {one.section}",
    )


def name_citation(citation: Citation) -> str:
    """Return an authority as the paper of the UR decision prints it."""
    return (
        f"MTUS, {describe_authority(citation)}" if citation.mtus else describe_authority(citation)
    )


def _name_authority(one: Authority, *, on: date) -> str:
    """Return the authority as a sentence of a rationale names it."""
    edition = find_edition(one, on=on)
    guideline = edition.guideline
    if guideline.source.is_mtus:
        return f"the MTUS guideline {guideline.title}, edition of {edition.label},"
    return f"the {guideline.source.name}, {guideline.title},"


def _count_years(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
