"use client";
import { useEffect, useRef, useState } from "react";
import type { Draft, Task } from "@/api/tasks";
import { TaskFields } from "./TaskFields";

interface Props {
  task: Task;
  onToggle: () => Promise<void>;
  onEdit: (draft: Draft) => Promise<void>;
  onRemove: () => Promise<void>;
}

export function TaskRow({ task, onToggle, onEdit, onRemove }: Props) {
  const [editing, setEditing] = useState(false);
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const editButton = useRef<HTMLButtonElement>(null);
  const wasEditing = useRef(false);

  // Back to where the keyboard was before.
  useEffect(() => {
    if (wasEditing.current && !editing) editButton.current?.focus();
    wasEditing.current = editing;
  }, [editing]);

  // One at a time: of two quick clicks the answers could come in either order.
  async function toggle() {
    if (busy) return;
    setBusy(true);
    await onToggle();
    setBusy(false);
  }

  if (editing) {
    const close = () => setEditing(false);
    const save = async (draft: Draft) => {
      await onEdit(draft);
      close();
    };
    return (
      <li className="task editing">
        <TaskFields label={`Edit ${task.title}`} action="Save" start={task} onSave={save} onCancel={close} />
      </li>
    );
  }
  return (
    <li className="task" data-done={task.completed}>
      <label>
        <input type="checkbox" checked={task.completed} onChange={toggle} />
        <span className="task-title">{task.title}</span>
      </label>
      <div className="task-actions">
        <button ref={editButton} onClick={() => setEditing(true)} aria-label={`Edit ${task.title}`}>
          Edit
        </button>
        {asking ? (
          <button
            className="danger"
            onClick={onRemove}
            onBlur={() => setAsking(false)}
            autoFocus
            aria-label={`Really delete ${task.title}`}
          >
            Really?
          </button>
        ) : (
          <button onClick={() => setAsking(true)} aria-label={`Delete ${task.title}`}>
            Delete
          </button>
        )}
      </div>
      {task.description && <p className="task-note">{task.description}</p>}
    </li>
  );
}
