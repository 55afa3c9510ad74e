import type { ReactNode } from "react";
import { Problem } from "@/api/problem";

export function Failure({ problem, children }: { problem: Problem; children?: ReactNode }) {
  return (
    <div role="alert" className="failure">
      <p>{problem.words}</p>
      {children}
    </div>
  );
}

/** What a request failed with; a fault of our own is none of the person's business, but shows as one. */
export function problemOf(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem(500, "unexpected");
}
