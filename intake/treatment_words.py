"""Guesses the category of a treatment from its title. Pure: word patterns, first match wins.

The guess only preselects a category; the clerk's own choice always counts. The names are those of
the categories in ``cases.seeds``. A category that the office has switched off is not guessed.
"""

import re

from directory.names import fold_name

# Patterns for the beginning of a word, and the category they point to: parent, name ("" for the
# parent itself). The order matters: "surgical consult" must come before "surger".
_RULES: tuple[tuple[str, tuple[str, str]], ...] = (
    (r"surgical consult|consult\w* with \w*\s?surgeon", ("Surgery", "Surgical consult")),
    (r"pre ?op|assistant surgeon|post ?op|surgical assist", ("Surgery", "Adjunct services")),
    (r"arthroscop", ("Surgery", "Arthroscopic")),
    (r"fusion|laminectom|discectom|disc replacement|corpectom", ("Surgery", "Spine")),
    (r"facet|medial branch|rhizotom|radiofrequency|\brfa\b", ("Injection", "Facet")),
    (r"viscosuppl|hyaluron|synvisc|orthovisc|euflexxa|supartz",
     ("Pharmaceuticals", "Viscosupplementation")),
    (r"inject|\besi\b|epidural|nerve block|trigger point", ("Injection", "Injection")),
    (r"surger|repair|replacement|carpal tunnel release|excision", ("Surgery", "Non-arthroscopic")),
    (r"\bmri\b|magnetic resonance|x ?ray|radiograph|\bct\b|ultrasound|bone scan",
     ("Diagnostic Testing", "Imaging/Radiology")),
    (r"\bemg\b|\bncv\b|\bncs\b|electromyogra|nerve conduction",
     ("Diagnostic Testing", "EMG/NCV/NCS")),
    (r"urine|drug screen|\buds\b|blood test|\blab\b|panel|toxicolog",
     ("Diagnostic Testing", "Lab & Pathology")),
    (r"compound|cream|ointment", ("Pharmaceuticals", "Topical compounds")),
    (r"lidocaine|lidoderm|voltaren gel|diclofenac gel|terocin|topical|patch",
     ("Pharmaceuticals", "Topical analgesics")),
    (r"norco|hydrocodone|oxycod|percocet|oxycontin|tramadol|ultram|morphin|fentanyl|tapentadol|"
     r"nucynta|butrans|bupren|methadone|codeine|opioid", ("Pharmaceuticals", "Opioids")),
    (r"naproxen|ibuprofen|celebrex|celecoxib|meloxicam|mobic|diclofenac|relafen|nabumetone|"
     r"etodolac|anaprox|nsaid", ("Pharmaceuticals", "NSAID")),
    (r"cyclobenzaprin|flexeril|soma\b|carisoprodol|tizanidin|zanaflex|baclofen|methocarbamol|"
     r"robaxin|metaxalone|orphenadrin", ("Pharmaceuticals", "Muscle relaxant")),
    (r"gabapentin|neurontin|pregabalin|lyrica|topiramat|topamax",
     ("Pharmaceuticals", "Anti-epilepsy")),
    (r"duloxetin|cymbalta|amitriptylin|elavil|trazodone|sertralin|zoloft|venlafaxin|bupropion",
     ("Pharmaceuticals", "Antidepressant")),
    (r"xanax|alprazolam|valium|diazepam|ativan|lorazepam|klonopin|clonazepam",
     ("Pharmaceuticals", "Benzodiazepine")),
    (r"omeprazole|prilosec|pantoprazol|protonix|nexium|esomeprazol|lansoprazol",
     ("Pharmaceuticals", "PPI")),
    (r"ranitidin|famotidin|zantac|pepcid", ("Pharmaceuticals", "H2")),
    (r"ambien|zolpidem|lunesta|eszopiclon", ("Pharmaceuticals", "Sedative-hypnotics")),
    (r"ondansetron|zofran", ("Pharmaceuticals", "Antiemetic")),
    (r"theramine|sentra|vitamin|medical food", ("Pharmaceuticals", "Nutritional")),
    (r"\btens\b|h ?wave|interferential|neuromuscular stim|electrical stim|muscle stim",
     ("DMEPOS", "Electrical Stimulation")),
    (r"orthotic|prosthe|brace|splint|\blso\b", ("DMEPOS", "Prosthetics/Orthotics")),
    (r"electrode|batter|supplies", ("DMEPOS", "Supplies")),
    (r"walker|wheelchair|crutch|cane\b|hospital bed|cold therapy|hot cold|purchase|rental|\bdme\b",
     ("DMEPOS", "DME")),
    (r"acupunct", ("Rehabilitation", "Acupuncture")),
    (r"chiropract|manipulation", ("Rehabilitation", "Chiropractic")),
    (r"physical therap|physiotherap|occupational therap|\bpt\b|\bot\b|aquatic",
     ("Rehabilitation", "PT/OT")),
    (r"psychotherap|cognitive behav|\bcbt\b|biofeedback", ("Psych Services", "Therapies")),
    (r"psych", ("Psych Services", "E&M")),
    (r"home health|home care|caregiver", ("Home Health", "")),
    (r"functional restoration|work hardening|weight loss|detox|gym|program", ("Programs", "")),
    (r"transport|mileage", ("Transportation", "")),
    (r"dental|dentist", ("Evaluation & Management", "Dental")),
    (r"consult|office visit|follow ?up|evaluation|referral",
     ("Evaluation & Management", "Medical Specialties")),
    (r"massage", ("Therapies", "")),
)  # fmt: skip

_COMPILED = tuple((re.compile(rf"\b(?:{words})"), category) for words, category in _RULES)


def guess_category(title: str) -> tuple[str, str] | None:
    """Guess the category of a treatment: its parent's name and its own; ``None`` if no rule fits.

    The second name is empty if the parent category itself is meant.
    """
    plain = fold_name(title)
    return next((category for rule, category in _COMPILED if rule.search(plain)), None)
