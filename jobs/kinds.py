"""The scheduled jobs: their names, and what each does in words. Pure.

``imr_portal.celery`` says when each runs; a test compares both.
"""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class JobKind:
    """One scheduled job.

    :ivar lease: after so long without a sign of the running process, another may take over.
    :ivar keeps_every_run: whether each run leaves a row. Jobs that run every few seconds leave a
        row only if they fail.
    """

    label: str
    does: str
    lease: timedelta = timedelta(seconds=100)  # below the time after which a message comes back
    keeps_every_run: bool = True


JOB_KINDS: dict[str, JobKind] = {
    "letters.sweep": JobKind(
        "Lost letters",
        "Queues letters again whose message or worker was lost.",
        lease=timedelta(seconds=30),
        keeps_every_run=False,
    ),
    "files.delete_leftovers": JobKind(
        "Leftover files", "Deletes what uploads that were cut off left behind an hour ago."
    ),
    "letters.heartbeat": JobKind(
        "Worker heartbeat",
        "Records that a worker executes tasks.",
        lease=timedelta(seconds=30),
        keeps_every_run=False,
    ),
    "jobs.start_requested": JobKind(
        "Requested jobs",
        "Starts the jobs that a person asked to run again.",
        lease=timedelta(seconds=30),
        keeps_every_run=False,
    ),
    "desk.write_exports": JobKind(
        "Exported lists",
        "Writes the lists that people asked for as files, and deletes the files of yesterday.",
        keeps_every_run=False,
    ),
    "queues.measure_stage_durations": JobKind(
        "Stage durations", "Measures how long stages take, for the order by time to spare."
    ),
    "intake.close_forgotten_drafts": JobKind(
        "Forgotten drafts", "Closes the drafts of applications that nobody has saved for a week."
    ),
    "cases.examine_own_organization": JobKind(
        "Own conflicts",
        "Repeats the conflict check of open cases after facts about this organization changed.",
    ),
    "maintenance.run_nightly_checks": JobKind(
        "Nightly run",
        "Looks for impossible states, and compares stored values with their sources.",
    ),
    "queues.release_lost_claims": JobKind(
        "Lost access",
        "Unassigns cases from people who can no longer work on them, and tells them and a manager.",
    ),
    "reviewers.remind_due_reviews": JobKind(
        "Reviews due soon", "Reminds reviewers of reviews that are due soon, once for each date."
    ),
    "reviewers.run_payer_bias_test": JobKind(
        "Payer-bias tests", "Runs the missing payer-bias tests of each month."
    ),
}
