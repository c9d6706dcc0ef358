import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ask, ApiError, setToken, takeTokenFromAddress, token } from "./api";
import { startLive } from "./live";
import { Calls, OneCall } from "./pages/calls";
import { Keys } from "./pages/keys";
import { Login } from "./pages/login";
import { Models } from "./pages/models";
import { Overview } from "./pages/overview";
import { Routing } from "./pages/routing";
import { Settings, type Look } from "./pages/settings";
import { Task } from "./pages/task";
import { Tasks } from "./pages/tasks";
import { setMe } from "./session";
import type { Me } from "./types";
import { Empty, Loading, Mark, Page } from "./ui";
import "./style.css";

const places: [string, string, string][] = [
  ["", "Overview", "M4 13h4v7H4zM10 8h4v12h-4zM16 4h4v16h-4z"],
  ["tasks", "Tasks", "M7 4a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM17 9a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM10 15a3.2 3.2 0 1 1 0 6.4 3.2 3.2 0 0 1 0-6.4z"],
  ["models", "Models", "M12 3l8 4.5v9L12 21l-8-4.5v-9zM12 12l8-4.5M12 12v9M12 12L4 7.500"],
  ["routing", "Routing", "M4 12h5l4-6h7M13 18h7M9 12l4 6M17 3l3 3-3 3M17 15l3 3-3 3"],
  ["calls", "Calls", "M5 5h14v10H9l-4 4zM8 9h8M8 12h5"],
  ["keys", "Keys", "M8 11a4 4 0 1 1 3.500 3.900L10 17H8v2H5v-3l4-4zM14.500 9.500h.01"],
  ["settings", "Settings", "M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4"],
];

function useAddress() {
  const read = () => location.hash.replace(/^#\/?/, "");
  const [address, setAddress] = useState(read);
  useEffect(() => {
    const changed = () => { setAddress(read()); scrollTo(0, 0); };
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return address;
}

const themes = ["auto", "light", "dark"] as const;
type Theme = (typeof themes)[number];

function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState<Theme>(() => (localStorage.getItem("understudy-theme") as Theme | null) ?? "auto");
  useEffect(() => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    localStorage.setItem("understudy-theme", theme);
  }, [theme]);
  return [theme, () => setTheme(themes[(themes.indexOf(theme) + 1) % themes.length]!)];
}

function Current({ address, look }: { address: string; look: Look }) {
  const [path = "", query = ""] = address.split("?");
  const [place = "", id] = path.split("/").map(decodeURIComponent);
  switch (place) {
    case "": return <Overview />;
    case "tasks": return id ? <Task key={id} id={id} /> : <Tasks />;
    case "models": return <Models />;
    case "routing": return <Routing />;
    case "calls": return id ? <OneCall key={id} id={id} /> : <Calls query={new URLSearchParams(query)} />;
    case "keys": return <Keys />;
    case "settings": return <Settings look={look} />;
    default: return <Page title="Not here"><Empty title="There is no such page"><a href="#/">Go to the overview</a></Empty></Page>;
  }
}

function Frame({ me, leave }: { me: Me; leave: () => void }) {
  const address = useAddress();
  const place = address.split(/[/?]/)[0] ?? "";
  const [connected, setConnected] = useState(true);
  const [theme, nextTheme] = useTheme();
  useEffect(() => startLive(setConnected), []);
  return (
    <div class="frame">
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById("main")?.focus(); }}>Skip to the content</a>
      <nav aria-label="Pages"><div class="nav-inner">
        <a class="brand" href="#/" aria-label="Understudy, overview"><Mark /><span>Understudy</span></a>
        <ul>
          {places.map(([path, name, icon]) => (
            <li key={path}><a href={`#/${path}`} aria-current={path === place ? "page" : undefined}><svg viewBox="0 0 24 24" aria-hidden="true"><path d={icon} /></svg><span>{name}</span></a></li>
          ))}
        </ul>
        <div class="nav-foot">
          <span class={connected ? "live" : "live off"}><i aria-hidden="true" />{connected ? "live" : "not connected"}</span>
          <button type="button" class="plain" onClick={nextTheme}>theme: {theme}</button>
          <button type="button" class="plain" onClick={leave} title={me.roles.join(", ")}>{me.name}: leave</button>
        </div>
      </div></nav>
      <main id="main" tabIndex={-1}>
        {!connected && <p class="banner" role="alert"><b>Not connected.</b> The console does not answer; this page shows what it knew and asks again by itself.</p>}
        <Current address={address} look={{ theme, nextTheme, leave }} />
      </main>
    </div>
  );
}

function App() {
  const [who, setWho] = useState<Me | null>(null);
  const [problem, setProblem] = useState<ApiError>();
  const [asking, setAsking] = useState(Boolean(token()));
  const enter = async () => {
    setAsking(true);
    setProblem(undefined);
    try {
      const me = await ask<Me>("/api/me");
      setMe(me);
      setWho(me);
    } catch (error) {
      const failed = error as ApiError;
      if (failed.status === 401) setToken("");
      setProblem(failed);
    } finally {
      setAsking(false);
    }
  };
  useEffect(() => { if (token()) void enter(); }, []);
  if (who) return <Frame me={who} leave={() => { setToken(""); setMe(null); setWho(null); }} />;
  if (asking) return <main class="login"><Loading /></main>;
  return <Login problem={problem} enter={(text) => { setToken(text); void enter(); }} />;
}

takeTokenFromAddress();
render(<App />, document.getElementById("app")!);
