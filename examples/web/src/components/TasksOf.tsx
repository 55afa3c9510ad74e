"use client";
import { useCallback } from "react";
import { useApi } from "./ApiProvider";
import { Failure } from "./Failure";
import { useAnswer } from "./useAnswer";

/** Somebody else's tasks, read only: the task server lets the role `admin` see them. */
export function TasksOf({ user }: { user: string }) {
  const { tasks: api } = useApi();
  const { answer, problem, again } = useAnswer(useCallback(() => api.listOf(user), [api, user]));

  if (problem)
    return (
      <Failure problem={problem}>
        <button onClick={again}>Try again</button>
      </Failure>
    );
  if (!answer) return <p className="quiet empty">Loading…</p>;
  if (answer.tasks.length === 0) return <p className="quiet empty">No tasks.</p>;
  return (
    <ul className="rows">
      {answer.tasks.map((task) => (
        <li key={task.id}>
          <span>{task.title}</span>
          <span className="badge">{task.completed ? "done" : "open"}</span>
        </li>
      ))}
    </ul>
  );
}
