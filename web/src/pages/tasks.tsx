import { useMemo, useState } from "preact/hooks";
import { BesideBadges } from "../evidence";
import { count, percent, usd } from "../format";
import { useResource } from "../live";
import { TaskMap } from "../map";
import type { ListedTask } from "../types";
import { Await, Card, Empty, Page, Scroll, ServedBy, Share, VerdictBadge } from "../ui";

type Order = "calls" | "cost" | "estimate" | "name";
const orders: Record<Order, (a: ListedTask, b: ListedTask) => number> = {
  calls: (a, b) => b.statistics.calls - a.statistics.calls,
  cost: (a, b) => b.statistics.cost_usd - a.statistics.cost_usd,
  estimate: (a, b) => b.replaceability.estimate - a.replaceability.estimate,
  name: (a, b) => a.name.localeCompare(b.name),
};

export const servedBy = (task: ListedTask): "slm" | "llm" => (task.policy && task.policy.mode !== "off" ? "slm" : "llm");

function List({ tasks }: { tasks: ListedTask[] }) {
  const [order, setOrder] = useState<Order>("calls");
  const sorted = useMemo(() => [...tasks].sort(orders[order]), [tasks, order]);
  const Head = ({ by, children, number }: { by: Order; children: string; number?: boolean }) => (
    <th class={number ? "number" : ""} aria-sort={order === by ? (by === "name" ? "ascending" : "descending") : "none"}>
      <button type="button" class="plain" onClick={() => setOrder(by)}>{children}{order === by ? " ↓" : ""}</button>
    </th>
  );
  return (
    <Card title="Task list" note={`${tasks.length} shown`}>
      <Scroll label="Task list">
        <table>
          <thead>
            <tr>
              <Head by="name">task</Head><th>answered by</th><th>evidence</th><th>also measured</th><th>share of calls</th><Head by="calls" number>calls</Head>
              <Head by="cost" number>cost</Head><Head by="estimate" number>replaceable</Head>
            </tr>
          </thead>
          <tbody>
            {sorted.map((task) => (
              <tr key={task.id}>
                <td class="name"><a href={`#/tasks/${task.id}`}>{task.name}</a><div class="quiet mono">{task.id} · {task.answer_form}</div></td>
                <td><ServedBy server={servedBy(task)} />{task.policy && !["off", "active"].includes(task.policy.mode) && <div class="quiet">{task.policy.mode}</div>}</td>
                <td><VerdictBadge verdict={task.evaluation?.verdict} /></td>
                <td><BesideBadges of={task.evaluation} /></td>
                <td><Share value={task.statistics.share_of_calls} tone={servedBy(task)} /></td>
                <td class="number">{count(task.statistics.calls)}</td>
                <td class="number">{usd(task.statistics.cost_usd)}</td>
                <td class="number">{percent(task.replaceability.estimate, 0)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </Card>
  );
}

export function Tasks() {
  const tasks = useResource<{ tasks: ListedTask[] }>("/api/tasks", ["tasks", "policy"]);
  const [text, setText] = useState("");
  const [server, setServer] = useState<"" | "slm" | "llm">("");
  return (
    <Page title="Tasks" sub="Kinds of calls that recur. Near on the map means alike; size is the share of calls.">
      <Await of={tasks}>
        {(data) => {
          if (!data.tasks.length) {
            return <Empty title="No tasks were found yet"><code>understudy curate</code> and <code>understudy cluster</code> find them in the recorded calls.</Empty>;
          }
          const words = text.toLowerCase().split(/\s+/).filter(Boolean);
          const shown = data.tasks.filter((task) => (!server || servedBy(task) === server) &&
            words.every((word) => `${task.name} ${task.id} ${task.answer_form} ${task.template_text}`.toLowerCase().includes(word)));
          return (
            <>
              <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
                <label class="field grow"><span>Filter</span>
                  <input type="search" value={text} placeholder="words of the name or the template" onInput={(event) => setText(event.currentTarget.value)} />
                </label>
                <label class="field"><span>Answered by</span>
                  <select value={server} onChange={(event) => setServer(event.currentTarget.value as "" | "slm" | "llm")}>
                    <option value="">anyone</option><option value="slm">a small model</option><option value="llm">the LLM</option>
                  </select>
                </label>
              </form>
              <Card title="Task map"><TaskMap tasks={data.tasks} shown={new Set(shown.map((task) => task.id))} /></Card>
              {shown.length ? <List tasks={shown} /> : <Empty title="No task matches">Take a word out of the filter.</Empty>}
            </>
          );
        }}
      </Await>
    </Page>
  );
}
