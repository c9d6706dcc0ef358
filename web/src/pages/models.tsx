import { bytes, count, percent, span, time } from "../format";
import { useResource } from "../live";
import { Curve } from "../curve";
import type { Artifact, CurvePoint } from "../types";
import { LoopCard } from "../loop";
import { Await, Badge, Card, Empty, Facts, Page, VerdictBadge } from "../ui";

const show = (value: unknown): string =>
  typeof value === "number" ? (Number.isInteger(value) ? count(value) : String(Number(value.toPrecision(4)))) : typeof value === "object" ? JSON.stringify(value) : String(value);

// The trainer's figures in words, with their units; others by their own name.
const worded: Record<string, [string, (value: number) => string]> = {
  seconds: ["trained in", span], max_minutes: ["time limit", (value) => span(60 * value)], tokens_per_s: ["speed", (value) => `${count(value)} tokens/s`],
  validation_exact: ["right on validation", (value) => percent(value)], examples: ["training examples", count], left_out: ["examples left out", count],
};

const named = (facts: Record<string, unknown> | null): [string, string][] =>
  Object.entries(facts ?? {}).filter(([, value]) => value !== null && typeof value !== "object").map(([name, value]) => {
    const known = worded[name];
    return known && typeof value === "number" ? [known[0], known[1](value)] : [name.replaceAll("_", " "), show(value)];
  });

function Model({ artifact }: { artifact: Artifact }) {
  const test = artifact.evaluation?.test;
  return (
    <Card title={artifact.task_name} note={<><span class="mono">{artifact.kind} {artifact.id.slice(0, 8)}</span> · {time(artifact.made_at)}</>}
      actions={<>{artifact.live && <Badge tone="slm">live</Badge>} <VerdictBadge verdict={artifact.evaluation?.verdict} /></>}>
      {artifact.curve.length > 1 && <Curve points={artifact.curve} />}
      <div class="columns tight">
        <div>
          <h3>Lineage</h3>
          <Facts rows={[
            ["task", <a href={`#/tasks/${artifact.task}`} class="mono">{artifact.task}</a>],
            ["data set", <span class="mono">{artifact.dataset}</span>],
            ["template", <span class="mono">{artifact.template_hash.slice(0, 12)}</span>],
            ["size", bytes(artifact.bytes)],
            ...named(artifact.config),
          ]} />
        </div>
        <div>
          <h3>Training and proof</h3>
          <Facts rows={[
            ...named(artifact.metrics).slice(0, 8),
            ...(test && test.kept > 0 ? [["agreement, test", `${percent(test.rate)} (${percent(test.lower)} to ${percent(test.upper)})`] as [string, string], ["coverage, test", percent(test.coverage)] as [string, string]] : []),
          ]} />
        </div>
      </div>
    </Card>
  );
}

export function Models() {
  const models = useResource<{ artifacts: Artifact[]; runs: { run: string; curve: CurvePoint[] }[]; bases: Record<string, unknown>[] }>("/api/models", ["models", "tasks", "policy"]);
  return (
    <Page title="Models and runs" sub="What was trained, from which data, and what was proven about it.">
      <Await of={models}>
        {(data) => (
          <>
            <LoopCard />
            {data.runs.map((run) => (
              <Card key={run.run} title="Training now" note={<span class="mono">{run.run}</span>} actions={<Badge tone="warn">running</Badge>}>
                {run.curve.length > 0 ? <Curve points={run.curve} /> : <p class="quiet">The first figures come after some steps.</p>}
              </Card>
            ))}
            {data.artifacts.map((artifact) => <Model key={artifact.id} artifact={artifact} />)}
            {data.bases.length > 0 && (
              <Card title="Base models on this machine" note="adapters are trained on these">
                {data.bases.map((base) => <div key={String(base.name)}><h3 class="mono">{String(base.name)}</h3><Facts rows={named(base).filter(([name]) => name !== "name").slice(0, 9)} /></div>)}
              </Card>
            )}
            {!data.artifacts.length && !data.runs.length && (
              <Empty title="No model was trained yet"><code>understudy select TASK</code> says which could take a task, <code>understudy tune TASK</code> trains it.</Empty>
            )}
          </>
        )}
      </Await>
    </Page>
  );
}
