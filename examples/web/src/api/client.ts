// One request to the task server: credential, retries, cache.
import { Problem, retryAfter } from "./problem";
import type { TokenSource } from "./token";

export interface ClientOptions {
  /** Origin of the task server; empty for this one's. */
  base: string;
  /** Without one the session cookie speaks. */
  token: TokenSource | undefined;
  /** Tells the person that a request waits so many seconds; 0 when it no longer does. */
  onWait: (seconds: number) => void;
  /** Leaves the page for /login. */
  onSignedOut: () => void;
}

export type Client = ReturnType<typeof createClient>;

export function createClient({ base, token, onWait, onSignedOut }: ClientOptions) {
  const cache = new Map<string, { until: number; answer: Promise<unknown> }>();

  /** Answers are kept for ten seconds, or until something is written. */
  function get<T>(path: string): Promise<T> {
    const kept = cache.get(path);
    if (kept && Date.now() < kept.until) return kept.answer as Promise<T>;
    const answer = send<T>("GET", path);
    cache.set(path, { until: Date.now() + CACHE_MS, answer });
    answer.catch(() => cache.get(path)?.answer === answer && cache.delete(path));
    return answer;
  }

  async function write<T>(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<T> {
    try {
      return await send<T>(method, path, body);
    } finally {
      cache.clear(); // failed or not: the write may have happened
    }
  }

  async function send<T>(method: string, path: string, body?: unknown): Promise<T> {
    let renewed = false;
    let waited = 0;
    for (;;) {
      const bearer = await token?.get();
      const response = await reach(method, path, bearer, body);
      if (response.ok) return (response.status === 204 ? undefined : await response.json()) as T;

      if (response.status === 401) {
        if (!bearer || renewed) return signedOut();
        token?.forget(bearer);
        renewed = true;
        continue;
      }
      // A refused request did nothing, so it may be repeated, whatever its method.
      const seconds = response.status === 429 ? retryAfter(response) : undefined;
      if (seconds === undefined || waited + seconds > MOST_WAITING) throw await Problem.from(response);
      waited += seconds;
      await wait(seconds);
    }
  }

  async function reach(method: string, path: string, bearer: string | undefined, body: unknown): Promise<Response> {
    const headers = new Headers();
    if (bearer) headers.set("Authorization", `Bearer ${bearer}`);
    if (body !== undefined) headers.set("Content-Type", "application/json");
    const init: RequestInit = { method, headers, cache: "no-store", credentials: bearer ? "omit" : "same-origin" };
    if (body !== undefined) init.body = JSON.stringify(body);
    try {
      return await fetch(base + path, init);
    } catch {
      throw new Problem(0, "unreachable");
    }
  }

  async function wait(seconds: number) {
    onWait(seconds);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    onWait(0);
  }

  // The page is on its way out, so whoever waits for an answer waits for ever.
  function signedOut(): Promise<never> {
    onSignedOut();
    return new Promise(() => undefined);
  }

  return { get, write, forget: () => cache.clear() };
}

const CACHE_MS = 10_000;
const MOST_WAITING = 30; // seconds, after which the person decides
