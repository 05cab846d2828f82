"""What the sign-in page of a demonstration shows besides its form."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse


def demo(request: HttpRequest) -> dict[str, Any]:
    """The demonstration's people and their password, on its sign-in page and nowhere else."""
    if not settings.DEMO or request.path != reverse("account_login"):
        return {}
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
