"""Treatment categories of a new installation.

The office changes and confirms them. A second run adds only what is missing.
"""

from datetime import datetime

from django.db import transaction

from accounts.models import User

from .models import TreatmentCategory

# Categories of the public decision search. Incomplete, mostly in the classes of drugs.
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
    """Add the shipped categories that are missing. Rows that the office changed stay."""
    for name, kinds in CATEGORIES.items():
        parent = _seed_category(name, None, by=by, at=at)
        for kind in kinds:
            _seed_category(kind, parent, by=by, at=at)


def _seed_category(
    name: str, parent: TreatmentCategory | None, *, by: User | None, at: datetime
) -> TreatmentCategory:
    # By name and parent, so a category that the office renamed is added again.
    stored = TreatmentCategory.objects.filter(name=name, parent=parent).first()
    return stored or TreatmentCategory(name=name, parent=parent).store(by=by, at=at, why=WHY)
