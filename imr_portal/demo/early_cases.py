"""Cases of the demonstration that have not gone to a reviewer: what their papers say.

Every person, company, address and claim is invented.
"""

from datetime import date

from .stories import Disputed, Office, Story, Worker

_SIERRA = Office(
    "Sierra Crest Claims Services",
    "PO Box 21880\nFresno, CA 93729",
    "(559) 555-0112",
    contact="T. Halloran",
)
_PACIFIC = Office(
    "Pacific Comp Claims",
    "PO Box 40122\nSacramento, CA 95841",
    "(916) 555-0140",
    contact="J. Merriweather",
)
_CANYON = Office(
    "Canyon State Risk Partners",
    "1650 Harbor Center Drive, Suite 300\nSan Diego, CA 92108",
    "(619) 555-0127",
    contact="P. Oduya",
    channel="ELECTRONIC",
    reached_by="imr@canyon-state.example",
)

# Received today and waiting for the eligibility review.
LUMBAR_IMAGING = Story(
    key="lumbar imaging",
    worker=Worker(
        "Devon Achterberg",
        date(1984, 5, 22),
        "MALE",
        "118 Cottonwood Lane\nVisalia, CA 93277",
        "(559) 555-0131",
    ),
    employer=Office("Valley Heritage Orchards", "7740 Road 68\nDinuba, CA 93618"),
    administrator=_SIERRA,
    physician=Office(
        "Leland Okoro",
        "2205 West Main Street, Suite 4\nVisalia, CA 93291",
        "(559) 555-0155",
        contact="Kaweah Occupational Medicine",
        specialty="Occupational Medicine",
    ),
    claim="SC-26-118402",
    diagnosis="M54.50",
    dates={"injury": 61, "visit": 4},
    items=(
        Disputed(
            "MRI of the lumbar spine without contrast",
            ("Diagnostic Testing", "Imaging/Radiology"),
            "low back",
            "The report of {visit} describes low back pain since a fall from a ladder on {injury}. "
            "No red flags and no findings of nerve root compression are described, and the "
            "worker has had 3 visits of therapy.",
            ur_cites=("back imaging",),
        ),
    ),
)

# Received twice, from the employee and from the attorney: a possible duplicate.
OPIOID = Story(
    key="opioid",
    worker=Worker(
        "Priya Raman",
        date(1971, 11, 3),
        "FEMALE",
        "4417 Seaview Terrace, Apt 12\nVentura, CA 93001",
        "(805) 555-0119",
    ),
    employer=Office("Coastline Hotel Group", "900 Harbor Boulevard\nVentura, CA 93001"),
    administrator=_CANYON,
    physician=Office(
        "Martin Szabo",
        "77 Telegraph Road, Suite 210\nVentura, CA 93003",
        "(805) 555-0164",
        contact="Channel Islands Pain Physicians",
        specialty="Pain Management",
    ),
    attorney=Office(
        "Naomi Fairbanks", "12 East Figueroa Street\nSanta Barbara, CA 93101", "(805) 555-0170"
    ),
    claim="CSR-7730951",
    diagnosis="M54.16",
    dates={"injury": 1288, "visit": 6},
    items=(
        Disputed(
            "Norco 10/325 mg, 90 tablets",
            ("Pharmaceuticals", "Opioids"),
            "low back",
            "The report of {visit} continues Norco 10/325 mg three times a day. It documents "
            "neither a gain in function nor a urine drug test in the last 12 months.",
            ur_cites=("opioids",),
        ),
    ),
)

# The UR decision states no service, so a party is asked.
TRACTION = Story(
    key="traction",
    worker=Worker(
        "Hector Villalobos",
        date(1979, 1, 17),
        "MALE",
        "2931 Alisal Road\nSalinas, CA 93905",
        "(831) 555-0108",
    ),
    employer=Office("Green Row Produce", "18 Abbott Street\nSalinas, CA 93901"),
    administrator=_PACIFIC,
    physician=Office(
        "Yvonne Castillo",
        "540 Abbott Street\nSalinas, CA 93901",
        "(831) 555-0137",
        contact="Central Coast Spine Care",
        specialty="Chiropractic",
    ),
    attorney=Office("Peter Lindgren", "301 Pajaro Street\nSalinas, CA 93901", "(831) 555-0144"),
    claim="06-220418877",
    diagnosis="M54.2",
    dates={"injury": 205, "visit": 5},
    items=(
        Disputed(
            "Home cervical traction unit, purchase",
            ("DMEPOS", "DME"),
            "neck",
            "The report of {visit} asks for a traction unit at home. A supervised trial of "
            "traction is not described.",
        ),
    ),
    # On time if the decision was served by mail, late if it was served in hand.
    filed_after=33,
    service_stated=False,
)

# Deferred, because liability is disputed too (8 CCR 9792.10.3(d)).
KNEE_BRACE = Story(
    key="knee brace",
    worker=Worker(
        "Sonja Kristensen",
        date(1990, 8, 9),
        "FEMALE",
        "63 Mill Race Court\nPetaluma, CA 94952",
        "(707) 555-0121",
    ),
    employer=Office("Redbarn Creamery", "2200 Petaluma Boulevard\nPetaluma, CA 94952"),
    administrator=_SIERRA,
    physician=Office(
        "Andrew Mbeki",
        "1188 Sonoma Avenue\nSanta Rosa, CA 95405",
        "(707) 555-0158",
        contact="North Bay Orthopedic Group",
        specialty="Orthopedic Surgery",
    ),
    claim="SC-25-090733",
    diagnosis="M17.11",
    dates={"injury": 330, "visit": 7},
    items=(
        Disputed(
            "Hinged knee brace, right, purchase",
            ("DMEPOS", "DME"),
            "knee",
            "The report of {visit} describes pain in the right knee. Instability is not "
            "described. Liability for the right knee is disputed as well.",
            ur_cites=("knee",),
        ),
    ),
    liability="The claims administrator accepts the low back and disputes the right knee.",
    filed_after=10,
)

# Ineligible, because nobody signed the application.
NECK_ACUPUNCTURE = Story(
    key="neck acupuncture",
    worker=Worker(
        "Luis Fontana",
        date(1966, 12, 30),
        "MALE",
        "805 Delta Fair Boulevard, Unit 3\nAntioch, CA 94509",
        "(925) 555-0146",
    ),
    employer=Office("Bayside Freight Lines", "44 Wharf Road\nRichmond, CA 94804"),
    administrator=_PACIFIC,
    physician=Office(
        "Grace Tolentino",
        "3300 Lone Tree Way\nAntioch, CA 94509",
        "(925) 555-0182",
        specialty="Oriental Medicine",
    ),
    claim="06-219903155",
    diagnosis="M54.2",
    dates={"injury": 498, "visit": 8},
    items=(
        Disputed(
            "Acupuncture, 8 visits, cervical spine",
            ("Rehabilitation", "Acupuncture"),
            "neck",
            "The worker has had 12 visits of acupuncture. The report of {visit} does not describe "
            "a gain in function from them.",
            ur_cites=("acupuncture",),
        ),
    ),
    signed=False,
)

# Ineligible because it was received late, and closed.
LATE_ULTRASOUND = Story(
    key="late ultrasound",
    worker=Worker(
        "Gloria Benavides",
        date(1959, 4, 2),
        "FEMALE",
        "1520 Orange Grove Avenue\nRiverside, CA 92501",
        "(951) 555-0103",
    ),
    employer=Office("Inland Linen Supply", "655 Iowa Avenue\nRiverside, CA 92507"),
    administrator=_CANYON,
    physician=Office(
        "Wendell Park",
        "4000 Brockton Avenue, Suite 102\nRiverside, CA 92501",
        "(951) 555-0166",
        specialty="Family Practice",
    ),
    claim="CSR-7691240",
    diagnosis="M75.41",
    dates={"injury": 744, "visit": 3},
    items=(
        Disputed(
            "Therapeutic ultrasound, 6 visits, right shoulder",
            ("Rehabilitation", "Other"),
            "shoulder",
            "The report of {visit} asks for ultrasound alone, without exercise.",
            ur_cites=("shoulder therapy",),
        ),
    ),
    # More than the 30 days of the rule and the 5 days for service by mail.
    filed_after=48,
)

# The address is outside California, which changes the days that service by mail adds.
_BRANDT = Worker(
    "Tanya Brandt",
    date(1981, 9, 14),
    "FEMALE",
    "2716 Bluebell Way\nReno, NV 89509",
    "(775) 555-0115",
)
_BRANDT_EMPLOYER = Office("Mesa Verde Clinics", "9 Medical Plaza\nTruckee, CA 96161")
_BRANDT_PHYSICIAN = Office(
    "Ingrid Halvorsen",
    "10 Pioneer Trail, Suite B\nTruckee, CA 96161",
    "(530) 555-0129",
    contact="High Country Physiatry",
    specialty="Physical Medicine & Rehabilitation",
)

# This case and the next one are consolidated: same employee, physician and date of injury (8 CCR
# 9792.10.4).
STIMULATION = Story(
    key="stimulation",
    worker=_BRANDT,
    employer=_BRANDT_EMPLOYER,
    administrator=_PACIFIC,
    physician=_BRANDT_PHYSICIAN,
    claim="06-221150346",
    diagnosis="M54.59",
    dates={"injury": 260, "visit": 6},
    items=(
        Disputed(
            "TENS unit with supplies, purchase",
            ("DMEPOS", "Electrical Stimulation"),
            "low back",
            "The report of {visit} asks for the purchase of a TENS unit. A trial of one month "
            "with its results is not described.",
            ur_cites=("stimulation",),
        ),
    ),
    filed_after=11,
)

AQUATIC_THERAPY = Story(
    key="aquatic therapy",
    worker=_BRANDT,
    employer=_BRANDT_EMPLOYER,
    administrator=_PACIFIC,
    physician=_BRANDT_PHYSICIAN,
    claim="06-221150346",
    diagnosis="M54.59",
    dates={"injury": 260, "visit": 6},
    items=(
        Disputed(
            "Aquatic therapy, 12 visits, lumbar spine",
            ("Rehabilitation", "PT/OT"),
            "low back",
            "The report of {visit} does not say why therapy on land is not possible.",
            ur_cites=("back therapy",),
        ),
    ),
    filed_after=11,
)

# Waits for medical records, with a hold and a commitment to the attorney.
RESTORATION = Story(
    key="restoration",
    worker=Worker(
        "Amara Nwosu",
        date(1976, 2, 8),
        "FEMALE",
        "39 Lakeside Drive, Apt 5C\nOakland, CA 94612",
        "(510) 555-0176",
    ),
    employer=Office("Redwood Paper Mills", "1 Industrial Way\nPittsburg, CA 94565"),
    administrator=_SIERRA,
    physician=Office(
        "Carl Bergstrom",
        "350 30th Street, Suite 520\nOakland, CA 94609",
        "(510) 555-0188",
        contact="East Bay Pain Rehabilitation",
        specialty="Pain Management",
    ),
    attorney=Office(
        "Joel Abramowitz", "1939 Harrison Street, Suite 400\nOakland, CA 94612", "(510) 555-0190"
    ),
    claim="SC-23-067215",
    diagnosis="G89.4, M54.16",
    dates={"injury": 1133, "visit": 9},
    items=(
        Disputed(
            "Functional restoration program, 160 hours",
            ("Programs", ""),
            "low back",
            "The evaluation of {visit} supports a first block of 80 hours at most, and whether "
            "less costly treatment has failed is not documented.",
            ur_cites=("restoration",),
        ),
    ),
)

# Waits for medical records.
PSYCHOTHERAPY = Story(
    key="psychotherapy",
    worker=Worker(
        "Walter Grimes",
        date(1963, 7, 19),
        "MALE",
        "901 River Bend Road\nRio Vista, CA 94571",
        "(707) 555-0193",
    ),
    employer=Office("Delta Reach Water District", "50 Levee Road\nRio Vista, CA 94571"),
    administrator=_CANYON,
    physician=Office(
        "Miriam Sandoval",
        "1200 Travis Boulevard\nFairfield, CA 94533",
        "(707) 555-0186",
        specialty="Psychiatry",
    ),
    claim="CSR-7704418",
    diagnosis="F33.1",
    dates={"injury": 603, "visit": 5},
    items=(
        Disputed(
            "Psychotherapy, 12 sessions",
            ("Psych Services", "Therapies"),
            "mind",
            "The worker has had 20 sessions. The report of {visit} gives no score for depression "
            "before and after them.",
            ur_cites=("psychotherapy",),
        ),
    ),
    filed_after=14,
)

# Withdrawn by the employee.
CHIROPRACTIC = Story(
    key="chiropractic",
    worker=Worker(
        "Ivan Petrosyan",
        date(1987, 10, 27),
        "MALE",
        "418 North Verdugo Road\nGlendale, CA 91206",
        "(818) 555-0105",
    ),
    employer=Office("Arroyo Sheet Metal", "2020 San Fernando Road\nLos Angeles, CA 90065"),
    administrator=_PACIFIC,
    physician=Office(
        "Douglas Vance",
        "610 East Broadway\nGlendale, CA 91205",
        "(818) 555-0150",
        specialty="Chiropractic",
    ),
    claim="06-220077412",
    diagnosis="M54.6",
    dates={"injury": 388, "visit": 6},
    items=(
        Disputed(
            "Chiropractic manipulation, 10 visits, thoracic spine",
            ("Rehabilitation", "Chiropractic"),
            "back",
            "The worker has had 18 visits. The report of {visit} describes no return to work and "
            "no gain in function.",
        ),
    ),
)

# Terminated, because the claims administrator authorized the treatment (8 CCR 9792.10.6(a)).
SHOULDER_IMAGING = Story(
    key="shoulder imaging",
    worker=Worker(
        "Dolores Whitaker",
        date(1969, 6, 11),
        "FEMALE",
        "77 Juniper Street\nBishop, CA 93514",
        "(760) 555-0134",
    ),
    employer=Office("Owens Valley School Meals", "300 Line Street\nBishop, CA 93514"),
    administrator=_SIERRA,
    physician=Office(
        "Frances Iwata",
        "150 Pioneer Lane\nBishop, CA 93514",
        "(760) 555-0179",
        contact="Eastern Sierra Orthopedics",
        specialty="Orthopedic Surgery",
    ),
    claim="SC-26-101990",
    diagnosis="M75.102",
    dates={"injury": 148, "visit": 4},
    items=(
        Disputed(
            "MRI of the left shoulder without contrast",
            ("Diagnostic Testing", "Imaging/Radiology"),
            "shoulder",
            "The report of {visit} does not describe a failure of conservative treatment for the "
            "left shoulder.",
            ur_cites=("shoulder imaging",),
        ),
    ),
    filed_after=8,
)
