"""Tasks, with a user who is there without a token."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from app.auth import User, current_user
from app.limits import limiter
from app.main import app


@pytest.fixture
def client() -> Iterator[TestClient]:
    app.dependency_overrides[current_user] = lambda: User(id="alice")
    limiter.reset()
    with TestClient(app) as client:
        yield client
    app.dependency_overrides.clear()


def test_a_task_is_made_and_listed(client: TestClient) -> None:
    made = client.post("/api/tasks", json={"title": " Buy milk "})
    assert (made.status_code, made.json()["title"]) == (201, "Buy milk")
    listed = client.get("/api/alice/tasks").json()
    assert made.json() in listed["tasks"]


def test_another_users_path_is_refused(client: TestClient) -> None:
    refused = client.get("/api/bob/tasks")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_owner")


def test_the_body_is_read_before_anybody_asks_who_is_calling(client: TestClient) -> None:
    app.dependency_overrides.clear()
    no_json = client.post("/api/tasks", content="{", headers={"Content-Type": "application/json"})
    assert (no_json.status_code, no_json.json()["code"]) == (400, "bad_request")
    assert client.post("/api/tasks", json={}).status_code == 401
