import type { Metadata } from "next";
import { ApiProfile } from "@/components/ApiProfile";
import { PasswordForm } from "@/components/PasswordForm";
import { ProfileForm } from "@/components/ProfileForm";
import { requireSession } from "@/server/session";

export const metadata: Metadata = { title: "Profile" };

export default async function ProfilePage() {
  const { user } = await requireSession();
  return (
    <>
      <h1>Profile</h1>
      <section className="card" aria-labelledby="you">
        <h2 id="you">You</h2>
        <ProfileForm name={user.name} email={user.email} />
      </section>
      <section className="card" aria-labelledby="password">
        <h2 id="password">Password</h2>
        <PasswordForm />
      </section>
      <section className="card" aria-labelledby="rust">
        <h2 id="rust">What the task server knows of you</h2>
        <ApiProfile key={user.name} />
      </section>
    </>
  );
}
