import { useEffect, useState } from "preact/hooks";
import { bytes, count, isPhone, milliseconds, shortId, span, time, usd, why } from "../format";
import { useResource } from "../live";
import { may } from "../session";
import type { Call, Calls as Listed } from "../types";
import { Await, Badge, Card, Empty, Facts, Page, Scroll, ServedBy } from "../ui";

export interface CallFilter { q: string; session: string; task: string; server: string; status: string }
const blank: CallFilter = { q: "", session: "", task: "", server: "", status: "" };

const StatusBadge = ({ call }: { call: Call }) => <Badge tone={call.status === "ok" ? "good" : "bad"}>{call.status === "ok" ? "ok" : call.status.replaceAll("_", " ")}</Badge>;

type Message = { role?: string; content?: unknown; tool_calls?: unknown };

const textOf = (content: unknown): string => {
  if (typeof content === "string") return content;
  if (Array.isArray(content)) return content.map((part) => (typeof part === "object" && part && "text" in part ? String(part.text) : JSON.stringify(part))).join("\n");
  return content === null || content === undefined ? "" : JSON.stringify(content, null, 2);
};

// Requests and answers of the three APIs as a conversation; what has no such form is shown as it is.
function messagesOf(call: Call): Message[] {
  const request = call.request as { messages?: Message[]; system?: unknown; input?: unknown; prompt?: unknown } | undefined;
  const response = call.response as { choices?: { message?: Message; text?: string }[]; content?: unknown; output?: unknown } | undefined;
  const out: Message[] = [];
  if (request?.system) out.push({ role: "system", content: request.system });
  if (Array.isArray(request?.messages)) out.push(...request.messages);
  else if (request?.input !== undefined) out.push({ role: "input", content: request.input });
  else if (request?.prompt !== undefined) out.push({ role: "prompt", content: request.prompt });
  const choice = response?.choices?.[0];
  if (choice?.message) out.push({ ...choice.message, role: "answer" });
  else if (choice?.text !== undefined) out.push({ role: "answer", content: choice.text });
  else if (response?.content !== undefined) out.push({ role: "answer", content: response.content });
  else if (response?.output !== undefined) out.push({ role: "answer", content: response.output });
  return out;
}

function Content({ id }: { id: string }) {
  const [wanted, setWanted] = useState(false);
  const call = useResource<Call>(wanted ? `/api/calls/${encodeURIComponent(id)}/content` : null);
  if (!may("curator")) return <p class="masked">•••• •••••• ••• ••••••••• •• •••••<span class="quiet">Masked: content needs a curator's token.</span></p>;
  if (!wanted) {
    return <p class="masked">•••• •••••• ••• ••••••••• •• •••••<button type="button" onClick={() => setWanted(true)}>Show content</button><span class="quiet">This look is written into the audit trail.</span></p>;
  }
  return (
    <Await of={call}>
      {(data) => {
        const messages = messagesOf(data);
        if (!messages.length) return <pre class="message">{JSON.stringify({ request: data.request, response: data.response }, null, 2)}</pre>;
        return (
          <ol class="conversation">
            {messages.map((message, index) => (
              <li key={index} class={`from-${message.role}`}><span class="speaker">{message.role}</span><pre>{textOf(message.content)}{message.tool_calls ? `\n${JSON.stringify(message.tool_calls, null, 2)}` : ""}</pre></li>
            ))}
          </ol>
        );
      }}
    </Await>
  );
}

export function OneCall({ id }: { id: string }) {
  const call = useResource<Call>(`/api/calls/${encodeURIComponent(id)}`);
  return (
    <Page title="Call" sub={<><a href="#/calls">Calls</a> / <span class="mono">{id}</span></>}>
      <Await of={call}>
        {(data) => (
          <>
            <div class="columns">
              <Card title="What happened" actions={<><ServedBy server={data.route.server} /> <StatusBadge call={data} /></>}>
                <Facts rows={[
                  ["started", time(data.started, true)], ["took", milliseconds(data.latency_ms)], ["API", data.api],
                  ["asked for", data.requested_model], ["answered by", data.served_model || "–"], ["upstream", data.upstream || "–"],
                  ["why", why(data.route.reason) || "–"], ["task", data.route.task ? <a class="mono" href={`#/tasks/${data.route.task}`}>{data.route.task}</a> : "–"],
                  ["confidence", data.route.confidence >= 0 ? data.route.confidence.toFixed(4) : "–"],
                  ...(data.error ? [["error", data.error] as [string, string]] : []),
                ]} />
              </Card>
              <Card title="Figures">
                <Facts rows={[
                  ["tokens read", `${count(data.usage.prompt_tokens)}${data.usage.estimated ? " (estimated)" : ""}`], ["tokens written", count(data.usage.completion_tokens)],
                  ["cost", data.cost_usd === undefined ? "–" : usd(data.cost_usd)], ["request", bytes(data.request_bytes)], ["response", bytes(data.response_bytes)],
                  ["session", <a class="mono" href={`#/calls?session=${encodeURIComponent(data.session)}`}>{shortId(data.session)}</a>], ["step", data.step],
                  ["tenant", <span class="mono">{data.origin.tenant || "default"}</span>], ["retries", data.retries], ["reward", data.reward ?? "–"],
                ]} />
              </Card>
            </div>
            <Card title="Content"><Content id={id} /></Card>
          </>
        )}
      </Await>
    </Page>
  );
}

function Rows({ calls, session }: { calls: Call[]; session: boolean }) {
  return (
    <Scroll label="Calls">
      <table class="dense">
        <thead><tr><th>started</th><th>call</th>{session ? <th class="number">step</th> : <th>session</th>}<th>model</th><th>answered by</th><th>why</th><th>status</th><th class="number">tokens</th><th class="number">took</th><th class="number">cost</th></tr></thead>
        <tbody>
          {calls.map((call) => (
            <tr key={call.id}>
              <td class="nowrap">{time(call.started, true)}</td>
              <td><a class="mono" href={`#/calls/${encodeURIComponent(call.id)}`}>{shortId(call.id)}</a></td>
              {session ? <td class="number">{call.step}</td> : <td><a class="mono" href={`#/calls?session=${encodeURIComponent(call.session)}`}>{shortId(call.session)}</a></td>}
              <td>{call.served_model || call.requested_model}</td><td><ServedBy server={call.route.server} /></td><td>{why(call.route.reason)}</td>
              <td><StatusBadge call={call} /></td><td class="number">{count(call.usage.prompt_tokens + call.usage.completion_tokens)}</td>
              <td class="number">{milliseconds(call.latency_ms)}</td><td class="number">{call.cost_usd === undefined ? "–" : usd(call.cost_usd)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

// A session's calls in one line: how long, who answered, what it cost.
function SessionFacts({ calls }: { calls: Call[] }) {
  const tokens = calls.reduce((sum, call) => sum + call.usage.prompt_tokens + call.usage.completion_tokens, 0);
  const first = Math.min(...calls.map((call) => Date.parse(call.started)));
  const last = Math.max(...calls.map((call) => Date.parse(call.started) + call.latency_ms));
  return (
    <Facts rows={[
      ["calls", count(calls.length)], ["by small models", count(calls.filter((call) => call.route.server === "slm").length)],
      ["lasted", span((last - first) / 1000)], ["tokens", count(tokens)], ["cost", usd(calls.reduce((sum, call) => sum + (call.cost_usd ?? 0), 0))],
      ["not ok", count(calls.filter((call) => call.status !== "ok").length)],
    ]} />
  );
}

export function Calls({ query }: { query: URLSearchParams }) {
  const [filter, setFilter] = useState<CallFilter>({ ...blank, session: query.get("session") ?? "", task: query.get("task") ?? "" });
  useEffect(() => setFilter((before) => ({ ...before, session: query.get("session") ?? "", task: query.get("task") ?? "" })), [query.toString()]);
  const [limit, setLimit] = useState(isPhone() ? 15 : 50);
  const words = new URLSearchParams({ limit: String(limit) });
  for (const [name, value] of Object.entries(filter)) if (value) words.set(name, value);
  const calls = useResource<Listed>(`/api/calls?${words}`, ["log"]);
  if (!may("auditor") && !may("curator")) return <Page title="Calls"><Empty title="Not with this token">Calls are shown to an auditor (without content) or a curator.</Empty></Page>;
  const set = (name: keyof CallFilter) => (event: { currentTarget: HTMLInputElement | HTMLSelectElement }) => setFilter({ ...filter, [name]: event.currentTarget.value });
  return (
    <Page title="Calls" sub={filter.session ? <>Session <span class="mono">{filter.session}</span>: <a href="#/calls" onClick={() => setFilter(blank)}>show all calls</a></> : "Metadata of every call. Content stays masked until a curator opens it."}>
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <label class="field grow"><span>Search</span><input type="search" placeholder="id, session, model, tenant, reason, error" value={filter.q} onInput={set("q")} /></label>
        <label class="field"><span>Answered by</span><select value={filter.server} onChange={set("server")}><option value="">anyone</option><option value="slm">small models</option><option value="llm">the LLM</option></select></label>
        <label class="field"><span>Status</span><select value={filter.status} onChange={set("status")}><option value="">any</option><option value="ok">ok</option><option value="failed">not ok</option></select></label>
      </form>
      <Await of={calls}>
        {(data) => data.calls.length === 0 ? (
          <Empty title={data.recorded ? "No call matches" : "No calls were recorded yet"}>{data.recorded ? `Searched ${count(data.searched)} of ${count(data.recorded)} calls.` : "Point an agent at the gateway."}</Empty>
        ) : (
          <Card title={filter.session ? "This session" : "Newest calls"} note={`searched ${count(data.searched)} of ${count(data.recorded)}`}>
            {filter.session && <SessionFacts calls={data.calls} />}
            <Rows calls={filter.session ? [...data.calls].reverse() : data.calls} session={Boolean(filter.session)} />
            {data.more && <p><button type="button" onClick={() => setLimit(Math.min(500, limit + 100))} disabled={limit >= 500}>Show more</button></p>}
          </Card>
        )}
      </Await>
    </Page>
  );
}
