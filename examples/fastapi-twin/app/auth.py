"""Who is calling: a Bearer token, verified by PyJWT."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

import jwt
from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from .errors import Refusal
from .settings import Settings, get_settings

REALM = 'Bearer realm="tasks"'


@dataclass(frozen=True, slots=True)
class User:
    id: str
    email: str | None = None
    name: str | None = None
    role: str | None = None

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"


class Tokens:
    """Verifies tokens by a shared secret (HS256), or by a published key set."""

    def __init__(self, settings: Settings) -> None:
        self.secret = settings.better_auth_secret.get_secret_value() if settings.better_auth_secret else ""
        self.keys = jwt.PyJWKClient(settings.better_auth_jwks_url, timeout=5) if settings.better_auth_jwks_url else None
        required = ["exp", "sub"]
        if settings.better_auth_issuer:
            required.append("iss")
        if settings.better_auth_audience:
            required.append("aud")
        self.expected: dict[str, Any] = {
            "issuer": settings.better_auth_issuer,
            "audience": settings.better_auth_audience or None,
            "leeway": settings.leeway,
            "options": {"require": required, "verify_aud": bool(settings.better_auth_audience)},
        }

    async def claims(self, token: str) -> dict[str, Any]:
        if self.keys is None:
            return jwt.decode(token, self.secret, algorithms=["HS256"], **self.expected)
        # It may fetch, and blocks while it does.
        key = await run_in_threadpool(self.keys.get_signing_key_from_jwt, token)
        return jwt.decode(token, key, algorithms=["EdDSA", "ES256", "RS256"], **self.expected)


@lru_cache
def tokens() -> Tokens:
    return Tokens(get_settings())


async def get_tokens() -> Tokens:
    """Asynchronous, since FastAPI runs other dependencies in threads."""
    return tokens()


bearer = HTTPBearer(auto_error=False)


async def current_user(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    tokens: Annotated[Tokens, Depends(get_tokens)],
) -> User:
    if credentials is None:
        raise Refusal(401, "missing_credentials", "A Bearer token is required", {"WWW-Authenticate": REALM})
    try:
        claims = await tokens.claims(credentials.credentials)
    except jwt.ExpiredSignatureError:
        raise refused("token_expired", "Token has expired") from None
    except jwt.ImmatureSignatureError:
        raise refused("token_not_yet_valid", "Token is not valid yet") from None
    except jwt.PyJWKClientConnectionError:
        raise Refusal(503, "auth_unavailable", "Try again later", {"Retry-After": "1"}) from None
    except jwt.PyJWTError:
        raise refused("token_invalid", "Token is not valid") from None
    texts = {name: value for name in ("email", "name", "role") if isinstance(value := claims.get(name), str)}
    user = User(id=claims["sub"], **texts)
    request.state.user = user
    return user


CurrentUser = Annotated[User, Depends(current_user)]


def refused(code: str, detail: str) -> Refusal:
    challenge = f'{REALM}, error="invalid_token", error_description="{detail}"'
    return Refusal(401, code, detail, {"WWW-Authenticate": challenge})


def enforce_user_access(user_id: str | None, user: User) -> None:
    """Refuses whoever is not this user, nor an administrator."""
    if user_id != user.id and not user.is_admin:
        raise Refusal(403, "not_owner", "This belongs to another user")


async def path_owner(request: Request, user: CurrentUser) -> str:
    """Whose rows the path is about: those of the user it names, or else the caller's own."""
    user_id: str = request.path_params.get("user_id", user.id)
    enforce_user_access(user_id, user)
    return user_id


Owner = Annotated[str, Depends(path_owner)]


def enforce_body_owner(named: str | None, owner: str) -> None:
    if named is not None and named != owner:
        raise Refusal(403, "not_owner", "This belongs to another user")
