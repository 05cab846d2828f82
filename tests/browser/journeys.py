"""Which role's main work of the day a test drives."""


def journey_of(*roles):
    """Mark a test as the journey of these roles; ``test_journeys_of_roles`` counts them."""

    def mark(test):
        test.drives_roles = roles
        return test

    return mark
