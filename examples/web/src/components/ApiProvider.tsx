"use client";
// Makes the API client for the signed-in user, and shows when it waits.
import { createContext, useContext, useState, type ReactNode } from "react";
import { authClient } from "@/api/auth-client";
import { createClient } from "@/api/client";
import { duration, Problem } from "@/api/problem";
import { taskApi, type TaskApi } from "@/api/tasks";
import { createTokenSource, OtherUser, type TokenSource } from "@/api/token";

interface Api {
  tasks: TaskApi;
  /** Drops what is known, after a change of what the token says. */
  refresh: () => void;
}

const Context = createContext<Api | undefined>(undefined);

export function useApi(): Api {
  const api = useContext(Context);
  if (!api) throw new Error("useApi outside of ApiProvider");
  return api;
}

interface Props {
  base: string;
  byCookie: boolean;
  userId: string;
  children: ReactNode;
}

export function ApiProvider({ base, byCookie, userId, children }: Props) {
  const [waiting, setWaiting] = useState(0);
  const [api] = useState((): Api => {
    const token = byCookie ? undefined : createTokenSource(mint, userId);
    const tasks = taskApi(
      createClient({ base, token: token && leaving(token), onWait: setWaiting, onSignedOut: toLogin }),
    );
    const refresh = () => {
      token?.forget();
      tasks.forget();
    };
    return { tasks, refresh };
  });
  return (
    <Context value={api}>
      <div role="status" className="toast-place">
        {waiting > 0 && <p className="toast">Too many requests. Trying again in {duration(waiting)}.</p>}
      </div>
      {children}
    </Context>
  );
}

async function mint(): Promise<string> {
  const { data, error } = await authClient.token();
  if (data) return data.token;
  if (error.status === 401) throw new SignedOut();
  throw new Problem(error.status === 429 ? 429 : 0, "token");
}

class SignedOut extends Error {}

// Who is no longer signed in, or is somebody else by now, gets a fresh page: nothing of this one stays in memory.
function leaving(token: TokenSource): TokenSource {
  const get = () =>
    token.get().catch((error: unknown) => {
      if (error instanceof SignedOut) toLogin();
      else if (error instanceof OtherUser) window.location.reload();
      else throw error instanceof Problem ? error : new Problem(0, "token");
      return new Promise<never>(() => undefined);
    });
  return { ...token, get };
}

function toLogin() {
  const here = window.location.pathname + window.location.search;
  window.location.assign(`/login?next=${encodeURIComponent(here)}`);
}
