// A form that is sent to Better Auth, and what came of it.
import { useState, type SubmitEvent } from "react";

interface Answer {
  error: { message?: string | undefined } | null;
}

/** `send` resolves to Better Auth's answer. */
export function useSubmit(send: (form: FormData) => Promise<Answer>, afterwards: (form: HTMLFormElement) => void) {
  const [failure, setFailure] = useState<string>();
  const [done, setDone] = useState(false);
  const [busy, setBusy] = useState(false);

  async function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    setBusy(true);
    setFailure(undefined);
    setDone(false);
    const { error } = await send(new FormData(form));
    setBusy(false);
    if (error) {
      setFailure(error.message ?? "The sign-in service cannot be reached. Try again in a moment.");
      return;
    }
    setDone(true);
    afterwards(form);
  }

  return { submit, failure, done, busy };
}
