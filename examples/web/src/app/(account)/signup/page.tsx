import type { Metadata } from "next";
import Link from "next/link";
import { AccountForm } from "@/components/AccountForm";
import { localPath } from "@/components/local-path";

export const metadata: Metadata = { title: "Sign up" };

export default async function SignUp({ searchParams }: PageProps<"/signup">) {
  const next = localPath((await searchParams).next);
  return (
    <section className="card" aria-labelledby="title">
      <h1 id="title">Sign up</h1>
      <AccountForm kind="sign-up" next={next} />
      <p className="quiet">
        Here before? <Link href={`/login?next=${encodeURIComponent(next)}`}>Sign in</Link>
      </p>
    </section>
  );
}
