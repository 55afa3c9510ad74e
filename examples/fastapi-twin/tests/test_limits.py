"""What slowapi does, and what docs/guides/from-fastapi.md says of it."""

import time
from collections.abc import Iterator

import jwt
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from limits import parse
from slowapi import Limiter
from slowapi.middleware import SlowAPIASGIMiddleware, SlowAPIMiddleware
from slowapi.util import get_remote_address

from app.limits import limiter
from app.main import app
from app.settings import get_settings


@pytest.fixture
def client() -> Iterator[TestClient]:
    limiter.reset()
    with TestClient(app) as client:
        yield client


def headers(user: str) -> dict[str, str]:
    claims = {"sub": user, "exp": time.time() + 60}
    token = jwt.encode(claims, get_settings().better_auth_secret.get_secret_value(), "HS256")
    return {"Authorization": f"Bearer {token}"}


def test_the_general_limit_counts_bad_tokens_and_leaves_health_alone(client: TestClient) -> None:
    bad = {"Authorization": "Bearer a.b.c"}
    answers = [client.get("/api/tasks", headers=bad) for _ in range(9)]
    assert [answer.status_code for answer in answers] == [401] * 8 + [429]
    assert answers[8].json()["code"] == "rate_limited"
    assert int(answers[8].headers["Retry-After"]) > 0
    assert client.get("/health").status_code == 200


def test_the_decorators_limit_holds_for_all_from_one_address(client: TestClient) -> None:
    answers = [client.post("/api/messages", headers=headers(user), json={"text": "Hello"}) for user in "aaabbb"]
    assert [answer.status_code for answer in answers] == [201] * 5 + [429]
    assert answers[0].headers["X-RateLimit-Limit"] == "5"
    assert "Retry-After" in answers[0].headers, "on what is served, too"


def test_the_decorator_comes_after_credential_and_body(client: TestClient) -> None:
    refused = [client.post("/api/messages", json={"text": "Hello"}) for _ in range(3)]
    refused += [client.post("/api/messages", headers=headers("a"), json={}) for _ in range(3)]
    assert [answer.status_code for answer in refused] == [401] * 3 + [422] * 3
    served = client.post("/api/messages", headers=headers("a"), json={"text": "Hello"})
    assert served.headers["X-RateLimit-Remaining"] == "4"


def test_a_window_lets_twice_the_quota_through_at_its_edge(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_800_000_000.0
    monkeypatch.setattr(time, "time", lambda: now)
    counts, ten = Limiter(key_func=get_remote_address).limiter, parse("10/minute")
    assert counts.hit(ten, "somebody")
    now += 59
    hits = [counts.hit(ten, "somebody") for _ in range(9)]
    now += 2
    hits += [counts.hit(ten, "somebody") for _ in range(10)]
    assert all(hits)
    assert not counts.hit(ten, "somebody")


@pytest.mark.parametrize("middleware", [SlowAPIMiddleware, SlowAPIASGIMiddleware])
def test_slowapis_middleware_does_not_see_included_routers(middleware: type) -> None:
    app = FastAPI()
    app.state.limiter = Limiter(key_func=get_remote_address, application_limits=["2/minute"])
    app.add_middleware(middleware)
    app.add_api_route("/direct", lambda: None)
    router = APIRouter()
    router.add_api_route("/included", lambda: None)
    app.include_router(router)

    client = TestClient(app)
    assert [client.get("/included").status_code for _ in range(4)] == [200] * 4
    assert [client.get("/direct").status_code for _ in range(3)] == [200, 200, 429]
