"""How often clients may ask: slowapi on the routes, and one limit for all of them."""

from fastapi import Request
from limits import parse
from slowapi import Limiter
from slowapi.errors import RateLimitExceeded
from slowapi.util import get_remote_address
from slowapi.wrappers import Limit

from .settings import get_settings

settings = get_settings()

limiter = Limiter(
    key_func=get_remote_address,
    headers_enabled=True,
    storage_uri=settings.redis_url,
    enabled=settings.rate_limit == "on",
)

window_seconds = max(1, settings.rate_limit_window_ms // 1000)
GENERAL = parse(f"{settings.rate_limit_max_requests} per {window_seconds} seconds")


async def general_limit(request: Request) -> None:
    """What `application_limits` with SlowAPIMiddleware would be: it does not see routes of included routers."""
    if not limiter.enabled:
        return
    key = [get_remote_address(request), "general"]
    if not limiter.limiter.hit(GENERAL, *key):
        request.state.view_rate_limit = (GENERAL, key)
        raise RateLimitExceeded(Limit(GENERAL, get_remote_address, "general", False, None, None, None, 1, False))


def by_role_and_user(request: Request) -> str:
    user = request.state.user
    return f"{user.role}:{user.id}"


def data_limit(key: str) -> str:
    return "100/minute" if key.startswith("premium:") else "10/minute"


def by_address_and_user(request: Request) -> str:
    return f"{get_remote_address(request)}:{request.state.user.id}"
