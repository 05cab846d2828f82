"""Default data of the panel: specialties, a first specialty map, and the attestation wording.

The office is expected to change all of it. The specialties have the names that the Division of
Workers' Compensation uses. The map is our own first version and not confirmed.
"""

from datetime import date, datetime

from django.db import transaction

from accounts.models import User
from cases.models import TreatmentCategory

from .models import AttestationWording, Condition, LicenseKind, ScopeLimit, Specialty, SpecialtyFit

SPECIALTIES: tuple[str, ...] = (
    "Addiction Psychiatry",
    "Allergy & Immunology",
    "Anesthesiology",
    "Cardiovascular Disease",
    "Child & Adolescent Psychiatry",
    "Chiropractic",
    "Colon & Rectal Surgery",
    "Critical Care Medicine",
    "Dentist",
    "Dermatology",
    "Diagnostic Radiology",
    "Emergency Medicine",
    "Family Practice",
    "Gastroenterology",
    "General Vascular Surgery",
    "Geriatric Medicine",
    "Hand Surgery",
    "Hospice & Palliative",
    "Infectious Disease",
    "Internal Medicine",
    "Interventional Cardiology",
    "Medical Oncology",
    "Medical Toxicology",
    "Nephrology",
    "Neurological Surgery",
    "Neurology",
    "Neuromuscular Medicine",
    "Neuroradiology",
    "Occupational Medicine",
    "Oncology",
    "Ophthalmology",
    "Optometry",
    "Oriental Medicine",
    "Orthopedic Surgery",
    "Otolaryngology",
    "Pain Management",
    "Pediatrics",
    "Physical Medicine & Rehabilitation",
    "Plastic Surgery",
    "Podiatric Surgery",
    "Podiatrist",
    "Preventive Medicine",
    "Psychiatry",
    "Psychologist",
    "Psychology",
    "Public Health & General Preventive Medicine",
    "Pulmonary Disease",
    "Radiology",
    "Registered Nurse",
    "Rheumatology",
    "Sleep Medicine",
    "Sports Medicine",
    "Surgery",
    "Surgical Critical Care",
    "Thoracic Surgery",
    "Urology",
)

# Groups of specialties that several lines of the map have in common.
_MEDICAL = (
    "Occupational Medicine",
    "Preventive Medicine",
    "Family Practice",
    "Internal Medicine",
    "Physical Medicine & Rehabilitation",
    "Emergency Medicine",
)
_PAIN = ("Pain Management", "Anesthesiology", "Physical Medicine & Rehabilitation", "Neurology")
_BONES = (
    "Orthopedic Surgery",
    "Physical Medicine & Rehabilitation",
    "Sports Medicine",
    "Occupational Medicine",
    "Preventive Medicine",
    "Family Practice",
)
_MIND = ("Psychiatry", "Addiction Psychiatry", "Psychologist", "Psychology")

# Conditions of the map: name → (prefixes of ICD-10-CM codes, phrases).
CONDITIONS: dict[str, tuple[str, str]] = {
    "Complex regional pain syndrome": (
        "G90.5, G56.4, G57.7",
        "complex regional pain syndrome, CRPS, reflex sympathetic dystrophy",
    ),
    "Depression and anxiety": (
        "F32, F33, F34.1, F40, F41",
        "depression, depressive disorder, anxiety, anxiety disorder",
    ),
    "Post-traumatic stress": ("F43.1", "post traumatic stress disorder, PTSD"),
    "Carpal tunnel syndrome": ("G56.0", "carpal tunnel syndrome, carpal tunnel"),
    "Traumatic brain injury": ("S06", "traumatic brain injury, TBI, concussion"),
    "Asthma and lung disease": ("J44, J45, J68, J84", "asthma, COPD, interstitial lung disease"),
    "Heart disease": ("I20, I21, I25, I50", "coronary artery disease, heart failure"),
    "Hernia": ("K40, K41, K42, K43", "hernia, inguinal hernia, umbilical hernia"),
}

# (category, child category, condition, body part, specialties, reason). "" matches everything.
MAP: tuple[tuple[str, str, str, str, tuple[str, ...], str], ...] = (
    ("Pharmaceuticals", "", "", "", (*_MEDICAL, *_PAIN), "prescribes and monitors such drugs"),
    (
        "Pharmaceuticals",
        "Opioids",
        "",
        "",
        (*_MEDICAL, *_PAIN, "Addiction Psychiatry"),
        "prescribes and tapers opioids",
    ),
    (
        "Pharmaceuticals",
        "Antidepressant",
        "",
        "",
        (*_MEDICAL, *_PAIN, "Psychiatry", "Addiction Psychiatry"),
        "prescribes antidepressants",
    ),
    (
        "Injection",
        "",
        "",
        "",
        (*_PAIN, "Orthopedic Surgery", "Neurological Surgery", "Occupational Medicine"),
        "performs or orders such injections",
    ),
    (
        "Surgery",
        "",
        "",
        "",
        (
            "Orthopedic Surgery",
            "Hand Surgery",
            "Neurological Surgery",
            "Surgery",
            "Physical Medicine & Rehabilitation",
            "Occupational Medicine",
        ),
        "operates, or treats before and after such operations",
    ),
    (
        "Surgery",
        "Spine",
        "",
        "",
        ("Orthopedic Surgery", "Neurological Surgery"),
        "operates on the spine",
    ),
    (
        "Surgery",
        "",
        "",
        "Hand",
        ("Hand Surgery", "Orthopedic Surgery", "Plastic Surgery"),
        "operates on the hand",
    ),
    ("Surgery", "", "", "Wrist", ("Hand Surgery", "Orthopedic Surgery"), "operates on the wrist"),
    (
        "Surgery",
        "",
        "",
        "Foot",
        ("Podiatric Surgery", "Podiatrist", "Orthopedic Surgery"),
        "operates on the foot",
    ),
    (
        "Rehabilitation",
        "",
        "",
        "",
        (*_BONES, "Chiropractic", "Internal Medicine"),
        "prescribes or gives such rehabilitation",
    ),
    (
        "Rehabilitation",
        "Acupuncture",
        "",
        "",
        (*_BONES, "Pain Management", "Oriental Medicine"),
        "prescribes or gives acupuncture",
    ),
    (
        "Rehabilitation",
        "Chiropractic",
        "",
        "",
        (*_BONES, "Chiropractic"),
        "prescribes or gives chiropractic care",
    ),
    (
        "Diagnostic Testing",
        "",
        "",
        "",
        (*_BONES, *_PAIN, "Internal Medicine", "Radiology", "Diagnostic Radiology"),
        "orders or reads such tests",
    ),
    (
        "DMEPOS",
        "",
        "",
        "",
        (*_BONES, "Pain Management", "Internal Medicine", "Chiropractic"),
        "prescribes such equipment",
    ),
    ("Psych Services", "", "", "", _MIND, "treats such conditions"),
    ("Evaluation & Management", "Dental", "", "", ("Dentist",), "gives dental care"),
    ("Home Health", "", "", "", (*_MEDICAL, "Geriatric Medicine"), "orders care at home"),
    (
        "Programs",
        "",
        "",
        "",
        # Only the specialties of psychiatrists, which come first in their group.
        (*_MEDICAL, *_PAIN, *_MIND[:2]),
        "refers to and oversees such programs",
    ),
    (
        "Injection",
        "",
        "Complex regional pain syndrome",
        "",
        (*_PAIN, "Neurological Surgery"),
        "treats such pain by injection",
    ),
    ("", "", "Complex regional pain syndrome", "", _PAIN, "treats such pain"),
    ("", "", "Depression and anxiety", "", _MIND, "treats such conditions"),
    ("", "", "Post-traumatic stress", "", _MIND, "treats such conditions"),
    (
        "",
        "",
        "Carpal tunnel syndrome",
        "",
        (*_BONES, "Hand Surgery", "Neurology"),
        "treats such conditions",
    ),
    (
        "",
        "",
        "Traumatic brain injury",
        "",
        ("Neurology", "Physical Medicine & Rehabilitation", "Neurological Surgery"),
        "treats such injuries",
    ),
    (
        "",
        "",
        "Asthma and lung disease",
        "",
        ("Pulmonary Disease", "Internal Medicine"),
        "treats the lungs",
    ),
    (
        "",
        "",
        "Heart disease",
        "",
        ("Cardiovascular Disease", "Internal Medicine"),
        "treats the heart",
    ),
    (
        "",
        "",
        "Hernia",
        "",
        ("Surgery", "Occupational Medicine", "Family Practice"),
        "treats such conditions",
    ),
    ("", "", "", "Eye", ("Ophthalmology", "Optometry"), "treats the eye"),
    ("", "", "", "Teeth", ("Dentist",), "treats the teeth"),
    ("", "", "", "Spine", (*_BONES, *_PAIN, "Neurological Surgery"), "treats the spine"),
    ("", "", "", "Neck", (*_BONES, *_PAIN, "Neurological Surgery"), "treats the neck"),
    ("", "", "", "Back", (*_BONES, *_PAIN, "Neurological Surgery"), "treats the back"),
    ("", "", "", "Shoulder", _BONES, "treats the shoulder"),
    ("", "", "", "Knee", _BONES, "treats the knee"),
    ("", "", "", "Hand", (*_BONES, "Hand Surgery"), "treats the hand"),
    ("", "", "", "Wrist", (*_BONES, "Hand Surgery"), "treats the wrist"),
    ("", "", "", "Foot", (*_BONES, "Podiatrist", "Podiatric Surgery"), "treats the foot"),
)

WORDING_NUMBER = 1
# Independent medical review began on this day, so every case finds a wording in force.
WORDING_FROM = date(2013, 1, 1)
WORDING = (
    "I have been offered this case to review. I have read the names of the parties and the "
    "disputed treatments. I have considered my own affairs, my practice and my close family, and "
    "the answers below are true to the best of my knowledge. My payment does not depend on my "
    "decision. If an answer changes before the determination is issued, I will stop and report it "
    "immediately."
)
QUESTIONS: tuple[tuple[str, str], ...] = (
    (
        "employer",
        "Do you or your close family have a professional, family or financial affiliation with the "
        "employer, or with an officer, director or manager of the employer?",
    ),
    (
        "insurer",
        "Do you or your close family have such an affiliation with the insurer or the claims "
        "administrator, or with one of their officers, directors, managers or attorneys?",
    ),
    (
        "physician",
        "Do you or your close family have such an affiliation with the requesting physician, the "
        "physician’s medical group, or another provider in the dispute?",
    ),
    (
        "facility",
        "Do you or your close family have such an affiliation with the facility where the "
        "treatment was or would be given?",
    ),
    (
        "maker",
        "Do you or your close family have such an affiliation with a developer or manufacturer of "
        "the drug, device, procedure or other disputed treatment?",
    ),
    (
        "employee",
        "Do you know the injured worker or the worker’s close family, or have you ever treated or "
        "examined the worker?",
    ),
    (
        "attorney",
        "Do you or your close family have such an affiliation with an attorney or representative "
        "of either side?",
    ),
    (
        "utilization_review",
        "Do you or your close family have such an affiliation with the utilization review "
        "organization or the physician who reviewed the request for the claims administrator, or "
        "do you do utilization review under contract for anyone?",
    ),
    (
        "prior",
        "Have you been involved in this case, this injury or this request before, in any role?",
    ),
    (
        "surname",
        "If a party has your last name: are you related to that party?",
    ),
)


# Treatments that a license does not cover. Not confirmed, like the map.
SCOPES: tuple[tuple[LicenseKind, str, str], ...] = (
    (LicenseKind.DC, "Pharmaceuticals", "Chiropractic Initiative Act, section 7"),
    (LicenseKind.DC, "Surgery", "Chiropractic Initiative Act, section 7"),
    (LicenseKind.PSY, "Pharmaceuticals", "Business and Professions Code 2904"),
    (LicenseKind.PSY, "Surgery", "Business and Professions Code 2904"),
    (LicenseKind.LAC, "Pharmaceuticals", "Business and Professions Code 4937"),
    (LicenseKind.LAC, "Surgery", "Business and Professions Code 4937"),
)


@transaction.atomic
def seed_specialties(*, by: User | None, at: datetime) -> dict[str, int]:
    """Add the default rows that are missing. Existing rows are not changed.

    Lines of the map whose treatment category is missing are left for a later run.

    :returns: how many rows of each kind were added, and how many lines of the map are waiting.
    """
    stored = {row.name: row for row in Specialty.objects.all()}
    added = [Specialty(name=name) for name in SPECIALTIES if name not in stored]
    Specialty.objects.bulk_store(added, by=by, at=at, why="Default list")
    specialties = {row.name: row for row in Specialty.objects.all()}
    # Before the map, whose lines refer to the conditions.
    Condition.objects.bulk_store(_new_conditions(), by=by, at=at, why="Default, not confirmed")
    fits, waiting = _new_fits(specialties)
    SpecialtyFit.objects.bulk_store(fits, by=by, at=at, why="Default map, not confirmed")
    ScopeLimit.objects.bulk_store(_new_scopes(), by=by, at=at, why="Default, not confirmed")
    wordings = 0
    # A wording that reviewers may have signed is never replaced.
    if not AttestationWording.objects.filter(number=WORDING_NUMBER).exists():
        AttestationWording(
            number=WORDING_NUMBER,
            text=WORDING,
            questions=[{"code": code, "text": text} for code, text in QUESTIONS],
            effective_from=WORDING_FROM,
        ).store(by=by, at=at, why="Default wording")
        wordings = 1
    return {
        "specialties": len(added),
        "fits": len(fits),
        "wordings": wordings,
        "waiting": waiting,
    }


def _new_conditions() -> list[Condition]:
    stored = set(Condition.objects.values_list("name", flat=True))
    return [
        Condition(name=name, codes=codes, words=words)
        for name, (codes, words) in CONDITIONS.items()
        if name not in stored
    ]


def _new_scopes() -> list[ScopeLimit]:
    """Return the missing scope limits whose treatment category is on file."""
    tops = {row.name: row for row in TreatmentCategory.objects.filter(parent=None)}
    stored = set(ScopeLimit.objects.values_list("license_kind", "category_id"))
    return [
        ScopeLimit(license_kind=kind, category=tops[name], source=source)
        for kind, name, source in SCOPES
        if name in tops and (kind, tops[name].pk) not in stored
    ]


def _new_fits(specialties: dict[str, Specialty]) -> tuple[list[SpecialtyFit], int]:
    categories = {
        (row.parent.name if row.parent else row.name, row.name if row.parent else ""): row
        for row in TreatmentCategory.objects.select_related("parent")
    }
    conditions = {row.name: row for row in Condition.objects.all()}
    stored: set[tuple[int, int | None, int | None, str]] = set(
        SpecialtyFit.objects.values_list("specialty_id", "category_id", "condition_id", "body_part")
    )
    fits, waiting = [], 0
    for parent, child, named, part, names, reason in MAP:
        condition = conditions[named] if named else None
        category = categories.get((parent, child)) if parent else None
        if parent and category is None:
            waiting += 1
            continue
        # The groups overlap, and a line may not be on the map twice.
        for name in dict.fromkeys(names):
            key = (
                specialties[name].pk,
                category.pk if category else None,
                condition.pk if condition else None,
                part,
            )
            if key not in stored:
                # Two entries of ``MAP`` may give the same line, too.
                stored.add(key)
                fits.append(
                    SpecialtyFit(
                        specialty=specialties[name],
                        category=category,
                        condition=condition,
                        body_part=part,
                        reason=reason,
                    )
                )
    return fits, waiting
