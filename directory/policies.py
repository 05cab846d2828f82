"""Who may change the facts about organizations.

Each function returns an empty string when the action is allowed, else the sentence to show.
"""

from accounts.models import User


def why_not_keep_organizations(user: User | None) -> str:
    """Return why this person may not change facts about organizations; ``None`` is the system."""
    if user is None or user.may("directory.manage_organizations"):
        return ""
    return "Your role may not change the facts about organizations."
