"""The application, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from sqlalchemy import text
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from . import accounts, errors, tasks
from .database import Base, Session, engine
from .edge import AnswerFields
from .limits import general_limit, limiter
from .settings import get_settings


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


app = FastAPI(title="tasks", lifespan=lifespan, redirect_slashes=False)
app.state.limiter = limiter
errors.install(app)

# The last one added is the outermost.
app.add_middleware(RequestBodyLimitMiddleware, max_body_size=64 * 1024)
app.add_middleware(
    CORSMiddleware,
    allow_origins=get_settings().cors_origins,
    allow_credentials=True,
    allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
    allow_headers=["Authorization", "Content-Type", "X-Request-Id"],
    expose_headers=["Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id", "Location", "WWW-Authenticate"],
)
app.add_middleware(AnswerFields)


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/ready")
async def ready(session: Session) -> dict[str, str]:
    await session.execute(text("SELECT 1"))
    return {"status": "ok"}


# The order matters: `user`, `users` and `tasks` are words here, not somebody's id.
api = APIRouter(prefix="/api", dependencies=[Depends(general_limit)])
api.include_router(accounts.router)
api.include_router(tasks.router, prefix="/tasks")
api.include_router(tasks.router, prefix="/user/tasks")
api.include_router(tasks.router, prefix="/{user_id}/tasks")
app.include_router(api)
