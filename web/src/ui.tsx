// The design system's parts: every page is made of these and nothing else.
import type { ComponentChildren, InputHTMLAttributes } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Resource } from "./live";
import { percent } from "./format";
import type { Agreement, Verdict } from "./types";

// "a -> b" as one sign that does not break: the heading's tighter letters keep the font from joining it.
const arrows = (text: string) => text.replaceAll(" -> ", "\u00a0→ ");

export function Page({ title, sub, actions, children }: { title: string; sub?: ComponentChildren; actions?: ComponentChildren; children: ComponentChildren }) {
  useEffect(() => { document.title = `${title} · Understudy`; }, [title]);
  return (
    <>
      <header class="page-head">
        <div>
          <h1>{arrows(title)}</h1>
          {sub && <p class="quiet">{sub}</p>}
        </div>
        {actions && <div class="actions">{actions}</div>}
      </header>
      {children}
    </>
  );
}

export function Card({ title, note, actions, children, wide }: { title?: string; note?: ComponentChildren; actions?: ComponentChildren; children: ComponentChildren; wide?: boolean }) {
  return (
    <section class={wide ? "card wide" : "card"}>
      {title && (
        <div class="card-head">
          <h2>{title}</h2>
          {note && <span class="quiet">{note}</span>}
          {actions && <div class="actions">{actions}</div>}
        </div>
      )}
      {children}
    </section>
  );
}

export function Tile({ label, value, note, tone }: { label: string; value: ComponentChildren; note?: ComponentChildren; tone?: "good" | "warn" }) {
  return (
    <div class="tile">
      <div class="label">{label}</div>
      <div class={tone ? `figure ${tone}` : "figure"}>{value}</div>
      {note && <div class="quiet">{note}</div>}
    </div>
  );
}

export const Tiles = ({ children }: { children: ComponentChildren }) => <div class="tiles">{children}</div>;

export function Badge({ tone, children }: { tone: "slm" | "llm" | "good" | "warn" | "bad" | "plain"; children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

export const ServedBy = ({ server }: { server: "slm" | "llm" }) =>
  <Badge tone={server}>{server === "slm" ? "small model" : "LLM"}</Badge>;

export function VerdictBadge({ verdict }: { verdict: Verdict | null | undefined }) {
  if (!verdict) return <Badge tone="plain">not measured</Badge>;
  if (verdict === "convert") return <Badge tone="good">proven</Badge>;
  if (verdict === "needs_more_data") return <Badge tone="warn">needs more calls</Badge>;
  return <Badge tone="plain">stays on the LLM</Badge>;
}

// A share of something, as a bar behind its figure.
export function Share({ value, tone = "slm" }: { value: number; tone?: "slm" | "llm" }) {
  return (
    <div class="share">
      <span>{percent(value)}</span>
      <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" width="100" height="4" rx="2" />
        <rect class={`fill-${tone}`} width={Math.max(0, Math.min(100, 100 * value))} height="4" rx="2" />
      </svg>
    </div>
  );
}

// Agreement with its 95 % interval, on a scale that begins where the interval does, at a round figure below it.
export function Interval({ agreement, bound }: { agreement: Agreement; bound?: number }) {
  if (agreement.kept === 0) return <p class="quiet">The model keeps none of these {agreement.calls} calls.</p>;
  const from = Math.max(0, Math.min(0.8, Math.floor(agreement.lower * 20) / 20 - 0.05));
  const x = (rate: number) => 100 * Math.max(0, Math.min(1, (rate - from) / (1 - from)));
  return (
    <figure class="interval">
      <svg viewBox="0 0 100 10" preserveAspectRatio="none" role="img"
        aria-label={`agreement ${percent(agreement.rate)}, 95 % interval ${percent(agreement.lower)} to ${percent(agreement.upper)}`}>
        <rect class="track" y="3.5" width="100" height="3" />
        <rect class="fill-slm soft" x={x(agreement.lower)} y="2" width={Math.max(0.5, x(agreement.upper) - x(agreement.lower))} height="6" />
        {bound !== undefined && <rect class="bound" x={x(bound) - 0.2} y="0" width="0.4" height="10" />}
        <rect class="fill-slm" x={Math.min(99, x(agreement.rate) - 0.4)} y="0.5" width="0.9" height="9" />
      </svg>
      <figcaption class="scale"><span>{percent(from, 0)}</span>{bound !== undefined && <span class="needed">{percent(bound, 0)} is needed</span>}<span>100 %</span></figcaption>
    </figure>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <svg viewBox="0 0 48 48" aria-hidden="true"><path d="M13 12v13a11 11 0 0 0 22 0V12" /><circle cx="24" cy="43" r="1" /></svg>
      <h2>{title}</h2>
      {children && <p>{children}</p>}
    </div>
  );
}

export function Problem({ title = "This could not be read", message, hint, retry }: { title?: string; message: string; hint?: string | undefined; retry?: () => void }) {
  return (
    <div class="problem" role="alert">
      <strong>{title}</strong>
      <p>{message}</p>
      {hint && <p class="quiet">{hint}</p>}
      {retry && <button type="button" onClick={retry}>Try again</button>}
    </div>
  );
}

export function Loading() {
  return (
    <div class="loading" role="status">
      <span class="visually-hidden">Loading</span>
      <i /><i /><i />
    </div>
  );
}

// A resource's states: loading for the first time, failed, or there. What was shown stays while it is asked for again.
export function Await<T>({ of, children }: { of: Resource<T>; children: (data: T) => ComponentChildren }) {
  if (of.data !== undefined) {
    return <>{of.error && <Problem title="This may be out of date" message={of.error.message} hint={of.error.hint} retry={of.reload} />}{children(of.data)}</>;
  }
  if (of.error) return <Problem message={of.error.message} hint={of.error.hint} retry={of.reload} />;
  return <Loading />;
}

// On a phone a row's cells stand below each other, each with its column's name (style.css, `stack`).
function nameCells(place: HTMLElement) {
  const names = [...place.querySelectorAll("thead th")].map((head) => (head.querySelector(".visually-hidden") ? "" : head.textContent!.replace(" ↓", "")));
  for (const row of place.querySelectorAll("tbody tr")) [...row.children].forEach((cell, index) => cell.setAttribute("data-name", names[index] ?? ""));
}

// Wide tables scroll inside their card, by keyboard too; `grid`: cells mean nothing without their neighbours, so they stay side by side.
export function Scroll({ label, grid, children }: { label: string; grid?: boolean; children: ComponentChildren }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => { if (!grid) nameCells(place.current!); });
  return <div ref={place} class={grid ? "scroll" : "scroll stack"} tabIndex={0} role="region" aria-label={label}>{children}</div>;
}

// Words with `code` in them.
export const Worded = ({ text }: { text: string }) => <>{text.split("`").map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part))}</>;

export function Dialog({ title, open, onClose, children }: { title: string; open: boolean; onClose: () => void; children: ComponentChildren }) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    if (!dialog) return;
    if (open && !dialog.open) dialog.showModal();
    if (!open && dialog.open) dialog.close();
  }, [open]);
  return (
    <dialog ref={element} aria-label={title} onClose={onClose}>
      {open && <><h2>{title}</h2>{children}</>}
    </dialog>
  );
}

export function Field({ label, hint, ...input }: { label: string; hint?: string } & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <label class="field">
      <span>{label}</span>
      <input {...input} />
      {hint && <small class="quiet">{hint}</small>}
    </label>
  );
}

export function Facts({ rows }: { rows: [string, ComponentChildren][] }) {
  return <dl class="facts">{rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

export const Mark = () => <svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" /><path d="M9 8v9a7 7 0 0 0 14 0V8" /></svg>;

export const Code = ({ children }: { children: ComponentChildren }) => <code>{children}</code>;
