// Gives a task to its small model, or back to the LLM: asks for a reason, which the audit trail keeps.
import { useState } from "preact/hooks";
import { ask, ApiError } from "./api";
import { may } from "./session";
import { Dialog, Field, Problem } from "./ui";

export function RouteSwitch({ task, name, mode, provable, done }: { task: string; name: string; mode: string; provable: boolean; done: () => void }) {
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState("");
  const [error, setError] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  const live = mode !== "off";
  if (!may("admin") || (!live && !provable)) return null;
  const change = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await ask(`/api/routing/${encodeURIComponent(task)}`, { method: "POST", body: { mode: live ? "off" : "active", reason } });
      setOpen(false);
      setReason("");
      done();
    } catch (problem) {
      setError(problem as ApiError);
    } finally {
      setBusy(false);
    }
  };
  const title = live ? "Give the task back to the LLM" : "Put the small model live";
  return (
    <>
      <button type="button" class={live ? "" : "primary"} onClick={() => setOpen(true)}>{live ? "Back to the LLM…" : "Put live…"}</button>
      <Dialog title={title} open={open} onClose={() => setOpen(false)}>
        <form onSubmit={change}>
          <p><b>{name}</b></p>
          <p class="quiet">{live ? "From within a second, every call of this task goes to the LLM." : "From within a second, the small model answers what it is sure of; everything else still goes to the LLM."}</p>
          <Field label="Why" required autoFocus value={reason} maxLength={500} hint="It stands in the audit trail, with your token's name." onInput={(event) => setReason(event.currentTarget.value)} />
          {error && <Problem title="It was not changed" message={error.message} hint={error.hint} />}
          <div class="actions">
            <button type="button" onClick={() => setOpen(false)}>Cancel</button>
            <button type="submit" class="primary" disabled={busy || !reason.trim()}>{title}</button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
