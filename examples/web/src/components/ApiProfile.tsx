"use client";
import { useCallback } from "react";
import { useApi } from "./ApiProvider";
import { Failure } from "./Failure";
import { useAnswer } from "./useAnswer";

/** The caller as the task server reads them from the token. Give it a new `key` where it should ask again. */
export function ApiProfile() {
  const { tasks: api } = useApi();
  const { answer: profile, problem, again } = useAnswer(useCallback(() => api.profile(), [api]));

  if (problem)
    return (
      <Failure problem={problem}>
        <button onClick={again}>Try again</button>
      </Failure>
    );
  if (!profile) return <p className="quiet empty">Loading…</p>;
  return (
    <dl className="facts">
      <dt>User</dt>
      <dd>
        <code>{profile.user_id}</code>
      </dd>
      <dt>Name</dt>
      <dd>{profile.name ?? "not told"}</dd>
      <dt>E-mail</dt>
      <dd>{profile.email ?? "not told"}</dd>
      <dt>Role</dt>
      <dd>{profile.role ?? "none"}</dd>
    </dl>
  );
}
