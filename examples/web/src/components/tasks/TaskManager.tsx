"use client";
import { useRef, useState } from "react";
import { Problem } from "@/api/problem";
import type { Draft, Filter, Task } from "@/api/tasks";
import { Failure, problemOf } from "../Failure";
import { TaskFields } from "./TaskFields";
import { TaskRow } from "./TaskRow";
import { useTasks } from "./useTasks";

const FILTERS: Record<Filter, string> = { all: "All", open: "Open", done: "Done" };

export function TaskManager() {
  const [filter, setFilter] = useState<Filter>("all");
  const [said, say] = useState("");
  const [failed, setFailed] = useState<Problem>();
  const list = useTasks(filter);
  const heading = useRef<HTMLHeadingElement>(null);

  async function add(draft: Draft) {
    const task = await list.add(draft);
    say(`Added ${task.title}`);
  }

  // What somebody did to a task in the list. A task that is gone leaves the list.
  async function change(task: Task, done: string, action: () => Promise<void>) {
    try {
      await action();
      setFailed(undefined);
      say(`${done} ${task.title}`);
    } catch (error) {
      const problem = problemOf(error);
      setFailed(problem);
      if (problem.status === 404) list.drop(task.id);
    }
  }

  async function toggle(task: Task) {
    if (filter !== "all") heading.current?.focus(); // the task leaves this list, and the focus with it
    await change(task, task.completed ? "Reopened" : "Completed", () => list.toggle(task));
  }

  async function remove(task: Task) {
    await change(task, "Deleted", () => list.remove(task));
    heading.current?.focus(); // the button that had the focus is gone
  }

  async function edit(task: Task, draft: Draft) {
    await list.edit(task, draft);
    say(`Saved ${draft.title}`);
  }

  const { tasks } = list;
  return (
    <>
      <section className="card" aria-labelledby="new">
        <h2 id="new">New task</h2>
        <TaskFields label="New task" action="Add task" onSave={add} />
      </section>

      <section className="card" aria-labelledby="list">
        <div className="between">
          <h2 id="list" ref={heading} tabIndex={-1}>
            Your list
          </h2>
          <div className="segments" role="group" aria-label="Show">
            {(Object.keys(FILTERS) as Filter[]).map((each) => (
              <button key={each} aria-pressed={filter === each} onClick={() => setFilter(each)}>
                {FILTERS[each]}
              </button>
            ))}
          </div>
        </div>
        <p role="status" className="visually-hidden">
          {said}
        </p>
        {list.problem && (
          <Failure problem={list.problem}>
            <button onClick={list.reload}>Try again</button>
          </Failure>
        )}
        {failed && (
          <Failure problem={failed}>
            <button onClick={() => setFailed(undefined)}>All right</button>
          </Failure>
        )}
        {!tasks && !list.problem && <p className="quiet empty">Loading…</p>}
        {tasks?.length === 0 && !list.hasMore && <p className="quiet empty">{EMPTY[filter]}</p>}
        <ul className="tasks">
          {tasks?.map((task) => (
            <TaskRow
              key={task.id}
              task={task}
              onToggle={() => toggle(task)}
              onEdit={(draft) => edit(task, draft)}
              onRemove={() => remove(task)}
            />
          ))}
        </ul>
        {list.hasMore && (
          <button className="wide" onClick={list.more}>
            Show more
          </button>
        )}
      </section>
    </>
  );
}

const EMPTY: Record<Filter, string> = {
  all: "Nothing to do yet. Add your first task above.",
  open: "Nothing is open. Well done.",
  done: "Nothing is done yet.",
};
