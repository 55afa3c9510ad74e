"use server";
import { revalidatePath } from "next/cache";
import { headers } from "next/headers";
import { auth } from "@/server/auth";

/** Ends a session of the caller's own. It is named by its id, so that no session token ever goes to the browser. */
export async function revoke(form: FormData) {
  const request = { headers: await headers() };
  const session = (await auth().api.listSessions(request)).find(({ id }) => id === form.get("id"));
  if (session) await auth().api.revokeSession({ ...request, body: { token: session.token } });
  revalidatePath("/sessions");
}

export async function revokeOthers() {
  await auth().api.revokeOtherSessions({ headers: await headers() });
  revalidatePath("/sessions");
}
