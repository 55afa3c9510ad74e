"""What PyJWKClient does when keys change and when the issuer is down."""

import asyncio
import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.auth import Tokens
from app.settings import Settings


class Issuer:
    """A key set over HTTP, and how often it was fetched."""

    def __init__(self) -> None:
        self.keys: dict[str, Ed25519PrivateKey] = {}
        self.fetches = 0
        self.is_up = True
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.fetches += 1
                self.send_response(200 if issuer.is_up else 503)
                self.end_headers()
                self.wfile.write(json.dumps({"keys": [issuer.jwk(kid) for kid in issuer.keys]}).encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()

    def jwk(self, kid: str) -> dict[str, str]:
        public = self.keys[kid].public_key()
        return {**jwt.get_algorithm_by_name("EdDSA").to_jwk(public, as_dict=True), "kid": kid, "alg": "EdDSA"}

    def token(self, kid: str, claims: dict[str, Any] | None = None) -> str:
        key = self.keys.setdefault(kid, Ed25519PrivateKey.generate())
        return jwt.encode(claims or {}, key, "EdDSA", {"kid": kid})


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    yield issuer
    issuer.server.shutdown()
    issuer.server.server_close()


def test_a_key_that_comes_within_thirty_seconds_of_a_fetch_is_not_looked_for(issuer: Issuer) -> None:
    old = issuer.token("old")
    client = jwt.PyJWKClient(f"http://127.0.0.1:{issuer.server.server_port}/jwks")
    client.get_signing_key_from_jwt(old)
    with pytest.raises(jwt.PyJWKClientError, match="Unable to find a signing key"):
        client.get_signing_key_from_jwt(issuer.token("new"))
    assert issuer.fetches == 1


def test_known_keys_are_forgotten_five_minutes_into_an_outage(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    token = issuer.token("known")
    client = jwt.PyJWKClient(f"http://127.0.0.1:{issuer.server.server_port}/jwks")
    client.get_signing_key_from_jwt(token)
    issuer.is_up = False
    now += 299
    client.get_signing_key_from_jwt(token)
    now += 2
    for _ in range(3):
        with pytest.raises(jwt.PyJWKClientConnectionError):
            client.get_signing_key_from_jwt(token)
    assert issuer.fetches == 4, "each request asks again"


def test_a_published_key_says_who_is_calling_and_an_outage_is_no_refusal(issuer: Issuer) -> None:
    url = "https://app.example.com"
    settings = Settings(better_auth_url=url, better_auth_jwks_url=f"http://127.0.0.1:{issuer.server.server_port}/jwks")
    claims = {"sub": "alice", "iss": url, "aud": url, "exp": time.time() + 60}
    known, made_up = issuer.token("known", claims), issuer.token("another", {**claims, "aud": "another"})
    asked = asyncio.run(Tokens(settings).claims(known))
    assert asked["sub"] == "alice"
    with pytest.raises(jwt.InvalidAudienceError):
        asyncio.run(Tokens(settings).claims(made_up))
    issuer.is_up = False
    with pytest.raises(jwt.PyJWKClientConnectionError):
        asyncio.run(Tokens(settings).claims(known))
