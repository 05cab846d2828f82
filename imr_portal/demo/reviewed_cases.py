"""Cases of the demonstration whose records are complete: what their papers and reviews say.

Every person, company, address and claim is invented. What a summary or a rationale states is in
one of the records.
"""

from datetime import date

from letters.outcomes import Outcome
from records.models import Document

from .stories import Disputed, Office, Record, Story, Worker

_Kind, _SentBy = Document.Kind, Document.SentBy

# The first case: QA returns the review once, then the determination is issued.
NECK_INJECTION = Story(
    key="neck injection",
    worker=Worker(
        "Marisol Quintanar",
        date(1979, 3, 14),
        "FEMALE",
        "1180 Sage Ridge Drive\nReno, NV 89509",
        "(775) 555-0111",
    ),
    employer=Office("Harborline Cold Storage", "400 Port Road\nStockton, CA 95203"),
    administrator=Office(
        "Pacific Comp Claims",
        "PO Box 40122\nSacramento, CA 95841",
        "(916) 555-0140",
        contact="J. Merriweather",
    ),
    physician=Office(
        "Dana Oyelaran",
        "900 Orchard Avenue, Suite 110\nModesto, CA 95350",
        "(209) 555-0162",
        contact="Valley Spine & Joint Group",
        specialty="Physical Medicine & Rehabilitation",
    ),
    attorney=Office("Ruth Castellanos", "18 Court Plaza\nSacramento, CA 95814", "(916) 555-0118"),
    claim="06-219380451",
    diagnosis="M50.20, M54.12",
    dates={
        "injury": 611,
        "scan": 420,
        "first": 336,
        "second": 203,
        "therapy_from": 540,
        "therapy_to": 455,
        "visit": 8,
    },
    items=(
        Disputed(
            "Cervical epidural steroid injection at C3-C4 and C4-C5 with fluoroscopic guidance",
            ("Injection", "Injection"),
            "neck",
            "Two injections, on {first} and {second}, gave transient relief according to the "
            "report of {visit}. The criteria for another injection are not met.",
            ur_cites=("neck injection",),
            outcome=Outcome.UPHELD,
            rationale="""\
Under {neck injection} an epidural injection is an option for radicular pain that examination and
imaging or nerve tests explain, and another injection depends on marked relief that lasted for
weeks and on better function.

The injured worker has had two injections, on {first} and {second}. The report of {visit} states
that each gave transient relief of the neck pain, and that the second gave relief for about 9 days.
A gain in function after either injection is not documented. The
examination of {visit} describes no radicular findings. Therefore, the request is not medically
necessary.""",
            cites=("neck injection",),
        ),
    ),
    records=(
        Record(
            _Kind.CONSULTATION,
            "Orthopedic consultation",
            "Dana Oyelaran, MD",
            "visit",
            (
                "Date of service: {visit}\nDate of injury: {injury}\n\n"
                "HISTORY\nThis {age}-year-old woman injured her neck at work on {injury}, when her "
                "badge was caught in the door of a refrigerator and her neck was thrown forward. "
                "Since then she has had severe neck pain and headaches.\n\n"
                "SUBJECTIVE\nPain is located at the base of the neck. She reports headaches at the "
                "front and back of the head. She has difficulty sleeping, and her activities are "
                "decreased.\n\n"
                "PRIOR TREATMENT\nTwo cervical epidural steroid injections at C3-C4 and C4-C5, on "
                "{first} and {second}. Each gave transient relief of the neck pain. The second "
                "gave relief for about 9 days. Physical therapy, 16 sessions. Medication has "
                "included Norco and ibuprofen.",
                "OBJECTIVE\nThere is tenderness of the neck muscles with spasm, left greater than "
                "right. Range of motion of the cervical spine in degrees: flexion 60, extension "
                "60, lateral bending 20 on both sides, rotation 60 on both sides. Strength, "
                "sensation and reflexes of both arms are normal.\n\n"
                "IMAGING\nCT of the cervical spine of {scan}: focal stenosis on the left at "
                "C3-C4.\n\n"
                "ASSESSMENT\nCervical pain. Degenerative disk disease of the cervical spine. "
                "Cervical disk herniation.\n\n"
                "PLAN\nAnother cervical epidural steroid injection at C3-C4 and C4-C5 under "
                "fluoroscopy.",
            ),
            _SentBy.REQUESTING_PHYSICIAN,
        ),
        Record(
            _Kind.IMAGING,
            "CT of the cervical spine",
            "Delta Radiology Associates",
            "scan",
            (
                "Date of examination: {scan}\n\nTECHNIQUE\nCT of the cervical spine without "
                "contrast.\n\nFINDINGS\nFocal stenosis on the left at the C3-C4 level. "
                "No fracture.",
            ),
        ),
        Record(
            _Kind.OPERATIVE,
            "Procedure notes, cervical epidural injections",
            "Valley Spine & Joint Group",
            "first",
            (
                "Date of procedure: {first}\n\nCervical epidural steroid injection at C3-C4 and "
                "C4-C5 under fluoroscopy. No complication.",
                "Date of procedure: {second}\n\nSecond cervical epidural steroid injection at "
                "C3-C4 and C4-C5 under fluoroscopy. No complication.",
            ),
            last_day="second",
        ),
        Record(
            _Kind.THERAPY,
            "Physical therapy notes",
            "Stockton Physical Therapy",
            "therapy_from",
            (
                "Dates of service: {therapy_from} to {therapy_to}\n\n16 sessions of physical "
                "therapy for the neck were completed. The patient was discharged to exercises at "
                "home.",
            ),
            last_day="therapy_to",
        ),
    ),
    summary="""\
The injured worker is a {age}-year-old woman who sustained an injury to her neck on {injury}, when
her badge was caught in the door of a refrigerator and her neck was thrown forward. Since then she
has had severe neck pain and headaches.

Prior treatment has included cervical epidural steroid injections at C3-C4 and C4-C5 on {first} and
{second}, and 16 sessions of physical therapy. Medication has included Norco and ibuprofen. A CT of
the cervical spine dated {scan} revealed focal stenosis on the left at C3-C4.

According to the orthopedic consultation of {visit}, she had pain at the base of the neck, headaches
at the front and back of the head, difficulty sleeping and decreased activities. On examination
there was tenderness of the neck muscles with spasm, left greater than right. Flexion was 60
degrees, extension 60, lateral bending 20 and rotation 60. The assessment was cervical pain,
degenerative disk disease of the cervical spine and cervical disk herniation.

Utilization review of {decided} denied the request.""",
)

# Ready for a reviewer.
SHOULDER_THERAPY = Story(
    key="shoulder therapy",
    worker=Worker(
        "Keiko Tanabe",
        date(1974, 10, 5),
        "FEMALE",
        "1344 Sutter Buttes Road\nYuba City, CA 95991",
        "(530) 555-0107",
    ),
    employer=Office("Sierra Foothill Foods", "88 Cannery Row Drive\nMarysville, CA 95901"),
    administrator=Office(
        "Golden Acorn Insurance Services",
        "PO Box 7719\nChico, CA 95927",
        "(530) 555-0120",
        contact="L. Beckwith",
        channel="FAX",
        reached_by="(530) 555-0121",
    ),
    physician=Office(
        "Samira Haddou",
        "480 Plumas Street\nYuba City, CA 95991",
        "(530) 555-0153",
        specialty="Orthopedic Surgery",
    ),
    claim="GA-4410872",
    diagnosis="M75.112",
    dates={"injury": 226, "surgery": 110, "visit": 5},
    items=(
        Disputed(
            "Physical therapy, 12 visits, left shoulder",
            ("Rehabilitation", "PT/OT"),
            "shoulder",
            "The worker has had 24 visits after the operation of {surgery}. The report of {visit} "
            "does not say why exercise at home is not enough.",
            ur_cites=("shoulder therapy",),
        ),
    ),
    records=(
        Record(
            _Kind.PROGRESS_REPORT,
            "Progress report (PR-2)",
            "Samira Haddou, MD",
            "visit",
            (
                "Date of service: {visit}\nDate of injury: {injury}\n\nThe patient is a "
                "{age}-year-old woman, seen after arthroscopic repair of the rotator cuff of the "
                "left shoulder on {surgery}. She has completed 24 visits of physical therapy. "
                "Abduction of the left shoulder is 120 degrees.\n\nPLAN\nPhysical therapy, 12 more "
                "visits, left shoulder.",
            ),
            _SentBy.REQUESTING_PHYSICIAN,
        ),
        Record(
            _Kind.OPERATIVE,
            "Operative report, left shoulder",
            "Samira Haddou, MD",
            "surgery",
            ("Date of surgery: {surgery}\n\nArthroscopic repair of the rotator cuff, left.",),
        ),
    ),
)

# On hold, because nobody on the panel is a dentist.
DENTAL_CROWNS = Story(
    key="dental crowns",
    worker=Worker(
        "Elena Marchetti",
        date(1993, 2, 25),
        "FEMALE",
        "515 Bay Laurel Street, Apt 8\nSan Luis Obispo, CA 93401",
        "(805) 555-0102",
    ),
    employer=Office("Pismo Dunes Riding Stables", "2 Ranch Road\nOceano, CA 93445"),
    administrator=Office(
        "Canyon State Risk Partners",
        "1650 Harbor Center Drive, Suite 300\nSan Diego, CA 92108",
        "(619) 555-0127",
        contact="P. Oduya",
        channel="ELECTRONIC",
        reached_by="imr@canyon-state.example",
    ),
    physician=Office(
        "Robert Achebe",
        "1010 Marsh Street\nSan Luis Obispo, CA 93401",
        "(805) 555-0125",
        specialty="Dentist",
    ),
    claim="CSR-7719863",
    diagnosis="S02.5",
    dates={"injury": 131, "visit": 6},
    items=(
        Disputed(
            "Porcelain crowns, teeth 8 and 9",
            ("Evaluation & Management", "Dental"),
            "teeth",
            "The report of {visit} does not include radiographs of teeth 8 and 9.",
        ),
    ),
    records=(
        Record(
            _Kind.CONSULTATION,
            "Dental evaluation",
            "Robert Achebe, DDS",
            "visit",
            (
                "Date of service: {visit}\nDate of injury: {injury}\n\nThe patient is a "
                "{age}-year-old woman. A horse struck her in the face on {injury}. Teeth 8 and 9 "
                "are fractured.\n\nPLAN\nPorcelain crowns, teeth 8 and 9.",
            ),
            _SentBy.REQUESTING_PHYSICIAN,
        ),
    ),
    filed_after=10,
)

# Offered to a reviewer, who has not attested yet.
NECK_FACET = Story(
    key="neck facet",
    worker=Worker(
        "Hannah Voss",
        date(1985, 12, 1),
        "FEMALE",
        "3802 Lakeshore Boulevard\nLakeport, CA 95453",
        "(707) 555-0138",
    ),
    employer=Office("Clear Lake Unified Bus Yard", "1200 Hill Road\nLakeport, CA 95453"),
    administrator=Office(
        "Sierra Crest Claims Services",
        "PO Box 21880\nFresno, CA 93729",
        "(559) 555-0112",
        contact="M. Villareal",
    ),
    physician=Office(
        "Theodore Lund",
        "925 Bevins Court\nLakeport, CA 95453",
        "(707) 555-0147",
        contact="Lake County Spine Institute",
        specialty="Anesthesiology",
    ),
    attorney=Office("Simon Achterkamp", "55 Fourth Street\nSanta Rosa, CA 95401", "(707) 555-0199"),
    claim="SC-24-083360",
    diagnosis="M47.812",
    dates={"injury": 867, "visit": 7, "scan": 190},
    items=(
        Disputed(
            "Cervical facet joint injections at C5-C6 and C6-C7, bilateral",
            ("Injection", "Facet"),
            "neck",
            "The report of {visit} describes axial neck pain. The injection is asked for as a "
            "treatment and not as a diagnostic test.",
            ur_cites=("neck facet",),
        ),
    ),
    records=(
        Record(
            _Kind.PROGRESS_REPORT,
            "Progress report (PR-2)",
            "Theodore Lund, MD",
            "visit",
            (
                "Date of service: {visit}\nDate of injury: {injury}\n\nThe patient is a "
                "{age}-year-old woman with axial neck pain since a rear-end collision of a school "
                "bus on {injury}. There is tenderness over the facet joints at C5-C6 and C6-C7 on "
                "both sides.\n\nPLAN\nCervical facet joint injections at C5-C6 and C6-C7, "
                "bilateral.",
            ),
            _SentBy.REQUESTING_PHYSICIAN,
        ),
        Record(
            _Kind.IMAGING,
            "MRI of the cervical spine",
            "Redwood Imaging Center",
            "scan",
            (
                "Date of examination: {scan}\n\nFINDINGS\nFacet arthropathy at C5-C6 and C6-C7. "
                "No stenosis.",
            ),
        ),
    ),
)

# Two reviewers, with the approval of the Administrative Director (8 CCR 9792.10.6(c)).
KNEE_SURGERY = Story(
    key="knee surgery",
    worker=Worker(
        "Omar Haddad",
        date(1977, 4, 30),
        "MALE",
        "6120 Clinton Avenue\nBakersfield, CA 93307",
        "(661) 555-0114",
    ),
    employer=Office("Pioneer Packing Company", "300 Edison Highway\nBakersfield, CA 93305"),
    administrator=Office(
        "Golden Acorn Insurance Services",
        "PO Box 7719\nChico, CA 95927",
        "(530) 555-0120",
        contact="R. Steadman",
        channel="FAX",
        reached_by="(530) 555-0121",
    ),
    physician=Office(
        "Victor Almeida",
        "2700 F Street, Suite 320\nBakersfield, CA 93301",
        "(661) 555-0168",
        contact="Kern Sports and Joint Surgeons",
        specialty="Orthopedic Surgery",
    ),
    attorney=Office(
        "Helen Zakarian", "1430 Truxtun Avenue\nBakersfield, CA 93301", "(661) 555-0173"
    ),
    claim="GA-4398127",
    diagnosis="M23.221",
    dates={"injury": 304, "scan": 120, "therapy_from": 250, "therapy_to": 195, "visit": 6},
    items=(
        Disputed(
            "Right knee arthroscopy with partial medial meniscectomy",
            ("Surgery", "Arthroscopic"),
            "knee",
            "The MRI of {scan} shows a degenerative tear, and the report of {visit} describes no "
            "locking.",
            ur_cites=("knee",),
            outcome=Outcome.UPHELD,
            rationale="""\
Under {knee} arthroscopic surgery is an option for a tear with locking or catching that examination
and imaging show, after conservative treatment. It is not recommended for degenerative tears
without mechanical symptoms.

The MRI of {scan} shows a degenerative tear of the medial meniscus of the right knee. The report of
{visit} states that there is no locking and no catching. Therefore, the request is not medically
necessary.""",
            cites=("knee",),
        ),
    ),
    records=(
        Record(
            _Kind.PROGRESS_REPORT,
            "Progress report (PR-2)",
            "Victor Almeida, MD",
            "visit",
            (
                "Date of service: {visit}\nDate of injury: {injury}\n\nThe patient is a "
                "{age}-year-old man. He twisted his right knee on {injury}, when he stepped off a "
                "loading dock.\n\nSUBJECTIVE\nPain on the medial side of the right knee, 6 out of "
                "10. There is no locking and no catching.\n\nOBJECTIVE\nTenderness of the medial "
                "joint line. Flexion of the right knee is 125 degrees. McMurray test is "
                "equivocal.\n\nPRIOR TREATMENT\nPhysical therapy, 12 visits. Naproxen 500 mg.\n\n"
                "PLAN\nRight knee arthroscopy with partial medial meniscectomy.",
            ),
            _SentBy.REQUESTING_PHYSICIAN,
        ),
        Record(
            _Kind.IMAGING,
            "MRI of the right knee",
            "Kern Valley Imaging",
            "scan",
            (
                "Date of examination: {scan}\n\nFINDINGS\nDegenerative tear of the medial meniscus "
                "of the right knee. Mild chondral wear.",
            ),
        ),
        Record(
            _Kind.THERAPY,
            "Physical therapy notes",
            "Bakersfield Hands-On Therapy",
            "therapy_from",
            (
                "Dates of service: {therapy_from} to {therapy_to}\n\n12 visits for the right knee. "
                "Pain fell from 7 to 6 out of 10.",
            ),
            last_day="therapy_to",
        ),
    ),
    summary="""\
The injured worker is a {age}-year-old man who twisted his right knee on {injury}, when he stepped
off a loading dock. He has been treated with 12 visits of physical therapy and naproxen 500 mg. An
MRI of the right knee dated {scan} revealed a degenerative tear of the medial meniscus.

According to the report of {visit}, he had pain on the medial side of the right knee, 6 out of 10,
with no locking and no catching. There was tenderness of the medial joint line, and flexion was 125
degrees.

Utilization review of {decided} denied the request.""",
)

# Expedited, with a certified threat to health (8 CCR 9792.10.4(c)).
HOME_NURSING = Story(
    key="home nursing",
    worker=Worker(
        "Bernard Ekwueme",
        date(1961, 8, 18),
        "MALE",
        "254 Valencia Court\nPalmdale, CA 93551",
        "(661) 555-0185",
    ),
    employer=Office("Antelope Solar Erectors", "4100 Sierra Highway\nLancaster, CA 93534"),
    administrator=Office(
        "Sierra Crest Claims Services",
        "PO Box 21880\nFresno, CA 93729",
        "(559) 555-0112",
        contact="T. Halloran",
        channel="FAX",
        reached_by="(559) 555-0113",
    ),
    physician=Office(
        "Marguerite Soto",
        "38600 Medical Center Drive\nPalmdale, CA 93551",
        "(661) 555-0192",
        contact="High Desert Infectious Disease",
        specialty="Infectious Disease",
    ),
    claim="SC-26-112208",
    diagnosis="T84.63",
    dates={"injury": 96, "surgery": 95, "visit": 1},
    items=(
        Disputed(
            "Home nursing visits for intravenous antibiotics, twice a day for 14 days",
            ("Home Health", ""),
            "back",
            "The note of {visit} does not say whether the infusion center can give the second dose "
            "of each day.",
            ur_cites=("home care",),
        ),
    ),
    records=(
        Record(
            _Kind.CONSULTATION,
            "Hospital discharge plan with certification",
            "Marguerite Soto, MD",
            "visit",
            (
                "Date of service: {visit}\nDate of injury: {injury}\n\nThe patient is a "
                "{age}-year-old man who fell from a roof on {injury}. The lumbar spine was fixed "
                "on {surgery}. The wound is infected. He is to receive intravenous antibiotics "
                "twice a day for 14 days.\n\nCERTIFICATION\nDelay of this treatment is an imminent "
                "and serious threat to the health of the patient.\n\nPLAN\nHome nursing visits "
                "for intravenous antibiotics, twice a day for 14 days.",
            ),
            _SentBy.REQUESTING_PHYSICIAN,
        ),
    ),
    filed_after=2,
    expedited=True,
)

# At QA, with a decision that overturns the denial.
HAND_TESTS = Story(
    key="hand tests",
    worker=Worker(
        "Celeste Moreau",
        date(1970, 1, 28),
        "FEMALE",
        "1701 Clement Street, Apt 4\nSan Francisco, CA 94121",
        "(415) 555-0160",
    ),
    employer=Office("Bayview Legal Transcripts", "230 Sansome Street\nSan Francisco, CA 94104"),
    administrator=Office(
        "Pacific Comp Claims",
        "PO Box 40122\nSacramento, CA 95841",
        "(916) 555-0140",
        contact="A. Nakagawa",
    ),
    physician=Office(
        "Julian Reinholt",
        "490 Post Street, Suite 1230\nSan Francisco, CA 94102",
        "(415) 555-0181",
        contact="Union Square Hand Specialists",
        specialty="Hand Surgery",
    ),
    claim="06-220954018",
    diagnosis="G56.03",
    # A cumulative trauma: the date of injury is the period of exposure, and this is its last day.
    dates={"injury": 139, "splints": 118, "visit": 5},
    exposure=870,
    items=(
        Disputed(
            "Electrodiagnostic study (EMG and NCS), bilateral upper extremities",
            ("Diagnostic Testing", "EMG/NCV/NCS"),
            "wrist",
            "The report of {visit} describes a positive Tinel sign. It does not state when splints "
            "were dispensed or for how long they were worn.",
            ur_cites=("hand tests",),
            outcome=Outcome.OVERTURNED,
            rationale="""\
Under {hand tests} such studies are recommended where carpal tunnel syndrome is suspected, symptoms
persist despite conservative treatment, and the result bears on the choice of treatment.

The report of {visit} documents numbness of the thumb, index and middle fingers of both hands and a
positive Phalen test at both wrists. Wrist splints were dispensed on {splints} and worn every night,
and the symptoms persisted. The report states that surgery depends on the result. The criteria are
met. Therefore, the request is medically necessary.""",
            cites=("hand tests",),
        ),
    ),
    records=(
        Record(
            _Kind.CONSULTATION,
            "Hand surgery consultation",
            "Julian Reinholt, MD",
            "visit",
            (
                "Date of service: {visit}\nCumulative trauma: {exposure} to {injury}\n\n"
                "HISTORY\nThe patient is a {age}-year-old woman. She typed transcripts from "
                "{exposure} to {injury} and developed numbness in both hands.\n\nSUBJECTIVE\n"
                "Numbness of the thumb, index and middle fingers of both hands, worse at night. "
                "Splints have been worn every night, and the symptoms persist.\n\nOBJECTIVE\n"
                "Phalen test is positive at both wrists after 30 seconds. Tinel sign is positive "
                "at both wrists. There is no wasting of the thenar muscles.\n\nPLAN\n"
                "Electrodiagnostic study (EMG and NCS), bilateral upper extremities. Surgery "
                "depends on the result.",
            ),
            _SentBy.REQUESTING_PHYSICIAN,
        ),
        Record(
            _Kind.PROGRESS_REPORT,
            "First report of occupational injury",
            "Embarcadero Walk-In Clinic",
            "splints",
            (
                "Date of service: {splints}\n\nNumbness of both hands at night. Wrist splints were "
                "dispensed, left and right. Ibuprofen 400 mg.",
            ),
        ),
    ),
    summary="""\
The injured worker is a {age}-year-old woman with a cumulative trauma to both hands from {exposure}
to {injury}, while she typed transcripts. Wrist splints were dispensed on {splints} and worn every
night. Ibuprofen 400 mg was given.

According to the consultation of {visit}, she had numbness of the thumb, index and middle fingers of
both hands, worse at night. Phalen test was positive at both wrists after 30 seconds, and Tinel sign
was positive at both wrists. There was no wasting of the thenar muscles.

Utilization review of {decided} denied the request.""",
)

# Two items, one of them decided by evidence outside the treatment schedule; approved for issue.
GYM_AND_IMAGING = Story(
    key="gym and imaging",
    worker=Worker(
        "Ruth Abelson",
        date(1968, 9, 6),
        "FEMALE",
        "88 Arboretum Way\nSanta Cruz, CA 95060",
        "(831) 555-0132",
    ),
    employer=Office("Evergreen Canyon Nursery", "1901 Empire Grade\nSanta Cruz, CA 95060"),
    administrator=Office(
        "Tidewater Employers Mutual",
        "PO Box 3308\nMonterey, CA 93942",
        "(831) 555-0126",
        contact="S. Quayle",
    ),
    physician=Office(
        "Benedict Arroyo",
        "1505 Soquel Drive\nSanta Cruz, CA 95065",
        "(831) 555-0149",
        contact="Monterey Bay Physiatry",
        specialty="Physical Medicine & Rehabilitation",
    ),
    attorney=Office("Olivia Tran", "740 Front Street\nSanta Cruz, CA 95060", "(831) 555-0194"),
    claim="TEM-552817",
    diagnosis="M54.50",
    dates={"injury": 934, "scan": 402, "therapy_from": 610, "therapy_to": 540, "visit": 6},
    items=(
        Disputed(
            "Gym membership with pool, 6 months",
            ("Rehabilitation", "Other"),
            "low back",
            "The report of {visit} does not describe a home exercise program that failed, or who "
            "would supervise the exercise.",
            ur_cites=("gym",),
            outcome=Outcome.UPHELD,
            rationale="""\
Under {gym} a gym membership is not recommended as a medical prescription unless a documented home
program was not effective, equipment is needed, and a medical professional monitors the treatment.

The report of {visit} asks for the membership so that the injured worker can swim. A home program
that failed is not documented, and no one is named who would monitor the exercise. Therefore, the
request is not medically necessary.""",
            cites=("gym",),
            basis="C",
            why_not_higher="The treatment schedule does not address gym memberships, and a search "
            "found no study of them for this condition.",
        ),
        Disputed(
            "Repeat MRI of the lumbar spine without contrast",
            ("Diagnostic Testing", "Imaging/Radiology"),
            "low back",
            "An MRI was done on {scan}. The report of {visit} does not describe a change since.",
            ur_cites=("back imaging",),
            outcome=Outcome.UPHELD,
            rationale="""\
Under {back imaging} imaging is for red flags, or for radicular findings that persist and may lead
to an invasive treatment. Repeated imaging without a change in findings is not recommended.

The MRI of {scan} showed a disk bulge at L4-L5 without compression of a nerve root. The report of
{visit} states that strength, sensation and reflexes of both legs are normal and unchanged.
Therefore, the request is not medically necessary.""",
            cites=("back imaging",),
        ),
    ),
    records=(
        Record(
            _Kind.PROGRESS_REPORT,
            "Progress report (PR-2)",
            "Benedict Arroyo, MD",
            "visit",
            (
                "Date of service: {visit}\nDate of injury: {injury}\n\nThe patient is a "
                "{age}-year-old woman who injured her low back on {injury} while lifting a tree in "
                "a pot.\n\nSUBJECTIVE\nLow back pain, 5 out of 10. No leg pain.\n\nOBJECTIVE\n"
                "Flexion of the lumbar spine is 50 degrees. Strength, sensation and reflexes of "
                "both legs are normal and unchanged.\n\nPRIOR TREATMENT\nPhysical therapy, 18 "
                "visits. Meloxicam 15 mg.\n\nPLAN\nGym membership with pool, 6 months, so that she "
                "can swim. Repeat MRI of the lumbar spine without contrast.",
            ),
            _SentBy.REQUESTING_PHYSICIAN,
        ),
        Record(
            _Kind.IMAGING,
            "MRI of the lumbar spine",
            "Monterey Peninsula Imaging",
            "scan",
            (
                "Date of examination: {scan}\n\nFINDINGS\nDisk bulge at L4-L5 without compression "
                "of a nerve root.",
            ),
        ),
        Record(
            _Kind.THERAPY,
            "Physical therapy notes",
            "Seabright Therapy",
            "therapy_from",
            ("Dates of service: {therapy_from} to {therapy_to}\n\n18 visits for the low back.",),
            last_day="therapy_to",
        ),
    ),
    summary="""\
The injured worker is a {age}-year-old woman who injured her low back on {injury} while lifting a
tree in a pot. She has been treated with 18 visits of physical therapy and meloxicam 15 mg. An MRI
of the lumbar spine dated {scan} revealed a disk bulge at L4-L5 without compression of a nerve root.

According to the report of {visit}, she had low back pain, 5 out of 10, and no leg pain. Flexion of
the lumbar spine was 50 degrees. Strength, sensation and reflexes of both legs were normal and
unchanged.

Utilization review of {decided} denied the requests.""",
)

# Decided, sent and closed; the denial is overturned.
LIDOCAINE = Story(
    key="lidocaine",
    worker=Worker(
        "Joaquin Reyes",
        date(1982, 6, 15),
        "MALE",
        "9035 Mango Avenue\nFontana, CA 92335",
        "(909) 555-0117",
    ),
    employer=Office("Summit Ridge Roofing", "1477 Slover Avenue\nFontana, CA 92337"),
    administrator=Office(
        "Tidewater Employers Mutual",
        "PO Box 3308\nMonterey, CA 93942",
        "(831) 555-0126",
        contact="D. Pham",
    ),
    physician=Office(
        "Katherine Obi",
        "8330 Red Oak Street\nRancho Cucamonga, CA 91730",
        "(909) 555-0183",
        contact="Foothill Pain Medicine",
        specialty="Pain Management",
    ),
    claim="TEM-548120",
    diagnosis="G57.92",
    dates={"injury": 455, "gabapentin": 250, "visit": 6},
    items=(
        Disputed(
            "Lidocaine 5% patch, 30 patches",
            ("Pharmaceuticals", "Topical analgesics"),
            "leg",
            "The report of {visit} does not state when gabapentin was given, in which number, or "
            "for how long.",
            ur_cites=("lidocaine",),
            outcome=Outcome.OVERTURNED,
            rationale="""\
Under {lidocaine} topical lidocaine is an option for localized neuropathic pain after a trial of an
oral drug for neuropathic pain that failed or was not tolerated.

The report of {visit} documents burning pain and reduced sensation in one area over the left shin,
which is localized neuropathic pain. The pharmacy record shows gabapentin 300 mg since {gabapentin},
and the report of {visit} states that it was stopped because of drowsiness. The criteria are met.
Therefore, the request is medically necessary.""",
            cites=("lidocaine",),
        ),
    ),
    records=(
        Record(
            _Kind.PROGRESS_REPORT,
            "Progress report (PR-2)",
            "Katherine Obi, MD",
            "visit",
            (
                "Date of service: {visit}\nDate of injury: {injury}\n\nThe patient is a "
                "{age}-year-old man. A bundle of shingles fell on his left leg on {injury}.\n\n"
                "SUBJECTIVE\nBurning pain over the left shin, 7 out of 10. Gabapentin 300 mg three "
                "times a day was stopped because of drowsiness.\n\nOBJECTIVE\nReduced sensation in "
                "an area of 8 by 5 cm over the left shin. Light touch is painful there.\n\nPLAN\n"
                "Lidocaine 5% patch, 30 patches, one a day for 12 hours.",
            ),
            _SentBy.REQUESTING_PHYSICIAN,
        ),
        Record(
            _Kind.PHARMACY,
            "Pharmacy record",
            "Red Oak Pharmacy",
            "gabapentin",
            ("Date dispensed: {gabapentin}\n\nGabapentin 300 mg, 90 capsules.",),
        ),
    ),
    summary="""\
The injured worker is a {age}-year-old man who was injured on {injury}, when a bundle of shingles
fell on his left leg. Gabapentin 300 mg was dispensed on {gabapentin} and later stopped because of
drowsiness.

According to the report of {visit}, he had burning pain over the left shin, 7 out of 10, with
reduced sensation in an area of 8 by 5 cm. Light touch was painful there.

Utilization review of {decided} denied the request.""",
)
