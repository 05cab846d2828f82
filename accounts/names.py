"""Who acted, as a reader may see it."""

from .models import User


def who(actor: User | None, *, reader: User) -> str:
    """The actor's name; of someone who is or was a reviewer only that. Queries for the roles."""
    return "The system" if actor is None else actor.name_for(reader)
