"use server";
import { revalidatePath } from "next/cache";
import { headers } from "next/headers";
import { text } from "@/components/form-text";
import { auth } from "@/server/auth";

/** Bans a user, which ends their sessions, or lets them in again. Better Auth asks who the caller is. */
export async function setBanned(form: FormData) {
  const userId = text(form, "user");
  const request = { headers: await headers(), body: { userId } };
  await (text(form, "ban") === "yes" ? auth().api.banUser(request) : auth().api.unbanUser(request));
  revalidatePath("/admin");
}
