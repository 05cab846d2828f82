"""Add up what several runs of pytest reported: ``N passed, N failed, N skipped``.

Fails when nothing ran at all: an empty green run proves nothing.
"""

import sys
from pathlib import Path
from xml.etree import ElementTree  # noqa: S405 - pytest of this very run wrote the files


def main(folder: str) -> int:
    ran = failed = skipped = 0
    for file in sorted(Path(folder).glob("*.xml")):
        for suite in ElementTree.parse(file).iter("testsuite"):  # noqa: S314
            ran += int(suite.get("tests", 0))
            failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            skipped += int(suite.get("skipped", 0))
    print(f"{ran - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 0 if ran - failed - skipped > 0 and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
