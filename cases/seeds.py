"""What the office starts with: the treatment categories.

Shipped to be changed and confirmed by the office; a second run adds only what is missing.
"""

from datetime import datetime

from django.db import transaction

from accounts.models import User

from .models import TreatmentCategory

# The kinds of treatment by which the public decision search sorts; incomplete, above all the
# classes of drugs.
CATEGORIES: dict[str, tuple[str, ...]] = {
    "Diagnostic Testing": ("Imaging/Radiology", "EMG/NCV/NCS", "Lab & Pathology", "Other"),
    "DMEPOS": ("DME", "Electrical Stimulation", "Prosthetics/Orthotics", "Supplies"),
    "Evaluation & Management": ("Medical Specialties", "Dental"),
    "Home Health": (),
    "Injection": ("Injection", "Facet"),
    "Pharmaceuticals": (
        "Opioids",
        "NSAID",
        "Muscle relaxant",
        "Anti-epilepsy",
        "Antidepressant",
        "Benzodiazepine",
        "PPI",
        "H2",
        "Topical analgesics",
        "Topical compounds",
        "Misc analgesics",
        "Sedative-hypnotics",
        "Stimulants",
        "Cannabinoids",
        "Viscosupplementation",
        "Nutritional",
        "Antiemetic",
    ),
    "Programs": (),
    "Psych Services": ("E&M", "Therapies"),
    "Rehabilitation": ("PT/OT", "Acupuncture", "Chiropractic", "Other"),
    "Surgery": (
        "Spine",
        "Arthroscopic",
        "Non-arthroscopic",
        "Adjunct services",
        "Surgical consult",
    ),
    "Therapies": (),
    "Transportation": (),
}
WHY = "Shipped with the portal"


@transaction.atomic
def seed_categories(*, by: User | None, at: datetime) -> None:
    """Add the shipped rows that are missing; what the office changed stays."""
    for name, kinds in CATEGORIES.items():
        parent = _category(name, None, by=by, at=at)
        for kind in kinds:
            _category(kind, parent, by=by, at=at)


def _category(
    name: str, parent: TreatmentCategory | None, *, by: User | None, at: datetime
) -> TreatmentCategory:
    known = TreatmentCategory.objects.filter(name=name, parent=parent).first()
    return known or TreatmentCategory(name=name, parent=parent).store(by=by, at=at, why=WHY)
