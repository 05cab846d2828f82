"""Who may take cases out of the queues and share views of them.

Each function returns an empty string when the action is allowed, else the sentence to show.
"""

from accounts.models import User
from accounts.roles import Role
from cases.models import Case
from cases.policies import why_not_by_conflicts


def why_not_claim(user: User, case: Case) -> str:
    """A case is taken by someone who acts on it next; it is no lock on anybody else."""
    if not user.may("cases.view_case"):
        return "Your role does not work on cases."
    if not case.is_open:
        return f"Case {case.number} is closed. No one acts on it."
    if barred := why_not_by_conflicts(user, case):
        return barred
    if case.next_role == Role.REVIEWER:
        return f"Case {case.number} waits for its reviewer alone."
    if case.next_role not in user.roles:
        role = Role(case.next_role).label.lower()
        return f"Case {case.number} waits for the {role}. Only whoever acts next can take it."
    return ""


def why_not_share_view(user: User) -> str:
    return "" if user.may("queues.share_view") else "Your role does not share views."
