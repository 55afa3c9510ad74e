import type { Metadata } from "next";
import Link from "next/link";
import { AccountForm } from "@/components/AccountForm";
import { localPath } from "@/components/local-path";
import { currentSession } from "@/server/session";

export const metadata: Metadata = { title: "Sign in" };

// Who is signed in is not sent on from here: had the task server refused their token, they would go round in circles.
export default async function Login({ searchParams }: PageProps<"/login">) {
  const next = localPath((await searchParams).next);
  const session = await currentSession();
  return (
    <section className="card" aria-labelledby="title">
      <h1 id="title">Sign in</h1>
      {session && (
        <p className="note">
          You are signed in as {session.user.email}. <Link href={next}>Go on</Link>, or sign in as somebody else.
        </p>
      )}
      <AccountForm kind="sign-in" next={next} />
      <p className="quiet">
        New here? <Link href={`/signup?next=${encodeURIComponent(next)}`}>Sign up</Link>
      </p>
    </section>
  );
}
