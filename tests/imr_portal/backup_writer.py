"""Keep receiving and deciding cases, and print each decision after it is committed.

Run by ``tests/imr_portal/test_backups.py`` in a process of its own, on a database of its own. What
it has printed was acknowledged, and must be there after any loss.
"""

import os
import sys

import django


def main():
    django.setup()

    from django.utils import timezone

    from accounts.models import User
    from eligibility.services import screening
    from files.services import store_bytes
    from intake.services import receiving
    from tests.factories import MONDAY, SIX_YES, application

    clerk = User.objects.get(email="clerk@example.org")
    coordinator = User.objects.get(email="coordinator@example.org")
    while True:
        case = receiving.receive_application(
            application=application(parties=[]), by=clerk, at=MONDAY
        )
        screening.decide_eligibility(
            case_id=case.pk,
            answers=SIX_YES,
            notes=dict.fromkeys(SIX_YES, "Compared on the paper."),
            seen_version=None,
            by=coordinator,
            at=MONDAY,
        )
        file = store_bytes(
            content=f"A letter of {case.number}".encode(), media_type="text/plain", at=MONDAY
        )
        # Unbuffered: what was printed was acknowledged, even if the process is killed now.
        moment = timezone.now().isoformat()
        os.write(sys.stdout.fileno(), f"{case.number} {file.sha256} {moment}\n".encode())


if __name__ == "__main__":
    main()
