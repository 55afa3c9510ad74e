/** Runs once when the server starts, before the first request: brings Better Auth's tables up to date. */
export async function register() {
  if (process.env.NEXT_RUNTIME !== "nodejs") return;
  const { auth } = await import("./server/auth");
  const { getMigrations } = await import("better-auth/db/migration");
  await (await getMigrations(auth().options)).runMigrations();
}
