"""Who may change what is on file about organizations.

Each function returns an empty string when the action is allowed, else the sentence to show.
"""

from accounts.models import User


def why_not_keep_organizations(user: User | None) -> str:
    """``None`` is the system: shipped and imported facts."""
    if user is None or user.may("directory.keep_organizations"):
        return ""
    return "Your role does not let you keep the organizations."
