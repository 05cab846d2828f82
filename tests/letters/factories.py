"""Wording, facts and documents for tests about letters; nothing here knows of cases."""

import io
import json
from datetime import UTC, date, datetime
from pathlib import Path
from unittest import mock

import pikepdf

from accounts.roles import Role
from letters import services, typesetting
from letters.documents import (
    Analysis,
    Credentials,
    DeterminationDocument,
    NoticeDocument,
    Organization,
    PrintedItem,
    Recipient,
)
from letters.facts import Fact, FactName
from letters.models import DeliveryMethod, Letter, WordingSet

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "letters" / "wording"
NOW = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)  # 10:00 in Los Angeles
TODAY = date(2026, 3, 2)

PROOF = (
    "case_file_dispatched",
    "no_affiliation_employer",
    "no_affiliation_employee",
    "no_affiliation_providers",
    "no_affiliation_claims_administrator",
    "attestation_signed",
    "board_certification",
    "license",
    "practice_years",
    "practice_hours",
    "specialty_match",
    "training_law",
    "training_evidence",
    "records_reviewed",
)
PRINTED = {
    "imro_name": "Golden State Medical Review",
    "imro_short_name": "GSMR",
    "imro_phone": "(800) 555-0100",
    "petition_days": "30",
    "petition_days_ca": "5",
    "petition_days_us": "10",
    "petition_days_abroad": "20",
    "authorize_days": "5",
    "reimburse_days": "20",
    "case_number": "CM26-0000001",
    "specialties": "Physical Medicine & Rehabilitation",
    "license_states": "California",
}
DECLARED = (
    *(FactName(name, name.replace("_", " ").capitalize(), printed=False) for name in PROOF),
    *(FactName(name, name.replace("_", " ").capitalize(), printed=True) for name in PRINTED),
    FactName("reviewer", "Number of the reviewer", printed=True),
)

ORGANIZATION = Organization(
    name="Golden State Medical Review",
    short_name="GSMR",
    address=("P.O. Box 0000", "Sacramento, CA 95800"),
    phone="(800) 555-0100",
)


def facts(**changes):
    """Everything that a determination rests on, all of it in force. ``None`` leaves one out."""
    held = {name: Fact(name, f"PROOF-{name}", source=f"row of {name}") for name in PROOF}
    held |= {name: Fact(name, value) for name, value in PRINTED.items()}
    held |= changes
    return [one for one in held.values() if one is not None]


def wording(layout="determination-today", *, by=None):
    """The shipped wording of a layout, published."""
    made = services.import_wording(text=(SHIPPED / f"{layout}.toml").read_text(), by=by, at=NOW)
    if made.state == "DRAFT":
        made = services.publish_wording(set_id=made.pk, by=by or director(), at=NOW)
    return made


def director(**fields):
    from tests.factories import person

    return person(Role.DIRECTOR, **fields)


def determination(composed, **changes):
    """A determination of one item, with the sentences that were composed for it."""
    fields = {
        "title": "Independent Medical Review Final Determination, Case Number CM26-0000001",
        "organization": ORGANIZATION,
        "dated_on": TODAY,
        "case_number": "CM26-0000001",
        "how_made": composed.paragraphs("how_made"),
        "summary_lead_in": composed.text("summary_lead_in"),
        "summary": "A clerk aged 46 hurt her neck.\n\nTwo injections at C3-C4 gave short relief.",
        "decisions_lead_in": composed.text("decisions_lead_in"),
        "items": (item(),),
        "credentials": (Credentials("Physical Medicine & Rehabilitation", "California"),),
        "date_assigned": date(2026, 2, 2),
        "date_of_injury": date(2024, 5, 1),
        "decision_date": TODAY,
        "ur_denial_date": date(2025, 12, 20),
        "priority": "Regular",
        "application_received": date(2026, 1, 5),
        "closing": composed.paragraphs("closing"),
    }
    return DeterminationDocument(**(fields | changes))


def item(**changes):
    fields = {
        "title": "Cervical epidural steroid injection at C3-C4 under fluoroscopy",
        "outcome": "Upheld",
        "claims_administrator_guideline": "MTUS, Chronic Pain, epidural steroid injections.",
        "analyses": (
            Analysis("MTUS, Chronic Pain, page 46.", "The relief lasted days. It is not needed."),
        ),
    }
    return PrintedItem(**(fields | changes))


def notice(composed, **changes):
    fields = {
        "title": "Notice of Assignment and Request for Information, Case Number CM26-0000001",
        "organization": ORGANIZATION,
        "dated_on": TODAY,
        "case_number": "CM26-0000001",
        "recipient": Recipient("Claims administrator", "Pacific Claims", ("1 Main Street",)),
        "employee": "Maria Example",
        "claims_administrator": "Pacific Claims",
        "claim_number": "WC-1",
        "treatments": ("Norco 10/325mg #60",),
        "requesting_physician": "A. Sample, M.D.",
        "ur_decision_date": date(2025, 12, 20),
        "application_received": date(2026, 1, 5),
        "priority": "Regular",
        "opening": composed.paragraphs("opening"),
        "deadline": composed.paragraphs("deadline"),
        "records_lead_in": composed.text("records_lead_in"),
        "records": composed.sentences("records"),
        "penalty": composed.paragraphs("penalty"),
        "how_to_send": composed.paragraphs("how_to_send"),
    }
    return NoticeDocument(**(fields | changes))


def composed(wording_set, *, variants=("MD",), **changes):
    return services.compose_wording(
        wording_set=wording_set,
        facts=facts(**changes),
        declared=DECLARED,
        on=TODAY,
        variants=variants,
    )


def enqueue(wording_set, *, reference="CM26-0000001", at=NOW, by=None, document=None, **changes):
    """A determination letter, queued."""
    settings = {
        "kind": "determination",
        "reference": reference,
        "layout": wording_set.layout,
        "document": document or determination(composed(wording_set), case_number=reference),
        "facts": facts(),
        "declared": DECLARED,
        "on": TODAY,
        "wording_set": wording_set,
        "variants": ("MD",),
        "recipients": (
            services.RecipientAddress(
                1, "Employee", "Maria Example", DeliveryMethod.MAIL, "2 Oak Lane"
            ),
        ),
        "by": by,
        "at": at,
    }
    return services.enqueue_letter(**(settings | changes))


def file_letter(letter, *, at=NOW):
    """The letter, rendered and filed here and now."""
    return services.render_letter(letter_id=letter.pk, at=at, now=lambda: at)


def publish_sample_wording(*, at=NOW):
    """Put every shipped layout in force, unless it is."""
    by = None
    for path in sorted(SHIPPED.glob("*.toml")):
        made = services.import_wording(text=path.read_text(), by=by, at=at)
        if made.state == WordingSet.State.DRAFT:
            by = by or director()
            services.publish_wording(set_id=made.pk, by=by, at=at)


def stand_in(words, layout, on):
    """What ``typesetting.typeset_words`` returns, at no cost.

    An empty page that carries the words.
    """
    made = pikepdf.new()
    made.add_blank_page(page_size=(612, 792))
    made.docinfo["/Subject"] = f"{layout} {on} {json.dumps(words, sort_keys=True)}"
    out = io.BytesIO()
    made.save(out, deterministic_id=True)
    return typesetting.TypesetLetter(out.getvalue(), 1)


def file_without_typesetting(*, at=NOW):
    """As ``file_all_letters``, for tests about something else: the PDFs are empty pages.

    Typesetting starts a process for each letter; four notices cost most of a second.
    """
    with mock.patch.object(typesetting, "typeset_words", stand_in):
        return file_all_letters(at=at)


def file_all_letters(*, at=NOW):
    """Every queued letter, rendered and filed here and now, as the workers would in time."""
    queued = Letter.objects.filter(state=Letter.State.QUEUED).order_by("created_at", "pk")
    return [file_letter(letter, at=at) for letter in queued]
