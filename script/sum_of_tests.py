"""Add up the results of several runs of pytest: ``N passed, N failed, N skipped``.

Fails if no test ran at all.
"""

import sys
from pathlib import Path
from xml.etree import ElementTree  # noqa: S405 - pytest wrote the files in this run


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
