"""Who may repair rows."""

from accounts.models import User


def why_not_repair(user: User) -> str:
    """Why this person may not run repairs; empty if they may."""
    if user.may("maintenance.run_repair"):
        return ""
    return "An administrator runs repairs."
