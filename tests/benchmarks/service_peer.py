"""implicit's ALS behind the web layer of our service: what somebody would write who serves that one.

    python -m tests.benchmarks.service_peer model 8001 --factors 64

It is trained on the entries of a bundle of ours, on one thread, and answers two of our requests: a known
user's list and one of a history that is folded in. Ids are made numbers and back by dictionaries. There is no
cache, no bound on waiting, no reload: nothing but the model and the web server.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI
from fastapi.responses import Response
from implicit.cpu.als import AlternatingLeastSquares
from pydantic import BaseModel
from scipy import sparse
from threadpoolctl import threadpool_limits

import recsys


class History(BaseModel):
    """Somebody who is known by items alone."""

    history: list[int | str]
    n: int = 10


def make_app(bundle: recsys.Bundle, factors: int) -> FastAPI:
    """Return the application, its model fitted."""
    entries = np.ones(bundle.seen.nnz, np.float32), bundle.seen.columns.copy(), bundle.seen.indptr.copy()
    seen = sparse.csr_matrix(entries, (bundle.seen.n_rows, bundle.seen.n_columns))
    model = AlternatingLeastSquares(factors, num_threads=1, random_state=0)
    model.fit(seen, show_progress=False)
    users = {str(user): row for row, user in enumerate(bundle.user_ids)}
    ids = list(bundle.item_ids)
    rows = {item: row for row, item in enumerate(ids)}
    app = FastAPI()

    def listed(found: Any) -> dict[str, Any]:
        items, scores = found
        pairs = zip(items.tolist(), scores.tolist(), strict=True)
        return {"items": [{"item": ids[row], "score": score} for row, score in pairs]}

    @app.get("/recommend/{user}")
    async def recommend(user: str, n: int = 10) -> Any:
        row = users.get(user)
        if row is None:
            return Response(status_code=404)
        return listed(model.recommend(row, seen[row], N=n))

    @app.post("/recommend")
    async def recommend_to(request: History) -> Any:
        columns = [rows[item] for item in request.history]
        of_one = np.zeros(len(columns), dtype=np.int64)
        history = sparse.csr_matrix((np.ones(len(columns), np.float32), (of_one, columns)), (1, len(ids)))
        return listed(model.recommend(0, history, N=request.n, recalculate_user=True))

    return app


def main() -> None:
    """Fit and serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("port", type=int)
    parser.add_argument("--factors", type=int, default=64)
    options = parser.parse_args()
    with threadpool_limits(1, "blas"):
        app = make_app(recsys.load_bundle(options.model), options.factors)
        print(f"running on http://127.0.0.1:{options.port}", file=sys.stderr, flush=True)
        uvicorn.run(app, host="127.0.0.1", port=options.port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
