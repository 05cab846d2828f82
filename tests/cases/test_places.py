"""The state of an address is read from the address, or typed; it is never guessed."""

import pytest

from cases import places
from cases.places import OUTSIDE_US, STATES, find_place, read_state


@pytest.mark.parametrize(
    ("address", "state"),
    [
        ("PO Box 40122\nSacramento CA 95841", "CA"),
        ("PO Box 40122\nSacramento, CA 95841-0122", "CA"),
        ("12 Ohio Street\nReno, Nevada 89501", "NV"),
        ("1 Delaware Ave\nLos Angeles, Calif. 90012", "CA"),
        ("500 Main\nCharleston, west virginia 25301", "WV"),
        ("Calle 1\nSan Juan PR 00901", "PR"),
        ("12 Oak St\nPortland or 97201", "OR"),
        ("12 Oak St\nReno, NV 89501 USA", "NV"),
        ("12 Oak St\nReno, NV 89501, United States", "NV"),
        ("1 K Street NW\nWashington, D.C. 20001", "DC"),
        ("Calle 2\nSan Juan, P.R. 00926", "PR"),
        ("PO Box 1\nFresno CA93701", "CA"),
        ("Hauptstr. 5\nDE 10115 Berlin, Germany", ""),
        ("DE 50667 Köln", ""),
        ("Via Roma 1\nMilano MI 20121", ""),
        ("Calle 5\nCordoba AR 50000", ""),
        ("Av. Uno 5\nTijuana, Baja California 22010, Mexico", ""),
        ("Av. Uno 5\nTijuana, Baja California 22010", ""),
        ("12 Oak St\nReno NV 95814", ""),
        # No state before a ZIP code, or no ZIP code.
        ("12 Oak Street\nSacramento", ""),
        ("12 California Street\nSan Francisco", ""),
        ("4 Nevada 12", ""),
        ("Av. Reforma 10\n06600 Ciudad de México", ""),
        ("Lot 5, 12345 Harbor Rd", ""),
        ("", ""),
        # Two addresses in two states; two in one state.
        ("1 Elm, Reno NV 89501; mail to Box 3, Fresno CA 93701", ""),
        ("1 Elm, Fresno CA 93701; mail to Box 3, Fresno CA 93702", "CA"),
    ],
)
def test_a_state_is_read_only_before_a_zip_code(address, state):
    assert read_state(address) == state


def test_every_state_has_a_place_and_zip_codes():
    assert set(places._ZIP_AREAS) == set(STATES)
    assert {find_place(code) for code in STATES} == {"ca", "us"}
    assert [find_place(code) for code in ("CA", "NV", OUTSIDE_US, "", "QQ")] == [
        "ca",
        "us",
        "abroad",
        "unknown",
        "unknown",
    ]
