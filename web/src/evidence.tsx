import type { ComponentChildren } from "preact";
import { count, milliseconds, percent, time, usd } from "./format";
import type { Evaluation } from "./types";
import { Badge, Card, Empty, Facts, Interval, VerdictBadge } from "./ui";

const signed = (share: number): string => `${share > 0 ? "+" : ""}${percent(share, 2)}`;
const more = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`;

// What stands beside the agreement: looked at, and deciding nothing by itself. What nobody asked for says how to ask.
function TaskSuccess({ of }: { of: Evaluation }) {
  const test = of.outcomes;
  if (!test) return <p class="quiet">No test call has a reward. Agents tell it by <code>POST /v1/understudy/feedback</code>.</p>;
  return (
    <>
      <p><Badge tone={test.holds ? "good" : "warn"}>{test.holds ? "not below the LLM's" : "not shown to hold"}</Badge></p>
      <p class="quiet">
        {count(test.calls)} rated test calls, the LLM right on {count(test.llm_right)}; alone right on {count(test.only_llm_right)}.
        Difference {signed(test.difference)}, with {percent(1 - of.delta, 0)} confidence above {signed(test.difference_lower)}; {percent(test.margin, 0)} loss is accepted.
      </p>
    </>
  );
}

function Judged({ of }: { of: Evaluation }) {
  const { judged } = of;
  if (!judged) return <p class="quiet">No judge was asked. <code>understudy evaluate --judge</code> asks one about answers that differ.</p>;
  if (judged.calls === 0) return <p class="quiet">{judged.judge} had nothing to judge: no kept answer differs.</p>;
  return (
    <>
      <p><strong>{percent((judged.equal + judged.slm_better) / judged.calls)}</strong> of {more(judged.calls, "differing answer")} as good or better</p>
      <p class="quiet">{judged.judge}: {count(judged.equal)} as good, {count(judged.slm_better)} better, {count(judged.llm_better)} worse, {count(judged.inconsistent)} not told apart</p>
    </>
  );
}

function CacheLine({ of }: { of: Evaluation }) {
  const { cache } = of;
  if (!cache || cache.hits === 0) return <p class="quiet">No call repeats an earlier one: a cache would answer none.</p>;
  return (
    <>
      <p><strong>{percent(cache.share)}</strong> of {more(cache.calls, "recorded call")} answered by a cache</p>
      <p class="quiet">{percent(cache.rate)} of them as the LLM did; the small model keeps {percent(cache.share_of_model)}</p>
    </>
  );
}

function Cheaper({ of }: { of: Evaluation }) {
  const { cheaper } = of;
  if (!cheaper) return <p class="quiet">No cheaper model was asked. <code>understudy evaluate --cheaper</code> asks one the test calls.</p>;
  return (
    <>
      <p><strong>{percent(cheaper.rate)}</strong> agreement by {cheaper.model}</p>
      <p class="quiet">
        {more(cheaper.calls, "test call")}, 95 % interval {percent(cheaper.lower)} to {percent(cheaper.upper)};
        {cheaper.usd_per_call > 0 ? ` ${usd(cheaper.usd_per_call)} a call, the LLM ${usd(cheaper.llm_usd_per_call)}` : " it has no list price"}
      </p>
    </>
  );
}

function Proof({ of }: { of: Evaluation }) {
  const others = of.pool.filter((task) => task !== of.task);
  if (!others.length) return <p class="quiet">A proof of its own. Small tasks may share one: <code>understudy evaluate --pool-with</code>.</p>;
  return <p>proven together with {others.map((task, index) => <>{index > 0 && ", "}<a key={task} class="mono" href={`#/tasks/${task}`}>{task}</a></>)}</p>;
}

function Beside({ of }: { of: Evaluation }) {
  const parts: [string, ComponentChildren][] = [
    ["Task success", <TaskSuccess of={of} />], ["Judged quality", <Judged of={of} />], ["Exact-match cache", <CacheLine of={of} />],
    ["Cheaper API model", <Cheaper of={of} />], ["Pooled proof", <Proof of={of} />],
  ];
  if (of.similarity) {
    parts.push(["Alike texts", <p>chrF {of.similarity.chrf.toFixed(3)}, ROUGE-L {of.similarity.rouge_l.toFixed(3)} <span class="quiet">over {more(of.similarity.calls, "kept call")}</span></p>]);
  }
  return (
    <section aria-label="Beside the agreement">
      <div class="columns tight beside">{parts.map(([title, part]) => <div key={title}><h3>{title}</h3>{part}</div>)}</div>
    </section>
  );
}

// The same in a cell of the task list: only what is there.
export function BesideBadges({ of }: { of: Evaluation | null }) {
  if (!of) return <span class="quiet">–</span>;
  const facts: [string, "good" | "warn" | "plain"][] = [];
  if (of.outcomes) facts.push([of.outcomes.holds ? "success holds" : "success unproven", of.outcomes.holds ? "good" : "warn"]);
  if (of.judged && of.judged.calls > 0) facts.push([`judged ${percent((of.judged.equal + of.judged.slm_better) / of.judged.calls, 0)}`, "plain"]);
  if (of.cache && of.cache.hits > 0) facts.push([`cache ${percent(of.cache.share, 0)}`, "plain"]);
  if (of.cheaper) facts.push([`${of.cheaper.model} ${percent(of.cheaper.rate, 0)}`, "plain"]);
  if (of.pool.length > 1) facts.push([`pooled with ${of.pool.length - 1}`, "plain"]);
  if (!facts.length) return <span class="quiet">–</span>;
  return <div class="badges">{facts.map(([text, tone]) => <Badge key={text} tone={tone}>{text}</Badge>)}</div>;
}

export function Evidence({ evaluations }: { evaluations: Evaluation[] }) {
  const newest = evaluations[0];
  if (!newest) {
    return <Card title="Evidence"><Empty title="No model was measured yet">Train one with <code>understudy tune</code>, prove it with <code>understudy evaluate</code>.</Empty></Card>;
  }
  const bound = 1 - newest.alpha;
  return (
    <Card title="Evidence" note={time(newest.made_at)} actions={<VerdictBadge verdict={newest.verdict} />}>
      <p>{newest.reason.replace(" with 1 disagreements", " with 1 disagreement")}</p>
      <div class="columns tight">
        <div>
          <h3>On calibration calls <span class="quiet">these set the threshold</span></h3>
          <Interval agreement={newest.calibration} bound={bound} />
          <p class="quiet">agrees on {count(newest.calibration.agreed)} of {count(newest.calibration.kept)} kept; keeps {percent(newest.calibration.coverage)} of {count(newest.calibration.calls)}</p>
        </div>
        <div>
          <h3>On test calls <span class="quiet">looked at once</span></h3>
          <Interval agreement={newest.test} bound={bound} />
          <p class="quiet">agrees on {count(newest.test.agreed)} of {count(newest.test.kept)} kept; keeps {percent(newest.test.coverage)} of {count(newest.test.calls)}</p>
        </div>
      </div>
      <Facts rows={[
        ["certificate", newest.verdict === "convert" ? `at most ${percent(newest.alpha, 0)} disagree, with ${percent(1 - newest.delta, 0)} confidence` : "none"],
        ["threshold", newest.threshold > 1 ? "accepts nothing" : newest.threshold.toFixed(4)],
        ["small model, median", milliseconds(newest.slm_latency_ms_median)],
        ["LLM, median", newest.llm_latency_ms_median > 0 ? milliseconds(newest.llm_latency_ms_median) : "not recorded"],
        ...(newest.calls_needed > 0 ? [["calls that are missing", count(newest.calls_needed)] as [string, string]] : []),
      ]} />
      <Beside of={newest} />
      {evaluations.length > 1 && (
        <details><summary>{evaluations.length - 1} earlier evaluation{evaluations.length > 2 ? "s" : ""}</summary>
          <ul class="plain-list">{evaluations.slice(1).map((one) => <li key={one.made_at}><VerdictBadge verdict={one.verdict} /> {time(one.made_at)}: {one.reason}</li>)}</ul>
        </details>
      )}
    </Card>
  );
}
