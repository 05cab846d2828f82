"""Who may change and confirm fees.

The function returns an empty string when the action is allowed, else the sentence to show.
"""

from accounts.models import User


def why_not_manage_fees(user: User) -> str:
    """Return why this person may not confirm or change fees."""
    return "" if user.may("billing.manage_fees") else "Your role may not change fees."
