"use client";
import { authClient } from "@/api/auth-client";
import { Field } from "./Field";
import { text } from "./form-text";
import { useSubmit } from "./useSubmit";

/** Signs up or in. What is wrong is said in Better Auth's own words, which tell nobody who has an account. */
export function AccountForm({ kind, next }: { kind: "sign-in" | "sign-up"; next: string }) {
  const isNew = kind === "sign-up";
  const send = (form: FormData) => {
    const [name, email, password] = [text(form, "name"), text(form, "email"), text(form, "password")];
    return isNew ? authClient.signUp.email({ name, email, password }) : authClient.signIn.email({ email, password });
  };
  // A fresh page: nothing of an earlier user stays in memory.
  const { submit, failure, done, busy } = useSubmit(send, () => window.location.assign(next));

  return (
    <form onSubmit={submit} aria-busy={busy}>
      {failure && (
        <p role="alert" className="failure">
          {failure}
        </p>
      )}
      {isNew && <Field label="Name" name="name" autoComplete="name" required maxLength={80} />}
      <Field label="E-mail" name="email" type="email" autoComplete="username" required />
      <Field
        label="Password"
        name="password"
        type="password"
        autoComplete={isNew ? "new-password" : "current-password"}
        required
        {...(isNew && { minLength: 8, hint: "Eight characters or more" })}
      />
      <button className="primary wide" disabled={busy || done}>
        {isNew ? "Sign up" : "Sign in"}
      </button>
    </form>
  );
}
