"""The service's answers are those of its bundle; what it cannot answer it says in one sentence."""

import asyncio
import json
import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

import recsys
from recsys.errors import ParameterError
from recsys.service.answers import lists_of_histories
from recsys.service.app import make_app
from recsys.service.computing import BusyError, Computing
from recsys.service.gate import Gate
from recsys.service.metrics import Metrics
from recsys.service.run import serve
from recsys.service.settings import Settings
from tests.matrices import random_matrix

TOKEN = "0123456789abcdef"
DATA = recsys.Interactions.from_matrix(random_matrix(30, 20))
NAMES = {item: f"Item Ünder {item}" for item in range(20)}


def saved(folder, model=None, data=DATA):
    model = model or recsys.HybridNMF()
    recsys.save_bundle(recsys.Bundle.of(model.fit(data), data, item_names=NAMES), folder)
    return recsys.load_bundle(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("service") / "model"
    saved(path)
    return path


@pytest.fixture
def bundle(folder):
    return recsys.load_bundle(folder)


def client_of(folder, **settings):
    made = make_app(Settings(folder, reload_seconds=0, **{"timeout": 120, **settings}))
    return TestClient(made, raise_server_exceptions=False)


@pytest.fixture
def client(folder):
    with client_of(folder) as made:
        yield made


def plain(value):
    return json.loads(json.dumps(value))


def test_every_user_gets_the_list_of_the_bundle_computed_or_kept(client, bundle):
    for user in [*range(30), "7", "nobody"]:
        expected = plain(next(bundle.recommend([user], 4, reasons=2).lists()))
        for _ in range(2):
            assert client.get(f"/recommend/{user}?n=4&reasons=2").json() == expected
    text = client.get("/metrics").text
    assert 'recsys_cache_total{outcome="hit"} 33.0' in text
    assert 'recsys_cache_total{outcome="miss"} 31.0' in text
    assert 'recsys_requests_total{route="/recommend/{user:path}",status="200"} 64.0' in text


def test_a_small_cache_forgets_what_was_not_asked_for_longest(folder, bundle):
    with client_of(folder, cache_size=2) as client:
        for user in (0, 1, 0, 2, 0, 1):
            expected = plain(next(bundle.recommend([user]).lists()))
            assert client.get(f"/recommend/{user}").json() == expected
        assert 'recsys_cache_total{outcome="hit"} 2.0' in client.get("/metrics").text
    with client_of(folder, cache_size=0) as client:
        client.get("/recommend/1"), client.get("/recommend/1")
        assert 'outcome="hit"} 0' in client.get("/metrics").text


def test_the_short_way_answers_as_the_route_does(client):
    for user in (3, "nobody", "7%2F8", "%20"):
        for n in (1, 10, 1_000):
            short, route = (client.get(f"/recommend/{user}?n={n}{rest}") for rest in ("", "&reasons=0"))
            assert short.content == route.content
            assert short.headers.items() == route.headers.items()
    for query in ("n=0", "n=1001", "n=-1", "n=x", "n=", "n=1e3", "n=99999999999"):
        short, route = (client.get(f"/recommend/3?{query}{rest}") for rest in ("", "&reasons=0"))
        assert short.status_code == route.status_code == 422
        assert short.json() == route.json()


def test_ids_are_read_from_paths_as_they_are_written(client, bundle, tmp_path):
    for path in ("/recommend/3/", "/recommend/3.0", "/recommend/%33", "/recommend/3%20"):
        assert client.get(path).json() == client.get("/recommend/3").json()
    assert client.get("/users/3/").json()["user"] == client.get("/items/3/").json()["item"] == 3
    assert client.get("/explain/3/?n=1").json() == client.get("/explain/3?n=1").json()
    assert client.get("/similar/3/").json() == client.get("/similar/3").json()
    for path, kind in (("recommend", "user"), ("explain", "user"), ("similar", "item"), ("users", "user")):
        answer = client.get(f"/{path}/")
        assert (answer.status_code, answer.json()["error"]) == (
            422,
            f"the path names no {kind}; expected an id at its end.",
        )
    assert client.get("/recommend/" + "9" * 5_000).json()["source"] == "popularity"
    # A slash, or what else needs an escape, may be part of an id.
    odd = ["a/b", "a/b/", "a", "50 %", "?&#", "Ünder"]
    data = recsys.Interactions.from_pairs(odd * 2, ["x"] * 6 + ["y"] * 6)
    recsys.save_bundle(recsys.Bundle.of(recsys.Popularity().fit(data), data), tmp_path / "odd")
    with client_of(tmp_path / "odd") as client:
        for user in odd:
            answer = client.get(f"/users/{quote(user, safe='')}").json()
            assert answer["user"] == user
        assert client.get("/users/a/b").json()["user"] == "a/b"
        assert client.get("/users/a/").json()["user"] == "a"


def test_lists_for_users_and_histories(client, bundle):
    def lists(**request):
        answer = client.post("/recommend", json={"n": 3, **request})
        assert answer.status_code == 200, answer.text
        return answer.json()["lists"]

    assert lists(users=[3, 4, 99]) == plain(list(bundle.recommend([3, 4, 99], 3).lists()))
    history = {"2": 5.0, "9": 3.0}
    assert lists(history=history) == plain(list(bundle.recommend_for(history, 3).lists()))
    histories = {"ann": [1, 2], "bob": {"3": 2.0}, "new": []}
    assert lists(histories=histories) == plain(list(bundle.recommend_for_each(histories, 3).lists()))
    rules = recsys.Rules(exclude=[1], only=list(range(12)), least_users=2)
    asked = {"exclude": [1], "only": list(range(12)), "least_users": 2}
    assert lists(user=5, rules=asked) == plain(list(bundle.recommend([5], 3, rules=rules).lists()))


def test_histories_get_the_list_of_the_bundle_whoever_asks_at_the_same_time(client, bundle):
    histories = [["2", 9], {"2": 5.0, "9": 3.0}, [], [7], {"7": 0.0}, ["2", 9], {"4": 1.0}]
    expected = [plain(next(bundle.recommend_for(history, 4).lists())) for history in histories]
    assert plain(lists_of_histories(bundle, histories, 4, include_seen=False)) == expected

    def answered(history):
        return client.post("/recommend", json={"history": history, "n": 4}).json()["lists"]

    with ThreadPoolExecutor(len(histories)) as pool:
        assert list(pool.map(answered, histories)) == [[answer] for answer in expected]


def test_a_body_that_is_sent_in_pieces_or_as_something_else_is_read_as_before(client):
    whole = b'{"history": [2, 9]}'
    named = {"content-type": "application/json; charset=utf-8"}
    asked = client.post("/recommend", content=iter([whole[:7], whole[7:]]), headers=named)
    assert asked.json() == client.post("/recommend/", json=json.loads(whole)).json()
    for content, headers in ((whole, {}), (b"[1", named), (b"[" * 100_000, named), (b'{"n": 0}', named)):
        answer = client.post("/recommend", content=content, headers=headers)
        assert 400 <= answer.status_code <= 422
        assert answer.json()["error"]


def test_rules_go_by_the_categories_of_the_service_or_of_the_request(folder, bundle):
    categories = {
        item: ("even", "low")[: 1 + (item < 5)] if item % 2 == 0 else ("odd",) for item in range(30)
    }
    with client_of(folder, categories=categories) as client:

        def listed(**rules):
            answer = client.post("/recommend", json={"user": 3, "rules": rules})
            assert answer.status_code == 200, answer.text
            return answer.json()["lists"]

        for named in ({"only_categories": ["low"]}, {"never_categories": ["odd"], "most_per_category": 3}):
            rules = recsys.Rules(categories=categories, **named)
            assert listed(**named) == plain(list(bundle.recommend([3], rules=rules).lists()))
        own = {"categories": {"1": "mine", "2": ["mine"]}, "only_categories": ["mine"]}
        assert {row["item"] for row in listed(**own)[0]["items"]} <= {1, 2}
        assert client.get("/categories").json()["categories"] == [
            {"category": "even", "n_items": 10},
            {"category": "low", "n_items": 3},
            {"category": "odd", "n_items": 10},
        ]
        assert client.get("/model").json()["has_categories"]
        missing = client.post("/recommend", json={"user": 3, "rules": {"only_categories": ["blue"]}})
        assert (
            missing.json()["error"]
            == "only_categories: there is no category 'blue'; there are even, low, odd."
        )
    with client_of(folder) as client:
        answer = client.post("/recommend", json={"user": 3, "rules": {"only_categories": ["low"]}})
        assert (answer.status_code, "give categories" in answer.json()["error"]) == (422, True)
        assert client.get("/categories").json() == {"categories": []}
        assert not client.get("/model").json()["has_categories"]


def test_what_came_since_training_is_folded_in_and_not_listed(client, bundle):
    user = 6
    columns, values = bundle.seen.row(user)
    first = client.get(f"/recommend/{user}").json()["items"][0]["item"]
    whole = dict(zip(columns.tolist(), map(float, values), strict=True)) | {first: 4.0}
    answer = client.post("/recommend", json={"user": "6", "history": {str(first): 4.0}})
    (expected,) = bundle.recommend_for_each({user: whole}).lists()
    assert answer.json()["lists"] == [plain(expected)]
    listed = {row["item"] for row in expected["items"]}
    assert not listed & set(whole)
    # Of a user nobody knows, what came is all there is.
    unknown = client.post("/recommend", json={"user": "new", "history": {str(first): 4.0}}).json()["lists"]
    assert unknown[0]["items"] == plain(next(bundle.recommend_for({first: 4.0}).lists()))["items"]


def test_similar_items_explanations_users_themes_and_items(client, bundle):
    assert client.get("/similar/4?n=3").json() == plain(next(bundle.similar(4, 3).lists()))
    by_factors = client.get("/similar/4?n=3&by=factors").json()
    assert by_factors == plain(next(bundle.similar(4, 3, by="factors").lists()))
    explained = [found.to_json() for found in bundle.explain(2, n=2, counterfactual=False)]
    assert client.get("/explain/2?n=2").json() == {"explanations": plain(explained)}
    explained = [found.to_json() for found in bundle.explain_for({"1": 4.0, "2": 5.0}, [7])]
    asked = {"history": {"1": 4.0, "2": 5.0}, "items": [7], "counterfactual": True}
    assert client.post("/explain", json=asked).json() == {"explanations": plain(explained)}
    user = client.get("/users/3").json()
    assert [row["item"] for row in user["history"]] == bundle.seen.row(3)[0].tolist()
    assert 0 < sum(theme["share"] for theme in user["themes"]) <= 1 + 1e-6
    assert [theme["theme"] for theme in client.get("/themes?n=2").json()["themes"]] == [1, 2]
    found = client.get("/items", params={"q": "UNDER 1", "n": 3}).json()["items"]
    counts = [row["n_users"] for row in found]
    assert len(found) == 3
    assert counts == sorted(counts, reverse=True)
    assert all("1" in row["name"] for row in found)
    model = client.get("/model").json()
    assert (model["model"], model["n_users"], model["n_items"]) == ("hybrid-nmf", 30, 20)
    counts = bundle.seen.counts
    assert counts[model["most_active"]].tolist() == sorted(counts.tolist(), reverse=True)[:5]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("GET", "/recommend/1?n=0", None, 422, "n: Input should be greater than or equal to 1."),
        ("GET", "/recommend/1?n=1000000000", None, 422, "n is 1,000,000,000; one request may ask for 1,000."),
        ("GET", "/similar/zebra", None, 404, "item 'zebra' is not known to the model."),
        ("GET", "/users/zebra", None, 404, "user 'zebra' is not known to the model."),
        ("GET", "/nowhere", None, 404, "Not Found."),
        ("PUT", "/model", None, 405, "Method Not Allowed."),
        ("POST", "/recommend", {}, 422, "the request names nobody; expected user"),
        ("POST", "/recommend", {"user": 1, "users": [2]}, 422, "the request names user and users"),
        ("POST", "/recommend", {"user": 1, "m": 2}, 422, "m: Extra inputs are not permitted."),
        ("POST", "/recommend", {"users": [1] * 1001}, 422, "one request may ask for 1,000"),
        ("POST", "/recommend", {"history": {"1": -4}}, 422, "history"),
        ("POST", "/recommend", {"history": ["zebra"]}, 422, "item 'zebra' is not known to the model"),
        ("POST", "/recommend", {"user": 1, "rules": {"exclude": list(range(20))}}, 422, "leave"),
        ("POST", "/explain", {}, 422, "the request names nobody"),
        ("POST", "/recommend", b"[" * 100_000, 400, "parsing the body"),
        ("POST", "/recommend", b'{"user": ', 422, "the body is no JSON: Expecting value at character 9."),
        ("POST", "/recommend", b"[1]", 422, "the body is no JSON object; send one"),
        ("POST", "/recommend", b'{"history": {"1": NaN}}', 422, "finite number"),
        ("POST", "/recommend", b'{"user": ' + b"9" * 5_000 + b"}", 400, "parsing the body"),
    ],
)
def test_what_cannot_be_answered_is_said_in_one_sentence(client, method, path, body, status, says):
    content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    answer = client.request(method, path, content=content, headers={"content-type": "application/json"})
    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["error"]
    assert says in answer.json()["error"]


def test_half_a_letter_comes_back_as_it_came(client):
    sent, kind = b'{"user": "\\ud800", "n": 1}', {"content-type": "application/json"}
    answer = client.post("/recommend", content=sent, headers=kind)
    assert (answer.status_code, answer.json()["lists"][0]["user"]) == (200, "\ud800")


def test_head_is_answered_as_get_without_a_body(client):
    for path in ("/healthz", "/readyz", "/", "/recommend/3?n=2", "/recommend/3?n=2", "/similar/zebra"):
        head, get = client.head(path), client.get(path)
        assert (head.status_code, head.content) == (get.status_code, b"")
        assert head.headers.items() == get.headers.items()
    assert "head" not in client.get("/openapi.json").json()["paths"]["/healthz"]


def test_a_slash_behind_a_path_that_takes_a_body_is_no_other_path(client):
    for path in ("/recommend", "/explain"):
        bare, slash = (client.post(path + end, json={"user": 3, "n": 2}) for end in ("", "/"))
        assert (bare.status_code, slash.content) == (200, bare.content)


def test_an_address_in_use_is_said_before_anything_is_loaded():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ParameterError, match="already in use; choose another"):
            serve(Settings("nowhere"), "127.0.0.1", port)


def test_a_model_that_ranks_ratings_asks_for_ratings(tmp_path):
    saved(tmp_path / "model", recsys.MaskedNMF(2))
    with client_of(tmp_path / "model") as client:
        answer = client.post("/recommend", json={"user": 1, "history": [3]})
        assert answer.status_code == 422
        assert "give the history as a mapping of item to rating" in answer.json()["error"]


def test_a_model_without_themes_says_so(tmp_path):
    saved(tmp_path / "model", recsys.Popularity())
    with client_of(tmp_path / "model") as client:
        assert client.get("/themes").status_code == 409
        assert client.get("/users/1").json()["themes"] == []


def test_a_token_opens_all_but_health(folder):
    with client_of(folder, token=TOKEN) as client:
        for path in ("/recommend/1", "/metrics", "/openapi.json", "/nowhere"):
            for borne in ({}, {"authorization": "Bearer x"}, {"authorization": TOKEN}):
                answer = client.get(path, headers=borne)
                assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
                assert TOKEN not in answer.text
        assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200
        borne = {"authorization": f"Bearer {TOKEN}"}
        assert client.get("/recommend/1", headers=borne).status_code == 200


def test_settings_refuse_what_cannot_be(folder):
    for settings in ({"most_waiting": 0}, {"timeout": 0}, {"cache_size": -1}, {"timeout": float("nan")}):
        with pytest.raises(ParameterError, match=next(iter(settings))):
            Settings(folder, **settings)
    with pytest.raises(ParameterError, match="5 characters; expected 16"):
        Settings(folder, token="guess")


def test_a_large_request_is_refused_whether_or_not_it_says_so(folder):
    with client_of(folder, most_bytes=2_000) as client:
        body = json.dumps({"users": list(range(1_000))}).encode()
        assert client.post("/recommend", content=body).status_code == 413
        pieces = (body[start : start + 100] for start in range(0, len(body), 100))
        assert client.post("/recommend", content=pieces).status_code == 413


def test_only_origins_that_are_named_may_ask(folder):
    asked = {"origin": "https://shop.example", "access-control-request-method": "GET"}
    with client_of(folder) as client:
        assert "access-control-allow-origin" not in client.get("/model", headers=asked).headers
    with client_of(folder, origins=("https://shop.example",)) as client:
        allowed = client.options("/model", headers=asked).headers["access-control-allow-origin"]
        assert allowed == "https://shop.example"
        other = client.get("/model", headers={"origin": "https://else.example"})
        assert "access-control-allow-origin" not in other.headers


def test_no_trace_leaves_the_process(folder, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("a secret")

    with client_of(folder) as client:
        monkeypatch.setattr("recsys.service.answers.about", broken)
        answer = client.get("/model")
        assert answer.status_code == 500
        assert "secret" not in answer.text
        assert "Trace" not in answer.text
        number = answer.json()["error"].split()[-1].rstrip(".")
        assert any(number in record.getMessage() and record.exc_info for record in caplog.records)


def test_the_log_names_routes_and_nobody(folder, caplog):
    with client_of(folder) as client, caplog.at_level(logging.INFO, "recsys.service.access"):
        client.get("/recommend/ann@example.org")
    (record,) = [record for record in caplog.records if record.name == "recsys.service.access"]
    assert record.fields["route"] == "/recommend/{user:path}"
    assert "ann" not in str(vars(record))


def test_one_more_than_may_wait_is_refused_at_once():
    async def ask():
        computing, release = Computing(1, 2, 5.0, Metrics()), threading.Event()
        waiting = [asyncio.ensure_future(computing.run(release.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await computing.run(release.wait)
        release.set()
        assert await asyncio.gather(*waiting) == [True, True]
        assert await computing.run(lambda: 3) == 3
        computing.end()

    asyncio.run(ask())


def test_an_answer_given_up_counts_until_its_thread_is_done():
    async def ask():
        computing, release = Computing(1, 1, 0.01, Metrics()), threading.Event()
        with pytest.raises(TimeoutError):
            await computing.run(release.wait)
        with pytest.raises(BusyError):
            await computing.run(release.wait)
        release.set()
        while True:
            try:
                assert await computing.run(lambda: 3) == 3
                break
            except BusyError:
                await asyncio.sleep(0.01)
        computing.end()

    asyncio.run(ask())


@pytest.mark.parametrize(("error", "status"), [(BusyError(), 503), (TimeoutError(), 504)])
def test_busy_and_late_are_answered_as_such(folder, monkeypatch, error, status):
    async def failing(*_):
        raise error

    monkeypatch.setattr("recsys.service.computing.Computing.run", failing)
    monkeypatch.setattr("recsys.service.batches.Batches.answer", failing)
    with client_of(folder) as client:
        for path in ("/recommend/1", "/recommend/1?reasons=1", "/similar/1"):
            answer = client.get(path)
            assert answer.status_code == status
            assert list(answer.json()) == ["error"]
            assert ("retry-after" in answer.headers) == (status == 503)


def test_a_request_that_does_not_arrive_is_given_up():
    async def ask():
        sent = []

        async def reading(_, receive, __):
            while (await receive()).get("more_body"):
                pass

        async def receive():
            await asyncio.sleep(5)

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/recommend", "headers": []}
        await Gate(reading, Settings("nowhere", timeout=0.01), Metrics())(scope, receive, send)
        return sent[0]["status"]

    assert asyncio.run(ask()) == 408
