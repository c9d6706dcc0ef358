import { count, isPhone, milliseconds, percent, shortShare, time, why } from "../format";
import { useResource } from "../live";
import { RouteSwitch } from "../switch";
import type { Compared, ListedTask, Route, Routing as Policy, Watched } from "../types";
import { Await, Badge, Card, Empty, Facts, Page, Scroll, ServedBy, VerdictBadge } from "../ui";

function Reasons({ counts }: { counts: Record<string, number> | undefined }) {
  const all = Object.entries(counts ?? {}).sort((a, b) => b[1] - a[1]);
  const sum = all.reduce((total, [, calls]) => total + calls, 0);
  if (!sum) return <span class="quiet">no calls yet</span>;
  return <>{all.map(([reason, calls]) => <div key={reason} class="reason"><span>{why(reason)}</span> <b>{percent(calls / sum)}</b> <span class="quiet">{count(calls)}</span></div>)}</>;
}

const plain = (value: unknown): string =>
  typeof value === "number" ? (Number.isInteger(value) ? count(value) : value.toPrecision(3)) : value === null ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value);

const agreed = (compared: Compared): string =>
  compared.calls === 0 ? "none yet" : `${count(compared.agreed)} of ${count(compared.kept)} kept answers agreed (${percent(compared.kept ? compared.agreed / compared.kept : 0)}), ${count(compared.calls)} compared`;

function Counted({ watch }: { watch: Watched }) {
  return (
    <>
      <ul class="funnel">
        <li><b>{count(watch.seen)}</b> calls seen</li><li><b>{count(watch.matched)}</b> of this task</li>
        <li><b>{count(watch.asked)}</b> asked of the model</li><li><b>{count(watch.accepted)}</b> answered by it</li>
      </ul>
      <Facts rows={[
        ["audited", agreed(watch.audit)],
        ...(watch.shadow.calls > 0 ? [["in shadow", agreed(watch.shadow)] as [string, string]] : []),
        ["alarm", watch.monitor?.alarm ? "raised" : `none; at more than ${percent(watch.monitor?.alpha ?? 0.05, 0)} disagreement`],
      ]} />
    </>
  );
}

// What the gateway itself counted since each mode was decided, and what it took back by itself.
function Watch({ routes }: { routes: Route[] }) {
  const watched = routes.filter((route) => route.watch || route.decided !== route.mode);
  if (!watched.length) return null;
  return (
    <Card title="Watched by the gateway" note="since each mode was decided">
      {watched.map((route) => (
        <div key={route.task} class="watched">
          <h3>{route.name} <Badge tone={route.mode === "active" ? "slm" : route.mode === "off" ? "plain" : "warn"}>{route.mode}{route.mode === "canary" ? ` ${shortShare(route.canary_share)}` : ""}</Badge>
            {route.decided !== route.mode && <span class="quiet"> decided as {route.decided}, taken back{route.since ? ` ${time(route.since)}` : ""}: {route.why}</span>}</h3>
          {route.watch && <Counted watch={route.watch} />}
        </div>
      ))}
    </Card>
  );
}

function Demotions({ demotions, names }: { demotions: Record<string, unknown>[]; names: Map<string, string> }) {
  if (!demotions.length) return null;
  return (
    <Card title="Taken back" note="by the gateway or by a person">
      <ul class="plain-list">
        {demotions.slice(0, 20).map((entry, index) => (
          <li key={index}><Badge tone="warn">{plain(entry.to ?? entry.mode ?? "off")}</Badge> {names.get(String(entry.task)) ?? plain(entry.task ?? "everything")}: {plain(entry.reason ?? entry.why ?? "")} <span class="quiet">{time(entry.at as string | number)}</span></li>
        ))}
      </ul>
    </Card>
  );
}

function Row({ task, facts, done }: { task: ListedTask; facts: Policy; done: () => void }) {
  const mode = task.policy?.mode ?? "off";
  const share = task.policy?.canary_share;
  return (
    <tr>
      <td class="name"><a href={`#/tasks/${task.id}`}>{task.name}</a><div class="quiet mono">{task.id}</div></td>
      <td><Badge tone={mode === "active" ? "slm" : mode === "off" ? "plain" : "warn"}>{mode}{share !== undefined && mode === "canary" ? ` ${shortShare(share)}` : ""}</Badge></td>
      <td>{task.policy ? <>{task.policy.kind} <span class="mono">{task.policy.artifact.slice(0, 8)}</span><div class="quiet">accepts from {task.policy.threshold.toFixed(3)}</div></> : <VerdictBadge verdict={task.evaluation?.verdict} />}</td>
      <td><Reasons counts={facts.reasons[task.id]} /></td>
      <td class="number"><RouteSwitch task={task.id} name={task.name} mode={mode} share={share} modes={facts.modes} provable={task.evaluation?.verdict === "convert"} done={done} /></td>
    </tr>
  );
}

export function Routing() {
  const routing = useResource<Policy>("/api/routing", ["policy", "tasks", "log"]);
  return (
    <Page title="Routing" sub="Which task is answered by whom. A change is signed, takes effect within a second, and needs a reason.">
      <Await of={routing}>
        {(data) => {
          const tasks = data.known?.tasks ?? [];
          const names = new Map(tasks.map((task) => [task.id, task.name]));
          if (!tasks.length) return <Empty title="There is nothing to route yet">Every call goes to the LLM until a small model has been proven for a task.</Empty>;
          return (
            <>
              <Card title="Tasks" note={`policy version ${data.version}`}>
                <Scroll label="Routes">
                  <table>
                    <thead><tr><th>task</th><th>mode</th><th>model</th><th>decisions</th><th><span class="visually-hidden">change</span></th></tr></thead>
                    <tbody>{tasks.map((task) => <Row key={task.id} task={task} facts={data} done={routing.reload} />)}</tbody>
                  </table>
                </Scroll>
              </Card>
              <Watch routes={data.routes} />
              <Demotions demotions={data.demotions} names={names} />
              <div class="columns main-side">
                <Card title="Decisions, live" note="newest first">
                  {data.decisions.length === 0 ? <p class="quiet">No call met a task of the policy yet.</p> : (
                    <Scroll label="Decisions">
                      <table class="dense">
                        <thead><tr><th>when</th><th>task</th><th>answered by</th><th>why</th><th class="number">confidence</th><th class="number">took</th></tr></thead>
                        <tbody>
                          {data.decisions.slice(0, isPhone() ? 8 : 20).map((decision) => (
                            <tr key={decision.call}>
                              <td class="nowrap">{time(decision.at, true)}</td><td class="clip">{names.get(decision.task) ?? decision.task}</td><td><ServedBy server={decision.server} /></td>
                              <td class="nowrap">{why(decision.reason)}</td><td class="number">{decision.confidence >= 0 ? decision.confidence.toFixed(3) : "–"}</td><td class="number">{milliseconds(decision.latency_ms)}</td>
                            </tr>
                          ))}
                        </tbody>
                      </table>
                    </Scroll>
                  )}
                </Card>
                <Card title="History of the policy">
                  {data.history.length === 0 ? <p class="quiet">No policy was published yet.</p> : (
                    <ol class="timeline">
                      {data.history.map((entry) => (
                        <li key={entry.version}><b>{entry.version}</b><div>{entry.reason ?? entry.problem}<div class="quiet">{time(entry.made_at)}</div></div></li>
                      ))}
                    </ol>
                  )}
                </Card>
              </div>
            </>
          );
        }}
      </Await>
    </Page>
  );
}
