"""Settings from the environment."""

from datetime import timedelta
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore")

    bind_addr: str = "127.0.0.1:8000"
    database_url: str = "sqlite::memory:"
    better_auth_url: str | None = None
    better_auth_base_path: str = "/api/auth"
    better_auth_secret: SecretStr | None = Field(default=None, min_length=32)
    better_auth_issuer: str | None = None
    better_auth_audience: Annotated[list[str], NoDecode] = []
    better_auth_jwks_url: str | None = None
    auth_leeway: str = "30s"
    rate_limit: Literal["on", "off"] = "on"
    rate_limit_window_ms: int = Field(default=900_000, ge=1000)
    rate_limit_max_requests: int = Field(default=100, ge=1)
    redis_url: str = "memory://"
    cors_origins: Annotated[list[str], NoDecode] = ["http://localhost:3000"]

    @field_validator("better_auth_audience", "cors_origins", mode="before")
    @classmethod
    def split(cls, value: str | list[str]) -> list[str]:
        return [entry.strip() for entry in value.split(",")] if isinstance(value, str) else value

    @field_validator("auth_leeway")
    @classmethod
    def seconds(cls, value: str) -> str:
        if not (value.endswith("s") and value[:-1].isdigit() and int(value[:-1]) <= 60):
            raise ValueError("takes up to 60 seconds, as in 30s")
        return value

    @model_validator(mode="after")
    def derive(self) -> "Settings":
        if self.better_auth_url:
            url = self.better_auth_url.rstrip("/")
            self.better_auth_issuer = self.better_auth_issuer or url
            self.better_auth_audience = self.better_auth_audience or [url]
            self.better_auth_jwks_url = self.better_auth_jwks_url or f"{url}{self.better_auth_base_path}/jwks"
        if self.better_auth_jwks_url and not (self.better_auth_issuer and self.better_auth_audience):
            raise ValueError("BETTER_AUTH_JWKS_URL needs BETTER_AUTH_ISSUER and BETTER_AUTH_AUDIENCE")
        if not self.better_auth_jwks_url and not self.better_auth_secret:
            raise ValueError("set BETTER_AUTH_URL or BETTER_AUTH_SECRET")
        return self

    @property
    def leeway(self) -> timedelta:
        return timedelta(seconds=int(self.auth_leeway[:-1]))


@lru_cache
def get_settings() -> Settings:
    return Settings()
