import type { Metadata } from "next";
import { headers } from "next/headers";
import Link from "next/link";
import { TasksOf } from "@/components/TasksOf";
import { auth } from "@/server/auth";
import { isAdmin, requireAdmin } from "@/server/session";
import { setBanned } from "./actions";

export const metadata: Metadata = { title: "Admin" };

export default async function AdminPage({ searchParams }: PageProps<"/admin">) {
  const admin = await requireAdmin();
  const query = { limit: 100, sortBy: "createdAt", sortDirection: "asc" as const };
  const { users, total } = await auth().api.listUsers({ headers: await headers(), query });
  const wanted = (await searchParams).user;
  const shown = users.find(({ id }) => id === wanted);
  return (
    <>
      <h1>Admin</h1>
      <section className="card" aria-labelledby="users">
        <h2 id="users">
          Users <span className="quiet">{total}</span>
        </h2>
        <ul className="rows">
          {users.map((user) => (
            <li key={user.id}>
              <div>
                <strong>{user.name}</strong> {isAdmin(user) && <span className="badge">admin</span>}
                {user.banned && <span className="badge bad">banned</span>}
                <p className="quiet">{user.email}</p>
              </div>
              <div className="row">
                <Link
                  className="button"
                  href={`/admin?user=${user.id}`}
                  aria-label={`Tasks of ${user.name}`}
                  aria-current={user === shown ? "true" : undefined}
                >
                  Tasks
                </Link>
                {user.id !== admin.user.id && (
                  <form action={setBanned}>
                    <input type="hidden" name="user" value={user.id} />
                    <input type="hidden" name="ban" value={user.banned ? "no" : "yes"} />
                    <button aria-label={`${user.banned ? "Unban" : "Ban"} ${user.name}`}>
                      {user.banned ? "Unban" : "Ban"}
                    </button>
                  </form>
                )}
              </div>
            </li>
          ))}
        </ul>
      </section>
      {shown && (
        <section className="card" aria-labelledby="theirs">
          <h2 id="theirs">Tasks of {shown.name}</h2>
          <TasksOf key={shown.id} user={shown.id} />
        </section>
      )}
    </>
  );
}
