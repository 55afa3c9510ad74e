"""The routes of a user's tasks. Every statement names the owner."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, StrictBool, StringConstraints
from sqlalchemy import delete, not_, select, update

from .auth import Owner, enforce_body_owner
from .database import Session, Task
from .errors import Refusal

MAX_ID = 2**63 - 1

TaskId = Annotated[int, Path(ge=1, le=MAX_ID)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Description = Annotated[str, StringConstraints(max_length=2000)]


class NamesOwner(BaseModel):
    user_id: str | None = Field(default=None, validation_alias=AliasChoices("user_id", "userId"))


class NewTask(NamesOwner):
    title: Title
    description: Description | None = None


class TaskChange(NamesOwner):
    title: Title = ""
    description: Description | None = None
    completed: StrictBool = False


class TaskOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    user_id: str
    title: str
    description: str | None
    completed: bool
    created_at: datetime
    updated_at: datetime


class TaskList(BaseModel):
    tasks: list[TaskOut]
    user_id: str
    count: int
    next: str | None


router = APIRouter()


def found(task: Task | None) -> Task:
    if task is None:
        raise Refusal(404, "not_found", "There is nothing here")
    return task


@router.get("")
async def list_tasks(
    owner: Owner,
    session: Session,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    after: Annotated[int, Query(ge=0, le=MAX_ID)] = 0,
    completed: bool | None = None,
) -> TaskList:
    query = select(Task).where(Task.user_id == owner, Task.id > after).order_by(Task.id).limit(limit + 1)
    if completed is not None:
        query = query.where(Task.completed == completed)
    tasks = (await session.scalars(query)).all()
    page = [TaskOut.model_validate(task) for task in tasks[:limit]]
    more = str(page[-1].id) if len(tasks) > limit else None
    return TaskList(tasks=page, user_id=owner, count=len(page), next=more)


@router.post("", status_code=201)
async def create_task(owner: Owner, body: NewTask, session: Session, request: Request, response: Response) -> TaskOut:
    enforce_body_owner(body.user_id, owner)
    task = Task(user_id=owner, title=body.title, description=body.description)
    session.add(task)
    await session.commit()
    response.headers["Location"] = f"{request.url.path}/{task.id}"
    return TaskOut.model_validate(task)


@router.get("/{task_id}")
async def get_task(owner: Owner, task_id: TaskId, session: Session) -> TaskOut:
    task = await session.scalar(select(Task).where(Task.user_id == owner, Task.id == task_id))
    return TaskOut.model_validate(found(task))


@router.put("/{task_id}")
async def change_task(owner: Owner, task_id: TaskId, body: TaskChange, session: Session) -> TaskOut:
    enforce_body_owner(body.user_id, owner)
    task = found(await session.scalar(select(Task).where(Task.user_id == owner, Task.id == task_id)))
    for name, value in body.model_dump(exclude_unset=True, exclude={"user_id"}).items():
        setattr(task, name, value)
    await session.commit()
    return TaskOut.model_validate(task)


@router.delete("/{task_id}", status_code=204)
async def delete_task(owner: Owner, task_id: TaskId, session: Session) -> None:
    found(await session.scalar(delete(Task).where(Task.user_id == owner, Task.id == task_id).returning(Task)))
    await session.commit()


@router.patch("/{task_id}/complete")
async def toggle_task(owner: Owner, task_id: TaskId, session: Session) -> TaskOut:
    toggled = update(Task).where(Task.user_id == owner, Task.id == task_id).values(completed=not_(Task.completed))
    task = found(await session.scalar(toggled.returning(Task)))
    await session.commit()
    return TaskOut.model_validate(task)
