import { bytes, count } from "../format";
import { useResource } from "../live";
import { me } from "../session";
import type { ComponentChildren } from "preact";
import { Await, Badge, Card, Facts, Page, Problem, Scroll } from "../ui";

interface Gateway {
  file: string; problem?: string; listen?: string; tls?: boolean; upstreams?: { name: string; url: string; protocol: string; own_key: boolean }[];
  models?: string[]; capture?: string; retention_days?: number; keys_required?: boolean;
}
interface Manifest { calls_read: number; calls_kept: number; duplicates: number; sessions: number; splits: Record<string, number>; entities: Record<string, number>; dropped: Record<string, number> }
interface Price { model: string; input_usd_per_million: number; output_usd_per_million: number; as_of: string; source: string }
interface Facts_ {
  home: string; version: string; machine?: { cores: number; memory_bytes: number; memory_available_bytes: number }; dataset: string | null;
  manifest: Manifest | null; gateway: Gateway | null; prices?: Price[]; prices_problem?: string; machine_usd_per_hour?: number;
}

const sum = (counts: Record<string, number>) => Object.entries(counts).map(([name, value]) => `${count(value)} ${name}`).join(", ") || "none";

function GatewayCard({ gateway }: { gateway: Gateway | null }) {
  if (!gateway) return <Card title="Gateway"><p class="quiet">There is no understudy.toml: the gateway is told everything on its command line. <code>understudy init</code> writes one.</p></Card>;
  if (gateway.problem) return <Card title="Gateway" note={gateway.file}><Problem title="Its configuration is refused" message={gateway.problem} /></Card>;
  const rows: [string, ComponentChildren][] = [
    ["listens on", gateway.listen ?? "–"], ["TLS", gateway.tls ? "on" : "off"], ["capture", gateway.capture ?? "–"],
    ["keeps calls for", gateway.retention_days ? `${count(gateway.retention_days)} days` : "ever"], ["needs a virtual key", gateway.keys_required ? "yes" : "no"],
    ["named models", gateway.models?.length ? gateway.models.join(", ") : "none"],
  ];
  return (
    <Card title="Gateway" note={gateway.file}>
      <Facts rows={rows} />
      <ul class="plain-list">{gateway.upstreams?.map((one) => <li key={one.name}><b>{one.name}</b> <span class="mono wrap">{one.url}</span> <Badge tone="plain">{one.protocol}</Badge> {one.own_key && <Badge tone="good">own key</Badge>}</li>)}</ul>
    </Card>
  );
}

// What the frame offers beside the pages; on a phone it has no room for it.
export interface Look { theme: string; nextTheme: () => void; leave: () => void }

export function Settings({ look }: { look: Look }) {
  const settings = useResource<Facts_>("/api/settings", ["tasks"]);
  const who = me();
  return (
    <Page title="Settings" sub="Where everything lies. Settings are files in the home, so that they can be kept in version control.">
      <Await of={settings}>
        {(data) => (
          <>
            <div class="columns">
              <Card title="This console">
                <Facts rows={[
                  ["home", <span class="mono wrap">{data.home}</span>], ["version", data.version], ["your token", who?.name ?? "–"], ["your roles", who?.roles.join(", ") ?? "–"],
                  ...(data.machine ? [["machine", `${data.machine.cores} cores, ${bytes(data.machine.memory_bytes)} memory, ${bytes(data.machine.memory_available_bytes)} free`] as [string, string]] : []),
                ]} />
                <p class="actions narrow-only"><button type="button" onClick={look.nextTheme}>Theme: {look.theme}</button><button type="button" onClick={look.leave}>Leave</button></p>
              </Card>
              <GatewayCard gateway={data.gateway} />
            </div>
            <Card title="Current data set" note={data.dataset ? <span class="mono">{data.dataset}</span> : undefined}>
              {data.manifest ? <Facts rows={[
                ["calls read, kept", `${count(data.manifest.calls_read)}, ${count(data.manifest.calls_kept)}`], ["sessions", count(data.manifest.sessions)], ["duplicates", count(data.manifest.duplicates)],
                ["splits", sum(data.manifest.splits)], ["replaced", sum(data.manifest.entities)], ["dropped", sum(data.manifest.dropped)],
              ]} /> : <p class="quiet">Nothing was curated yet.</p>}
            </Card>
            <Card title="Prices" note={data.machine_usd_per_hour ? `this machine: $${data.machine_usd_per_hour.toFixed(2)} an hour` : "this machine counts as free"}>
              {data.prices_problem ? <Problem title="prices.toml is refused" message={data.prices_problem} /> : (
                <details><summary>{count(data.prices?.length ?? 0)} models, dollars per million tokens</summary>
                  <Scroll label="Prices"><table class="dense">
                    <thead><tr><th>model</th><th class="number">in</th><th class="number">out</th><th>as of</th><th>source</th></tr></thead>
                    <tbody>{data.prices?.map((price) => <tr key={price.model}><td class="mono">{price.model}</td><td class="number">{price.input_usd_per_million.toFixed(2)}</td><td class="number">{price.output_usd_per_million.toFixed(2)}</td><td>{price.as_of}</td><td>{price.source}</td></tr>)}</tbody>
                  </table></Scroll>
                </details>
              )}
              <p class="quiet"><code>prices.toml</code> in the home goes before these.</p>
            </Card>
          </>
        )}
      </Await>
    </Page>
  );
}
