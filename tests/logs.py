"""Small logs for tests."""

import numpy as np

from recsys.data.ids import encode
from recsys.data.log import Log


def log_of(events, *, feedback="explicit", time_kind="number"):
    """Return the log of events given as (user id, item id[, value[, time]])."""
    columns = [list(column) for column in zip(*events, strict=True)]
    users, user_ids = encode(np.array(columns[0], dtype=object))
    items, item_ids = encode(np.array(columns[1], dtype=object))
    values = columns[2] if len(columns) > 2 else np.ones(len(users))
    times = columns[3] if len(columns) > 3 else None
    kind = None if times is None else time_kind
    return Log(users, items, np.asarray(values, float), user_ids, item_ids, feedback, times, kind)


def random_log(n_events, *, n_users=6, n_items=8, seed=0, with_times=True):
    """Return a log with repeated pairs and distinct times."""
    generator = np.random.default_rng(seed)
    columns = [generator.integers(0, n, n_events).tolist() for n in (n_users, n_items)]
    columns.append(generator.integers(0, 6, n_events).tolist())
    if with_times:
        columns.append(generator.permutation(n_events).tolist())
    return log_of(list(zip(*columns, strict=True)))
