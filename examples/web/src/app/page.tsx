import Link from "next/link";
import { Brand } from "@/components/Brand";
import { currentSession } from "@/server/session";

export default async function Front() {
  const session = await currentSession();
  return (
    <main id="main" className="front">
      <Brand href="/" />
      <h1>Your tasks, and nobody else’s.</h1>
      <p className="lead">
        Better Auth signs you in, a Rust server keeps your tasks: it verifies each token, and finds your rows only.
      </p>
      <p className="row">
        {session ? (
          <Link className="button primary" href="/dashboard">
            Go to your tasks
          </Link>
        ) : (
          <>
            <Link className="button primary" href="/signup">
              Sign up
            </Link>
            <Link className="button" href="/login">
              Sign in
            </Link>
          </>
        )}
      </p>
    </main>
  );
}
