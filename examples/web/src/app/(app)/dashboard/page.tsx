import type { Metadata } from "next";
import { TaskManager } from "@/components/tasks/TaskManager";
import { requireSession } from "@/server/session";

export const metadata: Metadata = { title: "Your tasks" };

export default async function Dashboard() {
  const { user } = await requireSession();
  return (
    <>
      <h1>Good to see you, {user.name}</h1>
      <TaskManager />
    </>
  );
}
