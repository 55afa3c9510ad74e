// The routes of the task server that this app uses. Whose tasks they are is read from the credential: no user id is
// sent, but by the administrator's page.
import type { Client } from "./client";

export interface Task {
  id: number;
  user_id: string;
  title: string;
  description: string | null;
  completed: boolean;
  created_at: string;
  updated_at: string;
}

export interface TaskPage {
  tasks: Task[];
  count: number;
  next: string | null;
}

export interface Profile {
  user_id: string;
  email: string | null;
  name: string | null;
  role: string | null;
}

export type Filter = "all" | "open" | "done";
export type Draft = Pick<Task, "title" | "description">;
export type TaskApi = ReturnType<typeof taskApi>;

export function taskApi(client: Client) {
  return {
    list: (filter: Filter, after?: string) => client.get<TaskPage>(`/api/tasks?${query(filter, after)}`),
    add: (draft: Draft) => client.write<Task>("POST", "/api/tasks", draft),
    /** Says how it shall be. `PATCH …/complete` would say "the other way round", and go wrong with two windows. */
    edit: (id: number, change: Partial<Draft & Pick<Task, "completed">>) =>
      client.write<Task>("PUT", `/api/tasks/${id}`, change),
    remove: (id: number) => client.write<undefined>("DELETE", `/api/tasks/${id}`),
    profile: () => client.get<Profile>("/api/user/profile"),
    /** For administrators: the server looks at the role in the token. */
    listOf: (user: string) => client.get<TaskPage>(`/api/${encodeURIComponent(user)}/tasks?limit=100`),
    forget: client.forget,
  };
}

function query(filter: Filter, after: string | undefined) {
  const query = new URLSearchParams({ limit: String(PAGE_SIZE) });
  if (filter !== "all") query.set("completed", String(filter === "done"));
  if (after !== undefined) query.set("after", after);
  return query.toString();
}

export const PAGE_SIZE = 10;
