import type { ReactNode } from "react";
import { ApiProvider } from "@/components/ApiProvider";
import { Brand } from "@/components/Brand";
import { NavLink } from "@/components/NavLink";
import { SignOut } from "@/components/SignOut";
import { isAdmin, requireSession } from "@/server/session";
import { taskServer } from "@/server/task-server";

export default async function AppLayout({ children }: { children: ReactNode }) {
  const { user } = await requireSession();
  return (
    <>
      <header className="top">
        <Brand href="/dashboard" />
        <nav aria-label="Main">
          <NavLink href="/dashboard">Tasks</NavLink>
          <NavLink href="/profile">Profile</NavLink>
          <NavLink href="/sessions">Sessions</NavLink>
          {isAdmin(user) && <NavLink href="/admin">Admin</NavLink>}
        </nav>
        <SignOut name={user.name} />
      </header>
      <ApiProvider key={user.id} userId={user.id} {...taskServer()}>
        <main id="main">{children}</main>
      </ApiProvider>
    </>
  );
}
