import { useState } from "preact/hooks";
import { ask, ApiError } from "../api";
import { count, isPhone, time, usd } from "../format";
import { useResource } from "../live";
import { may } from "../session";
import type { AuditEntry, RoleKey, RoleToken, VirtualKey } from "../types";
import { Await, Badge, Card, Dialog, Empty, Field, Page, Problem, Scroll } from "../ui";

const limitsOf = (key: VirtualKey): string => [
  key.requests_per_minute && `${count(key.requests_per_minute)}/min`, key.tokens_per_minute && `${count(key.tokens_per_minute)} tokens/min`,
  key.usd_per_day && `${usd(key.usd_per_day)}/day`, key.usd_per_month && `${usd(key.usd_per_month)}/month`, key.budget_usd && `${usd(key.budget_usd)} in all`,
  key.models?.join(" "),
].filter(Boolean).join(", ") || "none";

const State = ({ entry }: { entry: { revoked_at?: string; expires_at?: string } }) =>
  entry.revoked_at ? <Badge tone="bad">revoked {time(entry.revoked_at)}</Badge> : entry.expires_at ? <Badge tone="warn">until {time(entry.expires_at)}</Badge> : <Badge tone="good">in force</Badge>;

function Issue({ kind, done }: { kind: "keys" | "tokens"; done: () => void }) {
  const [open, setOpen] = useState(false);
  const [form, setForm] = useState<Record<string, string>>({});
  const [error, setError] = useState<ApiError>();
  const [secret, setSecret] = useState("");
  const [copied, setCopied] = useState(false);
  const set = (name: string) => (event: { currentTarget: HTMLInputElement | HTMLSelectElement }) => setForm({ ...form, [name]: event.currentTarget.value });
  const close = () => { setOpen(false); setForm({}); setSecret(""); setError(undefined); setCopied(false); };
  const issue = async (event: Event) => {
    event.preventDefault();
    setError(undefined);
    const number = (name: string) => (form[name] ? Number(form[name]) : undefined);
    const body = kind === "keys"
      ? { name: form.name ?? "", tenant: form.tenant || undefined, requests_per_minute: number("rpm"), usd_per_day: number("usd") }
      : { name: form.name || undefined, role: form.role ?? "auditor" };
    try {
      setSecret((await ask<{ secret: string }>(`/api/access/${kind}`, { method: "POST", body })).secret);
      done();
    } catch (problem) {
      setError(problem as ApiError);
    }
  };
  const what = kind === "keys" ? "virtual key" : "role token";
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>New {what}…</button>
      <Dialog title={`New ${what}`} open={open} onClose={close}>
        {secret ? (
          <div>
            <p>This is shown once. A running gateway takes it within a second.</p>
            <pre class="secret">{secret}</pre>
            <div class="actions">
              <button type="button" onClick={() => void navigator.clipboard.writeText(secret).then(() => setCopied(true))}>{copied ? "Copied" : "Copy"}</button>
              <button type="button" class="primary" onClick={close}>Done</button>
            </div>
          </div>
        ) : (
          <form onSubmit={issue}>
            <Field label="Name" required={kind === "keys"} autoFocus value={form.name ?? ""} hint="letters, digits and -_.@" onInput={set("name")} />
            {kind === "keys" ? (
              <>
                <Field label="Tenant" value={form.tenant ?? ""} hint="whose calls these are" onInput={set("tenant")} />
                <Field label="Requests per minute" type="number" min="0" placeholder="no limit" value={form.rpm ?? ""} onInput={set("rpm")} />
                <Field label="Dollars per day" type="number" min="0" placeholder="no limit" step="0.01" value={form.usd ?? ""} onInput={set("usd")} />
              </>
            ) : (
              <label class="field"><span>Role</span>
                <select value={form.role ?? "auditor"} onChange={set("role")}><option value="auditor">auditor: metadata, audit trail</option><option value="curator">curator: content too</option><option value="admin">admin: keys, tokens, routing</option></select>
              </label>
            )}
            {error && <Problem title="It was not issued" message={error.message} hint={error.hint} />}
            <div class="actions"><button type="button" onClick={close}>Cancel</button><button type="submit" class="primary">Issue</button></div>
          </form>
        )}
      </Dialog>
    </>
  );
}

function Revoke({ name, done }: { name: string; done: () => void }) {
  const [open, setOpen] = useState(false);
  const [error, setError] = useState<ApiError>();
  const revoke = async () => {
    try {
      await ask(`/api/access/${encodeURIComponent(name)}`, { method: "DELETE" });
      setOpen(false);
      done();
    } catch (problem) {
      setError(problem as ApiError);
    }
  };
  return (
    <>
      <button type="button" aria-label={`Revoke ${name}`} onClick={() => setOpen(true)}>Revoke…</button>
      <Dialog title={`Revoke ${name}`} open={open} onClose={() => setOpen(false)}>
        <p>A running gateway refuses it within a second. This cannot be undone.</p>
        {error && <Problem title="It was not revoked" message={error.message} hint={error.hint} />}
        <div class="actions"><button type="button" onClick={() => setOpen(false)}>Cancel</button><button type="button" class="danger" onClick={() => void revoke()}>Revoke</button></div>
      </Dialog>
    </>
  );
}

function Access() {
  const access = useResource<{ keys: VirtualKey[]; tokens: RoleToken[] }>("/api/access", ["access"]);
  const admin = may("admin");
  return (
    <Await of={access}>
      {(data) => (
        <>
          <Card title="Virtual keys" note="who may call the gateway" actions={admin && <Issue kind="keys" done={access.reload} />}>
            {data.keys.length === 0 ? <p class="quiet">None: whoever reaches the gateway may call it, with a key of their own for the LLM.</p> : (
              <Scroll label="Virtual keys"><table>
                <thead><tr><th>key</th><th>tenant</th><th>state</th><th>limits</th><th class="number">requests</th><th class="number">spent</th><th class="number">today</th>{admin && <th><span class="visually-hidden">change</span></th>}</tr></thead>
                <tbody>{data.keys.map((key) => (
                  <tr key={key.name}><td>{key.name} <span class="quiet mono">…{key.hint}</span></td><td>{key.tenant ?? "–"}</td><td><State entry={key} /></td><td>{limitsOf(key)}</td>
                    <td class="number">{count(key.spent.requests)}</td><td class="number">{usd(key.spent.usd)}</td><td class="number">{usd(key.spent.usd_today)}</td>
                    {admin && <td class="number">{!key.revoked_at && <Revoke name={key.name} done={access.reload} />}</td>}</tr>
                ))}</tbody>
              </table></Scroll>
            )}
          </Card>
          <Card title="Role tokens" note="who may look at this console and the admin API" actions={admin && <Issue kind="tokens" done={access.reload} />}>
            {data.tokens.length === 0 ? <p class="quiet">None yet: only the owner's address opens this console.</p> : (
              <Scroll label="Role tokens"><table>
                <thead><tr><th>token</th><th>role</th><th>state</th><th>issued</th>{admin && <th><span class="visually-hidden">change</span></th>}</tr></thead>
                <tbody>{data.tokens.map((one) => (
                  <tr key={one.name}><td>{one.name} <span class="quiet mono">…{one.hint}</span></td><td>{one.role}</td><td><State entry={one} /></td><td>{time(one.created_at)}</td>
                    {admin && <td class="number">{!one.revoked_at && <Revoke name={one.name} done={access.reload} />}</td>}</tr>
                ))}</tbody>
              </table></Scroll>
            )}
          </Card>
        </>
      )}
    </Await>
  );
}

function RoleKeys() {
  const keys = useResource<{ keys: RoleKey[]; tenants: number; directory: string }>("/api/keys", ["access"]);
  return (
    <Await of={keys}>
      {(data) => (
        <Card title="Keys of the roles" note={`${data.directory} · ${count(data.tenants)} tenant${data.tenants === 1 ? "" : "s"}`}>
          <Scroll label="Keys of the roles"><table>
            <thead><tr><th>key</th><th>fingerprint</th><th>secret half here</th><th>passphrase</th><th class="number">former</th></tr></thead>
            <tbody>{data.keys.map((key) => (
              <tr key={key.name}><td>{key.name}</td><td class="mono">{key.fingerprint || "–"}</td><td>{key.secret_here ? <Badge tone="warn">yes</Badge> : <Badge tone="plain">no</Badge>}</td><td>{key.passphrase ? "yes" : "no"}</td><td class="number">{key.former.length}</td></tr>
            ))}</tbody>
          </table></Scroll>
        </Card>
      )}
    </Await>
  );
}

function Trail() {
  const [limit, setLimit] = useState(isPhone() ? 15 : 50);
  const trail = useResource<{ entries: AuditEntry[]; lines: number; head: string; sound: boolean }>(`/api/audit?limit=${limit}`, ["audit"]);
  const [verify, setVerify] = useState(false);
  const verified = useResource<{ sound: boolean; findings: string[]; warnings: string[]; anchors: number }>(verify ? "/api/audit/verification" : null);
  return (
    <Await of={trail}>
      {(data) => (
        <Card title="Audit trail" note={`${count(data.lines)} lines`}
          actions={<><Badge tone={data.sound ? "good" : "bad"}>{data.sound ? "chain is whole" : "chain is broken"}</Badge><button type="button" onClick={() => setVerify(true)}>Compare with the log</button></>}>
          {verify && <Await of={verified}>{(result) => (
            <p>{result.sound ? `Whole, also by the ${count(result.anchors)} marks in the log.` : `Changed: ${result.findings.join("; ")}`} {result.warnings.join("; ")}</p>
          )}</Await>}
          {data.entries.length === 0 ? <Empty title="Nothing happened yet" /> : (
            <Scroll label="Audit trail"><table class="dense">
              <thead><tr><th class="number">line</th><th>when</th><th>who</th><th>role</th><th>did</th><th>what</th><th>detail</th><th class="number">calls</th></tr></thead>
              <tbody>{[...data.entries].reverse().map((entry) => (
                <tr key={entry.line}><td class="number">{entry.line}</td><td class="nowrap">{time(entry.at, true)}</td><td>{entry.user}</td><td>{entry.role}</td><td>{entry.act}</td><td class="nowrap">{entry.what}</td><td class="whole">{entry.detail}</td><td class="number">{entry.calls === undefined ? null : count(entry.calls)}</td></tr>
              ))}</tbody>
            </table></Scroll>
          )}
          {data.lines > limit && <p><button type="button" onClick={() => setLimit(limit + 200)}>Show more</button></p>}
          <p class="quiet">Head: <span class="mono wrap">{data.head || "–"}</span></p>
        </Card>
      )}
    </Await>
  );
}

export function Keys() {
  if (!may("auditor") && !may("admin")) return <Page title="Keys and audit"><Empty title="Not with this token">Keys and the audit trail are shown to an auditor or an admin.</Empty></Page>;
  return (
    <Page title="Keys and audit" sub="Who may call, who may look, and who did.">
      <Access />
      <RoleKeys />
      <Trail />
    </Page>
  );
}
