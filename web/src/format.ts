// Numbers, money, times as people read them.

const whole = new Intl.NumberFormat("en-US");
const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

export const count = (value: number): string => whole.format(Math.round(value));
export const compact = (value: number): string => (Math.abs(value) < 10_000 ? count(value) : short.format(value));
export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`;

// As much of a share as was decided: "10 %", "12.5 %".
export const shortShare = (share: number): string => `${Number((100 * share).toFixed(1))} %`;

// Why a call was answered by whom, as the gateway names it.
const reasons: Record<string, string> = {
  low_confidence: "not sure enough", slm_error: "model failed", off: "switched off", audit: "audited", shadow: "in shadow",
  canary: "not in the canary", tool_loop: "inside a tool loop", slm_unsupported: "not for small models",
};
export const why = (reason: string): string => reasons[reason] ?? reason.replaceAll("_", " ");

export function usd(value: number): string {
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (size >= 1000) return `${sign}$${count(size)}`;
  if (size >= 0.1 || size === 0) return `${sign}$${size.toFixed(2)}`;
  if (size >= 0.01) return `${sign}$${size.toFixed(3)}`;
  return size < 0.00005 ? `${sign}<$0.0001` : `${sign}$${size.toFixed(4)}`;
}

export function bytes(value: number): string {
  for (const [unit, size] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]] as const) {
    if (value >= size) return `${(value / size).toFixed(value >= 10 * size ? 0 : 1)} ${unit}`;
  }
  return `${value} B`;
}

export function milliseconds(value: number): string {
  if (value >= 1000) return `${(value / 1000).toFixed(1)} s`;
  return value >= 10 ? `${Math.round(value)} ms` : `${value.toFixed(value >= 1 ? 1 : 2)} ms`;
}

const times = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const seconds = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });

// From ISO text, or from microseconds since 1970; "-" where the time is not known.
export function time(value: string | number | null | undefined, exact = false): string {
  if (!value || (typeof value === "string" && value.startsWith("1970-"))) return "–";
  const date = new Date(typeof value === "number" ? value / 1000 : value);
  return (exact ? seconds : times).format(date).replaceAll(" ", "\u00a0");
}

export function duration(span: number): string {
  if (span < 1) return "under 1 s";
  if (span < 120) return `${Math.round(span)} s`;
  if (span < 7200) return `${Math.round(span / 60)} min`;
  if (span < 172_800) return `${Math.round(span / 3600)} h`;
  return `${Math.round(span / 86_400)} days`;
}

// A span as short as it may be: "80 ms", "6.3 s", "12 min".
export const span = (value: number): string => (value < 10 ? milliseconds(1000 * value) : duration(value));

export const shortId = (id: string): string => (id.length > 14 ? `${id.slice(0, 8)}…${id.slice(-4)}` : id);

// As style.css draws the line for its stacked tables.
export const isPhone = (): boolean => window.innerWidth <= 640;
