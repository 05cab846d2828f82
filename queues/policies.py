"""Who may assign cases of the lists to themselves, skip them, and share views.

Each function returns an empty string when the action is allowed, else the sentence to show.
"""

from accounts.models import User
from accounts.roles import Role
from cases.models import Case
from cases.policies import why_not_by_conflicts


def why_not_claim(user: User, case: Case) -> str:
    """Return why this person may not assign a case to themselves.

    They must be able to act on it next.
    """
    if not user.may("cases.view_case"):
        return "Your role may not work on cases."
    if not case.is_open:
        return f"Case {case.number} is closed."
    # A conflict of interest bars the person, whatever their role.
    if barred := why_not_by_conflicts(user, case):
        return barred
    # A coordinator assigns the reviewer; nobody can take a review.
    if case.next_role == Role.REVIEWER:
        return f"Case {case.number} is waiting for its reviewer."
    if case.next_role not in user.roles:
        role = Role(case.next_role).label.lower()
        return f"Case {case.number} is waiting for the {role}. Only that role can take it."
    return ""


def why_not_assign_to_others(user: User, case: Case) -> str:
    """Return why this person may not assign a case to someone else."""
    if not user.may("queues.assign_case"):
        return "Only a coordinator or a supervisor can assign cases to others."
    return "" if case.is_open else f"Case {case.number} is closed."


def why_not_receive_case(person: User, case: Case) -> str:
    """Return why a case cannot be assigned to a person, who must be able to act on it next."""
    if not person.is_active:
        return "This person’s account is not active. Choose someone else."
    return why_not_claim(person, case)


def why_not_skip(user: User, case: Case) -> str:
    """Return why this person may not skip a case: only who could take it can skip it."""
    return why_not_claim(user, case)


def why_not_view_skips(user: User) -> str:
    """Return why this person may not see which cases others have skipped."""
    return "" if user.may("queues.view_skips") else "Your role does not see skipped cases."


def why_not_share_view(user: User) -> str:
    """Return why this person may not share views with the office."""
    return "" if user.may("queues.share_view") else "Your role may not share views."
