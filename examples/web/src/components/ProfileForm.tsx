"use client";
import { useRouter } from "next/navigation";
import { authClient } from "@/api/auth-client";
import { useApi } from "./ApiProvider";
import { Field } from "./Field";
import { text } from "./form-text";
import { useSubmit } from "./useSubmit";

export function ProfileForm({ name, email }: { name: string; email: string }) {
  const router = useRouter();
  const { refresh } = useApi();
  const save = async (form: FormData) => {
    const answer = await authClient.updateUser({ name: text(form, "name") });
    if (!answer.error) refresh(); // the token in hand still says the old name
    return answer;
  };
  const { submit, failure, done, busy } = useSubmit(save, () => router.refresh());

  return (
    <form onSubmit={submit} aria-busy={busy}>
      {failure && (
        <p role="alert" className="failure">
          {failure}
        </p>
      )}
      <Field label="Name" name="name" defaultValue={name} autoComplete="name" required maxLength={80} />
      <Field label="E-mail" name="email" value={email} readOnly />
      <div className="row">
        <button className="primary" disabled={busy}>
          Save name
        </button>
        <span role="status" className="quiet">
          {done && "Saved"}
        </span>
      </div>
    </form>
  );
}
