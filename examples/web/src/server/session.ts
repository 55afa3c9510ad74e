// Who is asking, in server components. Every page asks for itself: a layout is not run again when one moves between
// its pages.
import { headers } from "next/headers";
import { notFound, redirect } from "next/navigation";
import { cache } from "react";
import { auth } from "./auth";

/** The session, looked up in the database; once per request. */
export const currentSession = cache(async () => {
  const from = await headers(); // first: this tells a build that the page is made per request
  // A server component cannot set cookies, so a look from here must not lengthen the session either.
  return auth().api.getSession({ headers: from, query: { disableRefresh: true } });
});

export async function requireSession() {
  return (await currentSession()) ?? redirect("/login");
}

/** For anybody but an administrator the page is not there. */
export async function requireAdmin() {
  const session = await requireSession();
  return isAdmin(session.user) ? session : notFound();
}

export function isAdmin(user: { role?: string | null | undefined }) {
  return user.role?.split(",").includes("admin") ?? false;
}
