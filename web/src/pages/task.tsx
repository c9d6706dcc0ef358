import { useState } from "preact/hooks";
import { bytes, compact, count, milliseconds, percent, time, usd } from "../format";
import { useResource } from "../live";
import { may } from "../session";
import { RouteSwitch } from "../switch";
import { Curve, LearningCurve } from "../curve";
import { Disagreements } from "../disagreements";
import { Evidence } from "../evidence";
import type { Candidate, Example, Task as TaskFacts, TaskCard, LearningPoint } from "../types";
import { Await, Badge, Card, Facts, Page, Problem, Scroll, ServedBy, Tile, Tiles, VerdictBadge } from "../ui";

// The template's text with its slots ({0}, {1}, ...) set apart and named by what they hold.
function Template({ task }: { task: TaskFacts }) {
  if (!task.template_text.trim()) return <p class="quiet">The calls of this task share no text.</p>;
  return (
    <pre class="template" tabIndex={0} aria-label="Template">
      {task.template_text.trimEnd().split(/(\{\d+\}|<\|\w+\|>)/).map((part, index) => {
        const slot = /^\{(\d+)\}$/.exec(part);
        if (slot) {
          const facts = task.slots[Number(slot[1])];
          return <mark key={index} title={facts ? `${count(facts.distinct)} values, at most ${count(facts.bytes_max)} bytes` : undefined}>{facts?.type ?? "slot"}</mark>;
        }
        const speaker = /^<\|(\w+)\|>$/.exec(part);
        return speaker ? <b key={index} class="speaker">{speaker[1]}</b> : part;
      })}
    </pre>
  );
}

function Examples({ id }: { id: string }) {
  const [wanted, setWanted] = useState(false);
  const examples = useResource<{ examples: Example[] }>(wanted ? `/api/tasks/${id}/examples?count=6` : null);
  return (
    <Card title="Examples" note="curated: personal data is replaced by surrogates">
      {!may("curator") ? <p class="quiet">Content needs a curator's token.</p> : !wanted ? (
        <p><button type="button" onClick={() => setWanted(true)}>Show examples</button> <span class="quiet">This look is written into the audit trail.</span></p>
      ) : (
        <Await of={examples}>
          {(data) => (
            <div class="examples">
              {data.examples.map((example) => (
                <article key={example.call_id}>
                  {example.slots.map((slot, index) => <pre key={index}>{slot || "(empty)"}</pre>)}
                  <div class="answer"><span class="quiet">answer</span><pre>{example.answer}</pre></div>
                </article>
              ))}
            </div>
          )}
        </Await>
      )}
    </Card>
  );
}

function CandidateTable({ label, candidates }: { label: string; candidates: Candidate[] }) {
  return (
    <Scroll label={label}>
      <table>
        <thead><tr><th>model</th><th>kind</th><th>why</th><th class="number">memory</th></tr></thead>
        <tbody>
          {candidates.map((one) => (
            <tr key={one.kind + one.name} class={one.eligible ? "" : "dim"}>
              <td>{one.name}</td><td><Badge tone={one.eligible ? "good" : "plain"}>{one.kind}</Badge></td>
              <td>{one.reasons.join("; ")}</td><td class="number">{bytes(one.memory_bytes)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Unready({ candidates }: { candidates: Candidate[] }) {
  if (!candidates.length) return null;
  return (
    <details><summary>{count(candidates.length)} more that cannot run here yet, and what each needs</summary>
      <CandidateTable label="Candidates that cannot run here yet" candidates={candidates} />
    </details>
  );
}

function Candidates({ id }: { id: string }) {
  const [open, setOpen] = useState(false);
  const found = useResource<{ candidates: Candidate[] }>(open ? `/api/tasks/${id}/candidates` : null);
  return (
    <Card title="Candidates" note="models that could take this task">
      {!open ? <button type="button" onClick={() => setOpen(true)}>Look at this machine and the catalogue</button> : (
        <Await of={found}>
          {(data) => (
            <>
              <CandidateTable label="Candidates" candidates={data.candidates.filter((one) => one.eligible)} />
              <Unready candidates={data.candidates.filter((one) => !one.eligible).slice(0, 10)} />
            </>
          )}
        </Await>
      )}
    </Card>
  );
}

function Models({ card }: { card: TaskCard }) {
  if (!card.artifacts.length) return null;
  const curved = card.artifacts.find((artifact) => artifact.curve.length > 1);
  const learned = card.artifacts.map((artifact) => artifact.metrics?.learning_curve as LearningPoint[] | undefined).find((points) => points && points.length > 1);
  return (
    <Card title="Models" actions={<a href="#/models">All models</a>}>
      {curved && <Curve points={curved.curve} />}
      {learned && <LearningCurve points={learned} />}
      <Scroll label="Models">
        <table>
          <thead><tr><th>model</th><th>trained</th><th>data set</th><th class="number">size</th></tr></thead>
          <tbody>
            {card.artifacts.map((artifact) => (
              <tr key={artifact.id}>
                <td>{artifact.kind} <span class="mono">{artifact.id.slice(0, 8)}</span>{card.policy?.artifact === artifact.id && card.policy.mode !== "off" && <> <Badge tone="slm">live</Badge></>}</td>
                <td>{time(artifact.made_at)}</td><td class="mono">{artifact.dataset}</td><td class="number">{bytes(artifact.bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </Card>
  );
}

export function Task({ id }: { id: string }) {
  const card = useResource<TaskCard>(`/api/tasks/${encodeURIComponent(id)}`, ["tasks", "policy", "models", "log"]);
  if (card.error && !card.data) {
    return <Page title="Task"><Problem title="There is no such task" message={card.error.message} hint={card.error.hint} retry={card.reload} /></Page>;
  }
  return (
    <Await of={card}>
      {(data) => {
        const { task } = data;
        const s = task.statistics;
        const live = data.policy !== null && data.policy.mode !== "off";
        return (
          <Page title={task.name}
            sub={<><a href="#/tasks">Tasks</a> / <span class="mono">{task.id}</span> · <ServedBy server={live ? "slm" : "llm"} /> <VerdictBadge verdict={data.evaluations[0]?.verdict} /></>}
            actions={<RouteSwitch task={task.id} name={task.name} mode={data.policy?.mode ?? "off"} share={data.policy?.canary_share} modes={data.modes} provable={data.evaluations[0]?.verdict === "convert"} done={card.reload} />}>
            <Tiles>
              <Tile label="Calls" value={count(s.calls)} note={`${percent(s.share_of_calls)} of all, ${count(s.sessions)} sessions`} />
              <Tile label="Tokens" value={compact(s.prompt_tokens + s.completion_tokens)} note={`${percent(s.share_of_tokens)} of all`} />
              <Tile label="Cost" value={usd(s.cost_usd)} note={`${percent(s.share_of_cost)} of all, at list prices`} />
              <Tile label="Saved" value={usd(data.report?.savings.saved_usd ?? 0)} tone={(data.report?.savings.saved_usd ?? 0) > 0 ? "good" : undefined}
                note={data.report ? `${count(data.report.traffic.by_slm)} calls by the small model` : "nothing was measured"} />
              <Tile label="Replaceable" value={percent(task.replaceability.estimate, 0)} note={task.replaceability.reason} />
            </Tiles>
            <Evidence evaluations={data.evaluations} />
            <div class="columns">
              <Card title="Template" note={task.separable ? "constant text, and slots that change" : "another task has the same prompts"}><Template task={task} /></Card>
              <Card title="Answers" note={task.answer_form}>
                {task.answer_set.length > 0 && <ul class="chips">{task.answer_set.map((answer) => <li key={answer}>{answer}</li>)}</ul>}
                {task.tool_names.length > 0 && <p>calls {task.tool_names.map((name) => <code key={name}>{name}</code>)}</p>}
                <Facts rows={[
                  ["different answers", count(s.distinct_answers)],
                  ["entropy", `${s.answer_entropy_bits.toFixed(2)} bit`],
                  ["slots, 99th percentile", `${count(s.slot_bytes_p99)} bytes`],
                  ["answer, 99th percentile", `${count(s.answer_bytes_p99)} bytes`],
                  ...(data.report && data.report.traffic.llm_latency.calls > 0 ? [["LLM, median / p95", `${milliseconds(data.report.traffic.llm_latency.median_ms)} / ${milliseconds(data.report.traffic.llm_latency.p95_ms)}`] as [string, string]] : []),
                  ...(data.report && data.report.traffic.slm_latency.calls > 0 ? [["small model, median / p95", `${milliseconds(data.report.traffic.slm_latency.median_ms)} / ${milliseconds(data.report.traffic.slm_latency.p95_ms)}`] as [string, string]] : []),
                  ...(data.report && data.report.traffic.fallbacks > 0 ? [["fell back to the LLM", count(data.report.traffic.fallbacks)] as [string, string]] : []),
                ]} />
              </Card>
            </div>
            {data.evaluations.length > 0 && <Disagreements id={task.id} />}
            <Models card={data} />
            <Candidates id={task.id} />
            <Examples id={task.id} />
          </Page>
        );
      }}
    </Await>
  );
}
