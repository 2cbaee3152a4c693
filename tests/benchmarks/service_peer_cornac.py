"""cornac's own server with a matrix factorization of 64 factors, as its documentation starts it.

    python -m tests.benchmarks.service_peer_cornac model 8002

It is trained on the entries of a bundle of ours and answers ``/recommend?uid=U&k=10&remove_seen=true``,
for known users alone. The server of Flask has one thread a connection.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile

import numpy as np
from cornac.data import Dataset
from cornac.models import MF

import recsys


def main() -> None:
    """Fit, save and serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("port", type=int)
    parser.add_argument("--factors", type=int, default=64)
    options = parser.parse_args()
    bundle = recsys.load_bundle(options.model)
    users, items = list(map(str, bundle.user_ids)), list(map(str, bundle.item_ids))
    rows = np.repeat(np.arange(bundle.seen.n_rows), bundle.seen.counts).tolist()
    pairs = zip(rows, bundle.seen.columns.tolist(), strict=True)
    train = Dataset.from_uir([(users[user], items[item], 1.0) for user, item in pairs], seed=0)
    with tempfile.TemporaryDirectory() as folder:
        model = MF(k=options.factors, max_iter=5, seed=0, num_threads=1).fit(train)
        model.save(folder, save_trainset=True)
        os.environ.update(MODEL_PATH=f"{folder}/MF", MODEL_CLASS="cornac.models.MF")
        from cornac.serving.app import app

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        print(f"running on http://127.0.0.1:{options.port}", file=sys.stderr, flush=True)
        app.run(port=options.port)


if __name__ == "__main__":
    main()
