"use client";
import { useEffect, useRef, useState, type KeyboardEvent, type SubmitEvent } from "react";
import { Problem } from "@/api/problem";
import type { Draft } from "@/api/tasks";
import { Failure, problemOf } from "../Failure";
import { Field } from "../Field";
import { text } from "../form-text";

interface Props {
  label: string;
  action: string;
  start?: Draft;
  /** Throws a `Problem`, which is shown here, at its field where it names one. */
  onSave: (draft: Draft) => Promise<void>;
  onCancel?: () => void;
}

/** Title and note of a task, new or there already. What was typed stays until it is saved. */
export function TaskFields({ label, action, start, onSave, onCancel }: Props) {
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);

  async function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    if (busy) return;
    const values = new FormData(event.currentTarget);
    setBusy(true);
    setProblem(undefined);
    try {
      await onSave({ title: text(values, "title"), description: text(values, "description") || null });
      form.current?.reset();
      form.current?.querySelector("input")?.focus();
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setBusy(false);
    }
  }

  useEffect(() => {
    form.current?.querySelector<HTMLInputElement>("[aria-invalid]")?.focus();
  }, [problem]);

  const error = (name: string, shown: string) => {
    const found = problem?.fields.find(({ field }) => field === name);
    return found && `${shown} ${found.message}`;
  };
  const cancelOnEscape = (event: KeyboardEvent) => {
    if (event.key === "Escape") onCancel?.();
  };

  return (
    <form
      ref={form}
      className="task-fields"
      aria-label={label}
      aria-busy={busy}
      onSubmit={submit}
      onKeyDown={cancelOnEscape}
    >
      {problem && <Failure problem={problem} />}
      <Field
        label="Title"
        name="title"
        autoFocus={start !== undefined}
        defaultValue={start?.title}
        error={error("title", "Title")}
        autoComplete="off"
      />
      <Field
        label="Note (optional)"
        name="description"
        defaultValue={start?.description ?? ""}
        error={error("description", "Note")}
        autoComplete="off"
      />
      <div className="row">
        <button className="primary" aria-disabled={busy}>
          {action}
        </button>
        {onCancel && (
          <button type="button" onClick={onCancel}>
            Cancel
          </button>
        )}
      </div>
    </form>
  );
}
