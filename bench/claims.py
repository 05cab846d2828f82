"""Thirty-two clerks claim the next scan at the same time: ``script/bench claims``.

On PostgreSQL, from ``DATABASE_URL`` or a private cluster. Every clerk claims a scan, skips it and
claims the next, until none is left. The benchmark fails if two clerks get the same scan.
"""

import sys
import threading
import time
from collections import Counter
from datetime import timedelta

from . import stage

CLERKS, SHEETS = 32, 640


def store_scans(at):
    """Store a batch of scans as rows only; storing files is not measured here."""
    from files.models import StoredFile
    from intake.models import Batch, Scan

    batch = Batch(channel="FAX", received_on=at.date(), opened_at=at).store(by=None, at=at)
    files = StoredFile.objects.bulk_create(
        StoredFile(
            sha256=f"{number:064d}", size=1, media_type="application/pdf", state="CLEAN",
            stored_at=at,
        )
        for number in range(SHEETS)
    )  # fmt: skip
    Scan.objects.bulk_store(
        [
            Scan(
                batch=batch,
                position=number,
                received_on=batch.received_on,
                name_received=f"{number}.pdf",
                sha256=file.sha256,
                file=file,
            )
            for number, file in enumerate(files, start=1)
        ],
        by=None,
        at=at,
    )


def main() -> None:
    stage.set_up()
    from django.db import connection, connections
    from django.utils import timezone

    from accounts.roles import Role
    from accounts.services import create_user
    from intake.models import CancelReason, Scan
    from intake.services import batches

    if connection.vendor != "postgresql":
        raise SystemExit("Claims are measured on PostgreSQL: set DATABASE_URL.")
    now = timezone.now()
    store_scans(now - timedelta(minutes=1))
    clerks = [
        create_user(
            email=f"clerk{n}@example.org", name=f"Clerk {n}", password=None,
            roles=[Role.INTAKE], by=None, at=now,
        )
        for n in range(CLERKS)
    ]  # fmt: skip
    times: list[float] = []
    taken: list[int] = []
    together = threading.Barrier(CLERKS)

    def work(clerk) -> None:
        together.wait()
        while True:
            started = time.perf_counter()
            scan = batches.claim_next_scan(by=clerk, at=now)
            times.append((time.perf_counter() - started) * 1000)
            if scan is None:
                break
            taken.append(scan.pk)
            batches.skip_scan(
                scan_id=scan.pk, reason=CancelReason.UNREADABLE, note="", by=clerk, at=now
            )
        connections.close_all()

    began = time.perf_counter()
    threads = [threading.Thread(target=work, args=(clerk,)) for clerk in clerks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    double = sum(number - 1 for number in Counter(taken).values())
    if double or len(taken) != SHEETS or Scan.objects.filter(state="WAITING").exists():
        sys.exit(f"{double} scans were claimed twice; {len(taken)} of {SHEETS} were claimed.")
    stage.print_and_keep(
        "claims",
        f"{SHEETS:,} scans, {CLERKS} clerks at once, {stage.database_engine()}: no double claim; "
        f"claim p50 {sorted(times)[len(times) // 2]:.0f} ms, p95 "
        f"{stage.percentile_95(times):.0f} ms; "
        f"{SHEETS / seconds:.0f} scans claimed and skipped a second",
    )


if __name__ == "__main__":
    main()
