"""The routes about the caller, each with a limit of its own."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, StringConstraints

from .auth import CurrentUser, Owner, User, enforce_body_owner
from .limits import by_address_and_user, by_role_and_user, data_limit, limiter
from .tasks import NamesOwner

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class Profile(BaseModel):
    user_id: str
    email: str | None = None
    name: str | None = None
    role: str | None = None

    @classmethod
    def of(cls, user: User) -> "Profile":
        return cls(user_id=user.id, email=user.email, name=user.name, role=user.role)


class Greeting(BaseModel):
    message: str
    user_id: str
    data: str


class Data(BaseModel):
    user_id: str
    premium: bool
    data: list[int]


class NewMessage(NamesOwner):
    text: Text


class Message(BaseModel):
    user_id: str
    text: str


class NewAction(NamesOwner):
    action: Name


class Action(BaseModel):
    user_id: str
    action: str


router = APIRouter()


@router.get("/user/profile")
@limiter.limit("20/minute")
async def own_profile(request: Request, response: Response, user: CurrentUser) -> Profile:
    return Profile.of(user)


@router.get("/users/{user_id}")
async def profile(owner: Owner, user: CurrentUser) -> Profile:
    return Profile.of(user) if owner == user.id else Profile(user_id=owner)


@router.get("/protected-data")
@limiter.limit("10/minute")
async def protected_data(request: Request, response: Response, user: CurrentUser) -> Greeting:
    message = f"Hello {user.name or user.id}"
    return Greeting(message=message, user_id=user.id, data="Only verified callers read this")


@router.get("/data")
@limiter.limit(data_limit, key_func=by_role_and_user)
async def data(request: Request, response: Response, user: CurrentUser) -> Data:
    return Data(user_id=user.id, premium=user.role == "premium", data=[1, 2, 3])


@router.post("/messages", status_code=201)
@limiter.limit("5/minute")
async def send_message(request: Request, response: Response, user: CurrentUser, body: NewMessage) -> Message:
    enforce_body_owner(body.user_id, user.id)
    return Message(user_id=user.id, text=body.text)


@router.post("/user/action")
@limiter.limit("30/minute", key_func=by_address_and_user)
async def act(request: Request, response: Response, user: CurrentUser, body: NewAction) -> Action:
    enforce_body_owner(body.user_id, user.id)
    return Action(user_id=user.id, action=body.action)
