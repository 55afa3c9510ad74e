"use client";
import { authClient } from "@/api/auth-client";
import { Field } from "./Field";
import { text } from "./form-text";
import { useSubmit } from "./useSubmit";

export function PasswordForm() {
  const change = (form: FormData) =>
    authClient.changePassword({
      currentPassword: text(form, "current"),
      newPassword: text(form, "new"),
      revokeOtherSessions: true, // by default they stay, also the one of whoever knew the old password
    });
  const { submit, failure, done, busy } = useSubmit(change, (form) => form.reset());

  return (
    <form onSubmit={submit} aria-busy={busy}>
      {failure && (
        <p role="alert" className="failure">
          {failure}
        </p>
      )}
      <Field label="Current password" name="current" type="password" autoComplete="current-password" required />
      <Field
        label="New password"
        name="new"
        type="password"
        autoComplete="new-password"
        required
        minLength={8}
        hint="Eight characters or more. Other devices are signed out."
      />
      <div className="row">
        <button className="primary" disabled={busy}>
          Change password
        </button>
        <span role="status" className="quiet">
          {done && "Changed"}
        </span>
      </div>
    </form>
  );
}
