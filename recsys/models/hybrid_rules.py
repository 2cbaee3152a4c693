"""What a sum of components and neighbors is made of, where nothing was said: by the size of a log."""

from __future__ import annotations

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.models.neighbor_penalty import users_of_an_item

LEAST_COMPONENTS = 64
_ROWS_A_COMPONENT = ((8, 256), (16, 1024))  # an eighth up to 256, from there on a sixteenth up to 1,024
_WEIGHT_FACTOR, _LEAST_WEIGHT, _MOST_WEIGHT = 0.11, 1.0, 2.0


def number_of_components(n_users: int, n_items: int) -> int:
    """Return an eighth of the users or the items, whichever are fewer, from 64 to 256; above, a sixteenth.

    At most 1,024.
    """
    smaller = min(n_users, n_items)
    return max(LEAST_COMPONENTS, *(min(smaller // rows, most) for rows, most in _ROWS_A_COMPONENT))


def weight_of_neighbors(rows: CompressedRows) -> float:
    """Return how much neighbors count beside components: 0.11 times the mean users of an item, from 1 to 2.

    Neighbors rest on the users that items share, of which there are the fewer the fewer users items have.

    Parameters
    ----------
    rows : CompressedRows, (n_users, n_items)
    """
    return float(np.clip(_WEIGHT_FACTOR * users_of_an_item(rows), _LEAST_WEIGHT, _MOST_WEIGHT))
