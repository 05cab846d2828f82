"""Who may change the deadline rules and holidays.

Each function returns an empty string when the action is allowed, else the sentence to show.
"""

from accounts.models import User


def why_not_manage_rules(user: User) -> str:
    """Return why this person may not confirm or change deadline rules and holidays."""
    return (
        ""
        if user.may("deadlines.manage_deadline_rules")
        else "Your role may not change the deadline rules and holidays."
    )
