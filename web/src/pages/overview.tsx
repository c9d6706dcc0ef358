import { useMemo, useState } from "preact/hooks";
import { Chart } from "../chart";
import { compact, count, duration, percent, time, usd } from "../format";
import { useResource } from "../live";
import type { Overview as Everything, Report, Series } from "../types";
import { Await, Card, Empty, Facts, Page, Problem, Scroll, ServedBy, Share, Tile, Tiles, Worded } from "../ui";

const ranges: [string, number][] = [["All", 0], ["30 days", 2_592_000], ["7 days", 604_800], ["24 hours", 86_400], ["1 hour", 3600]];

function Figures({ report, series }: { report: Report; series: Series | null }) {
  const since = report.promoted_at ? report.since_promotion : report.all;
  return (
    <Tiles>
      <Tile label="Calls recorded" value={compact(report.calls)}
        note={report.last_call ? `the last one ${time(report.last_call)}` : "none yet"} />
      <Tile label="By small models" value={percent(since.share_of_calls)} tone={since.slm_calls > 0 ? "good" : undefined}
        note={report.promoted_at ? `since ${time(report.promoted_at)}` : "no small model is live"} />
      <Tile label="Saved" value={usd(since.saved_usd)} tone={since.saved_usd > 0 ? "good" : undefined}
        note={`${percent(since.share_of_cost)} of the LLM's cost`} />
      <Tile label="Paid to the LLM" value={usd(report.all.llm_cost_usd)} note={report.all.unpriced_calls > 0 ? `${count(report.all.unpriced_calls)} calls have no price` : "all calls have a price"} />
      {series && <Tile label="Tokens" value={compact(series.prompt_tokens + series.completion_tokens)}
        note={`${compact(series.prompt_tokens)} read, ${compact(series.completion_tokens)} written`} />}
    </Tiles>
  );
}

function OverTime({ series }: { series: Series }) {
  const x = useMemo(() => series.buckets.map((bucket) => bucket.t), [series]);
  const calls = useMemo(() => [
    { label: "LLM", colour: "--llm", bars: true, values: series.buckets.map((b) => b.llm + b.slm), shown: (i: number) => count(series.buckets[i]!.llm) },
    { label: "small models", colour: "--slm", bars: true, values: series.buckets.map((b) => b.slm) },
  ], [series]);
  const money = useMemo(() => {
    let paid = 0;
    let saved = 0;
    const lines = series.buckets.map((b) => [(paid += b.cost_usd), (saved += b.saved_usd)] as const);
    return [
      { label: "paid to the LLM", colour: "--llm-ink", fill: true, values: lines.map(([p]) => p) },
      { label: "saved", colour: "--slm", fill: true, values: lines.map(([, s]) => s) },
    ];
  }, [series]);
  return (
    <div class="columns">
      <Card title="Calls" note={`each bar ${duration(series.width_s)}`}>
        <Chart x={x} lines={calls} label="Calls over time, by the LLM and by small models" format={compact} />
      </Card>
      <Card title="Spend and savings" note="added up">
        <Chart x={x} lines={money} label="Money paid to the LLM and saved, added up over time" format={usd} />
      </Card>
    </div>
  );
}

function Models({ series }: { series: Series }) {
  return (
    <Card title="Share by model">
      <Scroll label="Share by model">
        <table>
          <thead><tr><th>model</th><th>answers as</th><th>share of calls</th><th class="number">calls</th><th class="number">tokens</th><th class="number">paid</th></tr></thead>
          <tbody>
            {series.models.map((model) => (
              <tr key={model.server + model.model}>
                <td class="mono">{model.model || "–"}</td>
                <td><ServedBy server={model.server} /></td>
                <td><Share value={series.calls ? model.calls / series.calls : 0} tone={model.server} /></td>
                <td class="number">{count(model.calls)}</td>
                <td class="number">{compact(model.tokens)}</td>
                <td class="number">{usd(model.cost_usd)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </Card>
  );
}

function Tasks({ report }: { report: Report }) {
  const live = report.tasks.filter((task) => task.traffic.calls > 0).slice(0, 8);
  if (!live.length) return null;
  return (
    <Card title="Tasks" actions={<a href="#/tasks">All tasks</a>}>
      <Scroll label="Tasks">
        <table>
          <thead><tr><th>task</th><th>answered by</th><th>by the small model</th><th class="number">calls</th><th class="number">saved</th></tr></thead>
          <tbody>
            {live.map((task) => (
              <tr key={task.task}>
                <td class="name"><a href={`#/tasks/${task.task}`}>{task.name}</a></td>
                <td><ServedBy server={task.served_by} /></td>
                <td><Share value={task.traffic.by_slm / task.traffic.calls} /></td>
                <td class="number">{count(task.traffic.calls)}</td>
                <td class="number">{usd(task.savings.saved_usd)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </Card>
  );
}

function Pays({ report }: { report: Report }) {
  const { balance, cache } = report;
  if (!balance || report.calls === 0) return null;
  if (report.all.slm_calls === 0) return <Card title="Does it pay?"><p>{balance.verdict}</p></Card>;
  const free = balance.at.every((entry) => entry.machine_usd === 0);
  return (
    <Card title="Does it pay?" note={free ? <>this machine counts as free: <code>prices.toml</code> may say what an hour of it costs</> : undefined}>
      <p>{balance.verdict}</p>
      {!free && (
        <Scroll label="Saving by the load of the machine">
          <table>
            <thead><tr><th>load of the machine</th><th class="number">machine</th><th class="number">net saving</th><th class="number">small model, per good answer</th></tr></thead>
            <tbody>{balance.at.map((entry) => (
              <tr key={entry.utilisation}><td>{percent(entry.utilisation, 0)}</td><td class="number">{usd(entry.machine_usd)}</td><td class="number">{usd(entry.net_usd)}</td><td class="number">{usd(entry.slm_usd_per_successful_call)}</td></tr>
            ))}</tbody>
          </table>
        </Scroll>
      )}
      <Facts rows={[
        ...(free ? [["net saving", usd(balance.at[0]?.net_usd ?? 0)] as [string, string]] : []),
        ["LLM, per good answer", usd(balance.llm_usd_per_successful_call)],
        ["training", `${usd(balance.training_usd)}, ${duration(balance.training_seconds)}`],
        ["audits", `${count(balance.audits)} calls, ${usd(balance.audit_usd)}`],
        ["paid back after", balance.payback_days === null ? "not yet known" : balance.payback_days < 0.1 ? "less than a day" : `${balance.payback_days.toFixed(1)} days`],
        ...(balance.cheaper_usd_per_call !== null ? [[balance.cheaper_model || "cheaper model", `${usd(balance.cheaper_usd_per_call)} a call`] as [string, string]] : []),
        ...(cache && cache.hits > 0 ? [["a cache alone would save", `${percent(cache.share_of_cost)} of the cost`] as [string, string]] : []),
      ]} />
    </Card>
  );
}

function Next({ steps }: { steps: string[] }) {
  return (
    <Card title="What to do next">
      <ul class="steps">
        {steps.map((step) => {
          const [command, ...why] = step.split(/\s{2,}/);
          return <li key={step}><span>{command!.startsWith("understudy") ? <code>{command}</code> : command}</span>{why.length > 0 && <span class="quiet"><Worded text={why.join(" ").replaceAll(" -> ", " → ")} /></span>}</li>;
        })}
      </ul>
    </Card>
  );
}

export function Overview() {
  const [range, setRange] = useState(0);
  const facts = useResource<Everything>(`/api/overview?seconds=${range}`, ["log", "tasks", "policy"]);
  const picker = (
    <div class="segmented" role="group" aria-label="Period of the charts">
      {ranges.map(([name, seconds]) => (
        <button type="button" key={name} aria-pressed={seconds === range} onClick={() => setRange(seconds)}>{name}</button>
      ))}
    </div>
  );
  return (
    <Page title="Overview" sub="What was recorded, who answered it, and what that saved." actions={picker}>
      <Await of={facts}>
        {(data) => {
          const empty = (data.log?.calls ?? 0) === 0;
          return (
            <>
              {data.report_problem && <Problem title="The figures cannot be made" message={data.report_problem} />}
              {data.series_problem && <Problem title="The log cannot be read" message={data.series_problem} />}
              {(data.warnings ?? []).map((warning) => <Problem key={warning} title="The log says" message={warning} />)}
              {empty && !data.series_problem && (
                <Empty title="No calls were recorded yet">Point an agent's <code>base_url</code> at the gateway, or import recorded calls.</Empty>
              )}
              {!empty && data.report && <Figures report={data.report} series={data.series} />}
              {data.series && data.series.buckets.length > 0 && <OverTime series={data.series} />}
              {!empty && data.series && data.series.buckets.length === 0 && (
                <Card title="Calls over time"><p class="quiet">No call of this period says when it was made.</p></Card>
              )}
              {data.status && <Next steps={data.status.next} />}
              {data.report && <Tasks report={data.report} />}
              {data.report && <Pays report={data.report} />}
              {data.series && data.series.models.length > 0 && <Models series={data.series} />}
            </>
          );
        }}
      </Await>
    </Page>
  );
}
