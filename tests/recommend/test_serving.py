"""A bundle in a service: many threads, forked workers, processes of joblib."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import recsys
from recsys.data.rows import CompressedRows
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from tests.matrices import random_matrix

ROOT = str(Path(__file__).parents[2])
DATA = recsys.Interactions.from_matrix(random_matrix(60, 40))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("bundle") / "model"
    save_bundle(Bundle.of(recsys.MaskedNMF(4, max_iter=10).fit(DATA), DATA), path)
    return path


@pytest.mark.parametrize(
    "model", [recsys.MaskedNMF(4, max_iter=5), recsys.WeightedNMF(4), recsys.HybridNMF(), recsys.ItemKNN()]
)
def test_calls_from_many_threads_answer_as_one_thread_does(model):
    bundle = Bundle.of(model.fit(DATA), DATA)

    def answer(user):
        told = dict.fromkeys(range(user % 7, 40, 5), 3.0)
        return (
            bundle.recommend([user], 5).items.tolist(),
            bundle.recommend_for(told, 5).items.tolist(),
            bundle.recommend_for(told, 5).scores.tolist(),
        )

    alone = [answer(user) for user in range(24)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(answer, range(24))) == alone


@pytest.mark.parametrize(
    "model", [recsys.WeightedNMF(4), recsys.HybridNMF(), recsys.MaskedNMF(4), recsys.ItemKNN()]
)
def test_lists_for_a_history_name_the_strongest_theme(model):
    bundle = Bundle.of(model.fit(DATA), DATA)
    told = dict.fromkeys(range(0, 40, 5), 4.0)
    listed = bundle.recommend_for(told, 8)
    if bundle.model.component_model is None:
        assert not listed.themes.any()
        return
    columns = np.array(sorted(told), dtype=np.int32)
    history = CompressedRows(np.array([0, len(columns)]), columns, np.full(len(columns), 4.0), 40)
    parts = bundle.model.history_score_parts(history, listed.items).components
    explained = parts.any(axis=1)
    np.testing.assert_array_equal(listed.themes, np.where(explained, parts.argmax(axis=1) + 1, 0))
    wholes = parts.sum(axis=1) if bundle.model.component_model is bundle.model else listed.scores
    shares = parts.max(axis=1)[explained] / wholes[explained]
    np.testing.assert_allclose(listed.theme_shares[explained], shares, rtol=1e-4)


def test_models_are_fitted_and_asked_in_threads_at_once():
    bundle = Bundle.of(recsys.MaskedNMF(4, max_iter=5).fit(DATA), DATA)
    expected = bundle.recommend(None, 5).items.tolist()

    def fit(seed):
        return recsys.MaskedNMF(3, max_iter=5, random_state=seed).fit(DATA).components_

    with ThreadPoolExecutor(6) as pool:
        fits = [pool.submit(fit, seed % 2) for seed in range(8)]
        lists = [pool.submit(bundle.recommend, None, 5) for _ in range(8)]
        assert all(future.result().items.tolist() == expected for future in lists)
        for seed, future in enumerate(fits):
            np.testing.assert_array_equal(future.result(), fits[seed % 2].result())


@pytest.mark.parametrize(
    "backend",
    [
        pytest.param("loky", marks=pytest.mark.slow),
        pytest.param("threading", marks=pytest.mark.slow),
        pytest.param("multiprocessing", marks=pytest.mark.slow),
    ],
)
def test_joblib(backend, folder, tmp_path):
    pytest.importorskip("joblib")
    run(
        f"""
import sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of a fork beside threads, which is meant
import recsys, joblib
from recsys.recommend.bundle_files import load_bundle

def lists(bundle, user):
    return bundle.recommend([user], 5).items.tolist()

if __name__ == "__main__":
    bundle = load_bundle(sys.argv[1])
    alone = [lists(bundle, user) for user in range(12)]
    tasks = (joblib.delayed(lists)(bundle, user) for user in range(12))
    assert joblib.Parallel(2, backend={backend!r}, timeout=200)(tasks) == alone
""",
        folder,
        tmp_path,
    )


PREFORK = """
import json, os, signal, socket, sys, urllib.request, warnings
warnings.simplefilter("ignore", DeprecationWarning)
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from recsys.recommend.bundle_files import load_bundle

bundle = load_bundle(sys.argv[1])
lists = bundle.recommend(None, 5)  # all threads are used before the fork
alone = [bundle.recommend([user], 5).items.tolist() for user in range(10)]

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        user = int(self.path.strip("/"))
        items = bundle.recommend([user], 5).items.tolist()
        body = json.dumps({"worker": os.getpid(), "items": items}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
workers = []
for _ in range(2):
    worker = os.fork()
    if worker == 0:
        server.serve_forever()
    workers.append(worker)
try:
    where = f"http://127.0.0.1:{server.server_address[1]}"
    from concurrent.futures import ThreadPoolExecutor
    def ask(user):
        return json.load(urllib.request.urlopen(f"{where}/{user}", timeout=60))
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, [user % 10 for user in range(60)]))
    assert [answer["items"] for answer in answers] == [alone[user % 10] for user in range(60)]
    assert {answer["worker"] for answer in answers} <= set(workers)
    assert [bundle.recommend([user], 5).items.tolist() for user in range(10)] == alone  # the parent goes on
finally:
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
        os.waitpid(worker, 0)
"""


@pytest.mark.slow
def test_a_prefork_server(folder, tmp_path):
    run(PREFORK, folder, tmp_path)


def run(program, folder, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(f"import sys; sys.path.insert(0, {ROOT!r})\n{program}")
    subprocess.run([sys.executable, script, folder], check=True, timeout=300)


def test_a_new_bundle_takes_the_place_of_the_one_being_served(folder, tmp_path):
    place = tmp_path / "model"
    save_bundle(load_bundle(folder), place)
    served = load_bundle(place)
    before = served.recommend([3], 5).items.tolist()
    other = Bundle.of(recsys.Popularity().fit(DATA), DATA)
    with ThreadPoolExecutor(4) as pool:
        loads = [pool.submit(load_bundle, place) for _ in range(6)]
        save_bundle(other, place)
        names = {future.result().model.name for future in loads}
    assert names <= {"masked-nmf", "popularity"}
    assert served.recommend([3], 5).items.tolist() == before
    assert load_bundle(place).model.name == "popularity"
