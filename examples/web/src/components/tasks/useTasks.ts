// The tasks on the screen: loaded page by page, changed one by one.
import { useCallback, useEffect, useRef, useState } from "react";
import { problemOf } from "../Failure";
import { useApi } from "../ApiProvider";
import type { Problem } from "@/api/problem";
import type { Draft, Filter, Task } from "@/api/tasks";

interface Loaded {
  filter: Filter;
  tasks: Task[];
  next: string | null;
}

export function useTasks(filter: Filter) {
  const { tasks: api } = useApi();
  const [loaded, setLoaded] = useState<Loaded>();
  const [problem, setProblem] = useState<Problem>();
  const [attempt, setAttempt] = useState(0);
  const writes = useRef(0);

  // An answer that a write overtook does not know of it: then once more.
  const ask = useCallback(
    async (after?: string) => {
      for (;;) {
        const before = writes.current;
        const page = await api.list(filter, after);
        if (writes.current === before) return page;
      }
    },
    [api, filter],
  );

  async function written<T>(write: Promise<T>): Promise<T> {
    const answer = await write;
    writes.current += 1;
    return answer;
  }

  useEffect(() => {
    let wanted = true; // the filter may change before the answer comes
    ask().then(
      ({ tasks, next }) => {
        if (!wanted) return;
        setLoaded({ filter, tasks, next });
        setProblem(undefined);
      },
      (error: unknown) => {
        if (wanted) setProblem(problemOf(error));
      },
    );
    return () => {
      wanted = false;
    };
  }, [ask, filter, attempt]);

  const reload = useCallback(() => setAttempt((count) => count + 1), []);

  /** Puts a task where it belongs, or takes it away when the filter does not want it. */
  const place = (task: Task) => setLoaded((list) => list && { ...list, tasks: placed(list, task) });
  const drop = (id: number) => {
    setLoaded((list) => list && { ...list, tasks: list.tasks.filter((task) => task.id !== id) });
  };

  async function more() {
    if (loaded?.filter !== filter || !loaded.next) return;
    try {
      const page = await ask(loaded.next);
      setLoaded((list) => {
        if (list?.filter !== filter) return list;
        return { filter, tasks: merged([...list.tasks, ...page.tasks]), next: page.next };
      });
      setProblem(undefined);
    } catch (error) {
      setProblem(problemOf(error));
    }
  }

  // Shown at once, and taken back should the server refuse.
  async function toggle(task: Task) {
    const completed = !task.completed;
    place({ ...task, completed });
    try {
      place(await written(api.edit(task.id, { completed })));
    } catch (error) {
      place(task);
      throw error;
    }
  }

  return {
    toggle,
    /** `undefined` until the first answer. */
    tasks: loaded?.filter === filter ? loaded.tasks : undefined,
    hasMore: loaded?.filter === filter && loaded.next !== null,
    problem,
    reload,
    more,
    add: async (draft: Draft) => {
      const task = await written(api.add(draft));
      place(task);
      return task;
    },
    edit: async (task: Task, draft: Draft) => {
      place(await written(api.edit(task.id, draft)));
    },
    remove: async (task: Task) => {
      await written(api.remove(task.id));
      drop(task.id);
    },
    drop,
  };
}

function placed({ filter, tasks }: Loaded, task: Task): Task[] {
  const others = tasks.filter(({ id }) => id !== task.id);
  const fits = filter === "all" || task.completed === (filter === "done");
  return fits ? merged([...others, task]) : others;
}

// A task just added stands at the end before the pages in between are loaded, and comes once more with the last one.
function merged(tasks: Task[]): Task[] {
  return [...new Map(tasks.map((task) => [task.id, task])).values()].sort((a, b) => a.id - b.id);
}
