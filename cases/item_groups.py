"""Groups like disputed items, so that a page says once what holds for all of them. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

# Fewer like items are shown one by one, because a heading would take more room than it saves.
LEAST = 3


@dataclass(frozen=True)
class ItemGroup:
    """Disputed items that follow each other and are alike in all but their title and quantity.

    :ivar heading: "All 11 items" or "Items 2–5"; empty for items that are shown one by one.
    """

    items: list[Any]
    heading: str

    @property
    def first(self) -> Any:
        return self.items[0]


def group_like_items(items: Iterable[Any]) -> list[ItemGroup]:
    """Group disputed items in the order of their positions."""
    rows = list(items)
    groups: list[ItemGroup] = []
    for _, run in groupby(rows, key=_likeness):
        alike = list(run)
        if len(alike) < LEAST:
            groups += [ItemGroup([one], "") for one in alike]
        elif len(alike) == len(rows):
            groups.append(ItemGroup(alike, f"All {len(alike)} items"))
        else:
            positions = [one.position for one in alike]
            groups.append(ItemGroup(alike, f"Items {format_positions(positions)}"))
    return groups


def group_item_sentences(sentences: Sequence[tuple[int, str]]) -> list[str]:
    """Say once what is said of several items: (1, "Spine"), (2, "Spine") → "All 2 items: Spine".

    :param sentences: the position of an item and what is said of it, one for each item.
    """
    by_text: dict[str, list[int]] = {}
    for position, text in sentences:
        by_text.setdefault(text, []).append(position)
    lines = []
    for text, positions in by_text.items():
        if len(positions) == 1:
            lines.append(f"Item {positions[0]}: {text}")
        elif len(positions) == len(sentences):
            lines.append(f"All {len(positions)} items: {text}")
        else:
            lines.append(f"Items {format_positions(positions)}: {text}")
    return lines


def format_positions(positions: Iterable[int]) -> str:
    """Format the numbers of items: 1, 2, 3 and 5 as "1–3, 5"."""
    ranges: list[list[int]] = []
    for position in sorted(positions):
        if ranges and position == ranges[-1][1] + 1:
            ranges[-1][1] = position
        else:
            ranges.append([position, position])
    return ", ".join(f"{first}–{last}" if last > first else f"{first}" for first, last in ranges)


def _likeness(item: Any) -> tuple[Any, ...]:
    return (
        item.category_id,
        item.body_part,
        item.side,
        item.level,
        item.is_experimental,
        item.ending,
        item.parent_id,
    )
