// The loop: whether it turns by itself here, and what its turns came to.
import { useEffect, useState } from "preact/hooks";
import { ask, ApiError } from "./api";
import { time } from "./format";
import { useResource } from "./live";
import { may } from "./session";
import type { Loop, Turn } from "./types";
import { Await, Badge, Card, Dialog, Field, Problem, Scroll } from "./ui";

const turnsShown = 8;
const pollMs = 3000; // what the daemon does changes nothing on the disk until a turn begins

const outcomeTone = (turn: Turn) => (turn.outcome === "promoted" || turn.outcome === "proven" ? "good" : turn.outcome === "failed" || turn.outcome === "rolled_back" ? "bad" : turn.outcome ? "plain" : "warn");

function LookNow({ done }: { done: () => void }) {
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState("");
  const [error, setError] = useState<ApiError>();
  const send = async (event: Event) => {
    event.preventDefault();
    try {
      await ask("/api/loop", { method: "POST", body: { reason } });
      setOpen(false);
      setReason("");
      done();
    } catch (problem) {
      setError(problem as ApiError);
    }
  };
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>Look now…</button>
      <Dialog title="Look whether a turn is due" open={open} onClose={() => setOpen(false)}>
        <form onSubmit={send}>
          <Field label="Why" required value={reason} maxLength={500} hint="It stands in the audit trail, with your token's name." onInput={(event) => setReason(event.currentTarget.value)} />
          {error && <Problem title="Nothing was begun" message={error.message} hint={error.hint} />}
          <div class="actions">
            <button type="button" onClick={() => setOpen(false)}>Cancel</button>
            <button type="submit" class="primary" disabled={!reason.trim()}>Look</button>
          </div>
        </form>
      </Dialog>
    </>
  );
}

function Daemon({ daemon }: { daemon: NonNullable<Loop["daemon"]> }) {
  const last = daemon.last;
  return (
    <>
      <p role="status">
        <Badge tone={daemon.state === "blocked" ? "bad" : daemon.state === "working" ? "warn" : "good"}>{daemon.state}</Badge>{" "}
        {daemon.state === "working" ? `since ${time(daemon.since)}: ${daemon.why}` : daemon.why || "watching for new calls, demotions and drift"}
      </p>
      {last && <p class="quiet">It looked last at {time(last.ended)}, because {last.why}: {last.problem ? last.problem : last.refinements?.length ? `${last.refinements.length} turns` : "no task asked for a turn"}.</p>}
    </>
  );
}

export function LoopCard() {
  const loop = useResource<Loop>("/api/loop", ["tasks", "policy"]);
  const runs = Boolean(loop.data?.daemon);
  useEffect(() => {
    if (!runs) return;
    const timer = setInterval(loop.reload, pollMs);
    return () => clearInterval(timer);
  }, [runs]);
  return (
    <Await of={loop}>
      {(data) => (
        <Card title="The loop" note={data.daemon ? "turns by itself" : <>turns by hand: <code>understudy refine</code></>} actions={data.daemon && may("admin") ? <LookNow done={loop.reload} /> : undefined}>
          {data.daemon ? <Daemon daemon={data.daemon} /> : <p class="quiet">Start the console with <code>--refine</code> to have challengers trained and measured when calls have come, a task was demoted or has drifted.</p>}
          {data.turns.length > 0 && (
            <Scroll label="Turns of the loop"><table>
              <thead><tr><th>begun</th><th>task</th><th>why</th><th>challenger</th><th>outcome</th></tr></thead>
              <tbody>{data.turns.slice(0, turnsShown).map((turn) => (
                <tr key={turn.id}>
                  <td>{time(turn.begun_at)}</td>
                  <td><a href={`#/tasks/${turn.task}`} class="mono">{turn.task}</a></td>
                  <td>{turn.branch}: {turn.trigger}</td>
                  <td>{turn.candidate} <span class="mono">{turn.challenger.slice(0, 8)}</span></td>
                  <td><Badge tone={outcomeTone(turn)}>{turn.outcome ? turn.outcome.replaceAll("_", " ") : `at work: ${turn.stage}`}</Badge><br /><span class="quiet">{turn.reason}</span></td>
                </tr>
              ))}</tbody>
            </table></Scroll>
          )}
        </Card>
      )}
    </Await>
  );
}
