"""Numbers with their nouns: “1 row”, “3 rows”. Pure."""


def count_noun(count: int, noun: str) -> str:
    """Return a number with its noun: “1 item”, “3 items”.

    :param noun: the noun in the singular, or both forms: ``party,parties``.
    """
    one, _, many = noun.partition(",")
    return f"{count:,} {one if count == 1 else many or one + 's'}"
