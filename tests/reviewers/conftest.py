import pytest

from tests.factories import person


@pytest.fixture
def signed_in(client):
    """A client signed in with these roles, or as someone."""

    def sign_in(*roles, user=None):
        client.force_login(user or person(*roles))
        return client

    return sign_in
