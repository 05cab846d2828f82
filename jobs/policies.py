"""Who may run a job again."""

from accounts.models import User


def why_not_run_again(user: User) -> str:
    """Why this person may not run jobs; empty if they may."""
    if user.may("jobs.run_again"):
        return ""
    return "An administrator or the medical director runs jobs again."
