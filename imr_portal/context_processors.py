"""The demonstration users, shown on the sign-in page of a demonstration."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse


def add_demo_sign_ins(request: HttpRequest) -> dict[str, Any]:
    """Add the demonstration users and their password to the sign-in page only."""
    # On all other pages the password would be of no use.
    if not settings.DEMO or request.path != reverse("account_login"):
        return {}
    # Imported here, so that production does not load the demonstration.
    from .demo.office import DOMAIN, PASSWORD, PEOPLE

    return {
        "demo_password": PASSWORD,
        "demo_people": [
            {
                "name": name,
                "email": f"{key}@{DOMAIN}",
                "roles": ", ".join(role.label for role in roles),
            }
            for key, (name, roles) in PEOPLE.items()
        ],
    }
