// One answer of the task server, asked for when a component appears.
import { useCallback, useEffect, useState } from "react";
import type { Problem } from "@/api/problem";
import { problemOf } from "./Failure";

/** Asks again when `ask` is another function: wrap it in `useCallback`. */
export function useAnswer<T>(ask: () => Promise<T>) {
  const [answer, setAnswer] = useState<T>();
  const [problem, setProblem] = useState<Problem>();
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    let wanted = true; // something else may be asked before the answer comes
    ask().then(
      (value) => {
        if (wanted) {
          setAnswer(value);
          setProblem(undefined);
        }
      },
      (error: unknown) => {
        if (wanted) setProblem(problemOf(error));
      },
    );
    return () => {
      wanted = false;
    };
  }, [ask, attempt]);

  return { answer, problem, again: useCallback(() => setAttempt((count) => count + 1), []) };
}
