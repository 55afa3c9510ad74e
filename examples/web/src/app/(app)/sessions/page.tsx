import { APIError } from "better-auth/api";
import type { Metadata } from "next";
import { headers } from "next/headers";
import Link from "next/link";
import { auth } from "@/server/auth";
import { requireSession } from "@/server/session";
import { taskServer } from "@/server/task-server";
import { revoke, revokeOthers } from "./actions";

export const metadata: Metadata = { title: "Sessions" };

export default async function SessionsPage() {
  const { session: here } = await requireSession();
  const sessions = await list();
  return (
    <>
      <h1>Sessions</h1>
      {sessions ? (
        <section className="card" aria-labelledby="devices">
          <div className="between">
            <h2 id="devices">Where you are signed in</h2>
            {sessions.length > 1 && (
              <form action={revokeOthers}>
                <button>Sign out all others</button>
              </form>
            )}
          </div>
          <p className="quiet">{taskServer().byCookie ? AT_ONCE : WITH_THE_TOKEN}</p>
          <ul className="rows">
            {sessions.map((session) => (
              <li key={session.id}>
                <div>
                  <strong>{device(session.userAgent)}</strong>
                  <p className="quiet">
                    since <time dateTime={session.createdAt.toISOString()}>{when(session.createdAt)}</time>
                    {session.ipAddress && `, from ${session.ipAddress}`}
                  </p>
                </div>
                {session.id === here.id ? (
                  <span className="badge">this one</span>
                ) : (
                  <form action={revoke}>
                    <input type="hidden" name="id" value={session.id} />
                    <button
                      aria-label={`End the session of ${device(session.userAgent)} since ${when(session.createdAt)}`}
                    >
                      End it
                    </button>
                  </form>
                )}
              </li>
            ))}
          </ul>
        </section>
      ) : (
        <p className="note">
          You signed in more than a day ago. To see your sessions,{" "}
          <Link href="/login?next=/sessions">sign in again</Link>.
        </p>
      )}
    </>
  );
}

/** `undefined` when the caller signed in too long ago for it (Better Auth's `freshAge`). */
async function list() {
  try {
    return await auth().api.listSessions({ headers: await headers() });
  } catch (error) {
    if (error instanceof APIError && error.body?.code === "SESSION_NOT_FRESH") return undefined;
    throw error;
  }
}

function device(userAgent: string | null | undefined) {
  const find = (names: string[]) => names.find((name) => userAgent?.includes(name));
  const browser = find(["Firefox", "Edg", "Chrome", "Safari"])?.replace("Edg", "Edge");
  const system = find(["Windows", "Android", "iPhone", "iPad", "Mac OS", "Linux"]);
  return [browser ?? "A program", system].filter(Boolean).join(" on ");
}

const AT_ONCE = "A session that you end is over at once, here and at the task server.";
const WITH_THE_TOKEN =
  "A session that you end gets no page and no new token. One that it already has is good until it expires, in " +
  "fifteen minutes at most.";

const when = (date: Date) =>
  `${date.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" })} UTC`;
