"""Lists that are computed before anybody asks: the bundle's, as far as there is room, while it is quiet."""

import asyncio
import gc
import json
import re
import time
import weakref
from contextlib import contextmanager

import numpy as np
import pytest
from starlette.testclient import TestClient

import recsys
from recsys.service.activity import Activity
from recsys.service.ahead import Ahead
from recsys.service.app import make_app
from recsys.service.cache import AnswerCache, KeptAnswer
from recsys.service.metrics import Metrics
from recsys.service.serving import Serving
from recsys.service.settings import Settings
from tests.matrices import random_matrix

N_USERS = 30


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("ahead") / "model"
    data = recsys.Interactions.from_matrix(random_matrix(N_USERS, 20))
    recsys.save_bundle(recsys.Bundle.of(recsys.HybridNMF().fit(data), data), path)
    return path


def counted(client, name):
    return float(re.search(rf"^{re.escape(name)} (\S+)$", client.get("/metrics").text, re.MULTILINE)[1])


@contextmanager
def filled(folder, n_lists, **settings):
    """Give a client of a service that has computed so many lists ahead."""
    with TestClient(make_app(Settings(folder, reload_seconds=0.01, **settings))) as client:
        wait_for(client, n_lists)
        yield client


def wait_for(client, n_lists):
    until = time.monotonic() + 60
    while counted(client, "recsys_ahead_total") < n_lists:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_every_list_is_there_before_it_is_asked_for_and_is_the_bundles(folder):
    bundle = recsys.load_bundle(folder)
    with filled(folder, N_USERS, ahead=1_000) as client:
        for user in range(N_USERS):
            expected = json.loads(json.dumps(next(bundle.recommend([user]).lists())))
            assert client.get(f"/recommend/{user}").json() == expected
            assert client.get(f"/recommend/{user}?n=10").json() == expected
        assert counted(client, 'recsys_cache_total{outcome="hit"}') == 2 * N_USERS
        client.get("/recommend/3?n=4")
        assert counted(client, 'recsys_cache_total{outcome="miss"}') == 1
        recsys.save_bundle(bundle, folder)  # a new one, whose lists are computed in their turn
        wait_for(client, 2 * N_USERS)


def test_those_with_most_entries_come_first_and_no_more_than_the_cache_holds(folder):
    counts = recsys.load_bundle(folder).seen.counts
    first = np.argsort(-counts, kind="stable")[:4].tolist()
    for settings in ({"ahead": 4}, {"ahead": 1_000, "cache_size": 4}):
        with filled(folder, 4, **settings) as client:
            time.sleep(0.1)
            assert counted(client, "recsys_ahead_total") == 4
            for user in first:
                client.get(f"/recommend/{user}")
            assert counted(client, 'recsys_cache_total{outcome="hit"}') == 4


def test_what_was_computed_ahead_goes_before_what_was_asked_for_and_the_last_first():
    cache = AnswerCache(4)
    answer = KeptAnswer("/", b"")
    cache.put(("asked", b""), answer)
    cache.put_new([((f"ahead {number}", b""), answer) for number in range(9)])
    for name in ("asked later", "asked last"):
        cache.put((name, b""), answer)
    assert [
        name
        for name in ("asked", "asked later", "asked last", "ahead 0")
        if cache.get((name, b"")) is not None
    ] == ["asked", "asked later", "asked last", "ahead 0"]


def test_a_bundle_that_was_replaced_is_let_go_while_requests_never_pause(folder):
    activity, metrics = Activity(), Metrics()
    serving = Serving(folder, 100, metrics)
    ahead = Ahead(serving, activity, metrics, 100)
    activity.begin()
    loop = asyncio.new_event_loop()
    ahead.begin(loop)
    try:
        time.sleep(0.1)  # it waits for a pause
        before = weakref.ref(serving.now)
        serving.now = Serving(folder, 100, metrics).now
        until = time.monotonic() + 30
        while before() is not None:
            gc.collect()
            assert time.monotonic() < until
            time.sleep(0.02)
    finally:
        ahead.end()
        serving.end()
        loop.close()


def test_nothing_is_computed_while_a_request_is_answered_or_was_just_before():
    activity = Activity()
    assert activity.seconds_to_quiet() == 0
    activity.begin()
    activity.begin()
    activity.end()
    time.sleep(0.03)
    assert activity.seconds_to_quiet() > 0  # the other one goes on
    activity.end()
    assert activity.seconds_to_quiet() > 0
    time.sleep(0.03)
    assert activity.seconds_to_quiet() == 0
