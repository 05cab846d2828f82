"""Who may change the rules of deadlines and the holidays.

Each function returns an empty string when the action is allowed, else the sentence to show.
"""

from accounts.models import User


def why_not_keep_rules(user: User) -> str:
    """Why this person may not confirm or change the rules of deadlines and the holidays."""
    return (
        ""
        if user.may("deadlines.manage_deadline_rules")
        else "Your role does not change the rules of deadlines and the holidays."
    )
