"""The name of an actor, as a reader may see it."""

from .models import User


def name_actor(actor: User | None, *, reader: User) -> str:
    """Return the actor's name; "The reviewer" if the reader may not know it.

    Queries for the roles.
    """
    return "The system" if actor is None else actor.name_for(reader)
