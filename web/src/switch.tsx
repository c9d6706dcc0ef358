// Changes who answers a task: asks for the mode and a reason, which the audit trail keeps.
import { useState } from "preact/hooks";
import { ask, ApiError } from "./api";
import { may } from "./session";
import { Dialog, Field, Problem } from "./ui";

const explained: Record<string, [string, string]> = {
  off: ["The LLM only", "Every call of this task goes to the LLM; the small model is not asked."],
  shadow: ["Shadow", "The LLM answers. The small model is asked behind it and compared."],
  canary: ["Canary", "The small model answers a share of the sessions, the others are shadowed."],
  active: ["Active", "The small model answers what it is sure of; everything else still goes to the LLM."],
};

const shareAtFirst = 0.1;  // of the sessions, where nobody chose one

export function RouteSwitch({ task, name, mode, share, modes, provable, done }: { task: string; name: string; mode: string; share: number | undefined; modes: string[]; provable: boolean; done: () => void }) {
  const [open, setOpen] = useState(false);
  const [wanted, setWanted] = useState("");
  const [percent, setPercent] = useState(String(Number((100 * (share ?? shareAtFirst)).toFixed(1))));
  const [reason, setReason] = useState("");
  const [error, setError] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  if (!may("admin") || (mode === "off" && !provable)) return null;
  const close = () => { setOpen(false); setReason(""); setWanted(""); setError(undefined); };
  const change = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await ask(`/api/routing/${encodeURIComponent(task)}`, { method: "POST", body: { mode: wanted, reason, ...(wanted === "canary" ? { canary_percent: Number(percent) } : {}) } });
      close();
      done();
    } catch (problem) {
      setError(problem as ApiError);
    } finally {
      setBusy(false);
    }
  };
  const label = mode === "off" ? "Put live…" : "Change…";
  return (
    <>
      <button type="button" class={mode === "off" ? "primary" : ""} aria-label={`${label} who answers ${name}`} onClick={() => setOpen(true)}>{label}</button>
      <Dialog title="Who answers this task" open={open} onClose={close}>
        <form onSubmit={change}>
          <p><b>{name}</b></p>
          <fieldset class="modes">
            <legend class="visually-hidden">Mode</legend>
            {modes.map((one) => (
              <label key={one}>
                <input type="radio" name="mode" value={one} checked={wanted === one} disabled={one === mode && one !== "canary"} onChange={() => setWanted(one)} />
                <span><b>{explained[one]?.[0] ?? one}</b>{one === mode && <span class="quiet"> now</span>}<br /><span class="quiet">{explained[one]?.[1] ?? ""}</span></span>
              </label>
            ))}
          </fieldset>
          {wanted === "canary" && <Field label="Percent of the sessions" type="number" min="0.1" max="100" step="0.1" required value={percent} onInput={(event) => setPercent(event.currentTarget.value)} />}
          <Field label="Why" required value={reason} maxLength={500} hint="It stands in the audit trail, with your token's name. Takes effect within a second." onInput={(event) => setReason(event.currentTarget.value)} />
          {error && <Problem title="It was not changed" message={error.message} hint={error.hint} />}
          <div class="actions">
            <button type="button" onClick={close}>Cancel</button>
            <button type="submit" class="primary" disabled={busy || !wanted || !reason.trim()}>Change</button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
