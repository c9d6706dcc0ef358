// Talks to the console's JSON API. The token lives in this tab only and travels in a header, never in a cookie.

export class ApiError extends Error {
  constructor(readonly status: number, message: string, readonly hint: string) {
    super(message);
  }
}

const storageKey = "understudy-token";

// The address that `understudy console` printed brings the owner's token behind the '#', which is never sent anywhere.
export function takeTokenFromAddress(): void {
  const match = /^#token=([\w-]+)$/.exec(location.hash);
  if (!match) return;
  sessionStorage.setItem(storageKey, match[1]!);
  history.replaceState(null, "", "#/");
}

export const token = (): string => sessionStorage.getItem(storageKey) ?? "";
export function setToken(text: string): void {
  if (text) sessionStorage.setItem(storageKey, text);
  else sessionStorage.removeItem(storageKey);
}

async function errorOf(response: Response): Promise<ApiError> {
  let message = `the console answered ${response.status}`;
  let hint = "";
  try {
    const body = await response.json();
    message = body.error?.message ?? message;
    hint = body.error?.hint ?? "";
  } catch { /* no JSON: the status has to do */ }
  return new ApiError(response.status, message, hint);
}

export async function ask<T>(path: string, change?: { method: "POST" | "DELETE"; body?: unknown }): Promise<T> {
  const headers: Record<string, string> = { Authorization: `Bearer ${token()}` };
  if (change?.body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(path, {
      method: change?.method ?? "GET", headers, cache: "no-store",
      ...(change?.body === undefined ? {} : { body: JSON.stringify(change.body) }),
    });
  } catch {
    throw new ApiError(0, "the console does not answer", "Is `understudy console` still running?");
  }
  if (!response.ok) throw await errorOf(response);
  return response.json() as Promise<T>;
}

export type Stamps = Record<string, string>;

// Calls back at each change on the disk, for as long as the page lives; comes back after an interruption.
export function listen(onChange: (stamps: Stamps) => void, onState: (connected: boolean) => void): () => void {
  const stop = new AbortController();
  const once = async () => {
    const response = await fetch("/api/events", { headers: { Authorization: `Bearer ${token()}` }, signal: stop.signal });
    if (!response.ok || !response.body) throw await errorOf(response);
    onState(true);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ""; ;) {
      const { value, done } = await reader.read();
      if (done) return;
      rest += value;
      for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
        const data = /^data: (.*)$/m.exec(rest.slice(0, end));
        rest = rest.slice(end + 2);
        if (data) onChange(JSON.parse(data[1]!) as Stamps);
      }
    }
  };
  void (async () => {
    while (!stop.signal.aborted) {
      try {
        await once();
      } catch { /* it is tried again */ }
      onState(false);
      await new Promise((wake) => setTimeout(wake, 2000));
    }
  })();
  return () => stop.abort();
}
