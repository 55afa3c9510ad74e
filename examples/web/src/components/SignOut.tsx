"use client";
import { useState } from "react";
import { authClient } from "@/api/auth-client";

export function SignOut({ name }: { name: string }) {
  const [failed, setFailed] = useState(false);

  async function signOut() {
    const { error } = await authClient.signOut();
    if (error) setFailed(true);
    else window.location.assign("/login"); // a fresh page: the token goes with the old one's memory
  }

  return (
    <div className="who">
      <span className="name">{name}</span>
      <button onClick={signOut}>{failed ? "Try to sign out again" : "Sign out"}</button>
    </div>
  );
}
