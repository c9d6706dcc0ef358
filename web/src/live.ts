// What a page reads, kept current: it is asked for again when one of the page's topics changed on the disk.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ask, ApiError, listen, type Stamps } from "./api";

type Topic = "log" | "tasks" | "policy" | "models" | "access" | "audit";

let stamps: Stamps = {};
const watchers = new Set<(changed: string[]) => void>();

export function startLive(onState: (connected: boolean) => void): () => void {
  return listen((fresh) => {
    const changed = Object.keys(fresh).filter((topic) => stamps[topic] !== undefined && stamps[topic] !== fresh[topic]);
    stamps = fresh;
    if (changed.length) for (const watcher of [...watchers]) watcher(changed);
  }, onState);
}

export interface Resource<T> { data: T | undefined; error: ApiError | undefined; loading: boolean; reload: () => void }

export function useResource<T>(path: string | null, topics: Topic[] = []): Resource<T> {
  const [state, setState] = useState<{ path: string | null; data?: T; error?: ApiError }>({ path });
  const [loading, setLoading] = useState(path !== null);
  const turn = useRef(0);
  const load = useCallback(async () => {
    if (path === null) return;
    const mine = ++turn.current;
    setLoading(true);
    try {
      const data = await ask<T>(path);
      if (mine === turn.current) setState({ path, data });
    } catch (error) {
      if (mine === turn.current) setState((before) => ({ ...(before.path === path ? before : {}), path, error: error as ApiError }));
    } finally {
      if (mine === turn.current) setLoading(false);
    }
  }, [path]);
  useEffect(() => void load(), [load]);
  const key = topics.join();
  useEffect(() => {
    if (!key) return;
    const watcher = (changed: string[]) => { if (changed.some((topic) => key.split(",").includes(topic))) void load(); };
    watchers.add(watcher);
    return () => void watchers.delete(watcher);
  }, [load, key]);
  const current = state.path === path;
  return { data: current ? state.data : undefined, error: current ? state.error : undefined, loading, reload: () => void load() };
}
