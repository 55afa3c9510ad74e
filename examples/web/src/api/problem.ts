// What the task server refuses (RFC 9457), and how that is said to a person.

export interface FieldProblem {
  field: string;
  message: string;
}

export class Problem extends Error {
  constructor(
    /** 0 when no answer came at all. */
    readonly status: number,
    readonly code: string,
    readonly fields: FieldProblem[] = [],
    /** Seconds. */
    readonly retryAfter?: number,
  ) {
    super(code);
  }

  static async from(response: Response): Promise<Problem> {
    const body = (await response.json().catch(() => ({}))) as { code?: string; errors?: FieldProblem[] };
    // A gateway answers in a way of its own while the server behind it is away.
    if (response.status >= 500 && body.code === undefined) return new Problem(0, "gateway");
    return new Problem(response.status, body.code ?? "unknown", body.errors ?? [], retryAfter(response));
  }

  /** For the person, who is told what to do and not what went wrong inside. */
  get words(): string {
    const later = this.retryAfter === undefined ? "in a moment" : `in ${duration(this.retryAfter)}`;
    switch (this.status) {
      case 0:
        return "The task server cannot be reached. Nothing is lost: try again in a moment.";
      case 403:
        return "You may not do this: it belongs to somebody else.";
      case 404:
        return "This task is gone: it may have been deleted in another window.";
      case 422:
        return "Please mend what is marked below.";
      case 429:
        return `That was too much at once. Try again ${later}.`;
      case 503:
        return `The task server cannot answer just now. Nothing is lost: try again ${later}.`;
      default:
        return "Something went wrong on the server. Try again in a moment.";
    }
  }
}

/** Whole seconds; a date, which the field may also hold (RFC 9110 §10.2.3), the task server never sends. */
export function retryAfter(response: Response): number | undefined {
  const value = response.headers.get("Retry-After") ?? "";
  return /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}

export function duration(seconds: number): string {
  const [count, unit] = seconds < 100 ? [seconds, "second"] : [Math.ceil(seconds / 60), "minute"];
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
