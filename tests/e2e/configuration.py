"""Writes understudy.toml for tests: the one place that knows the file's key names (examples/understudy.toml)."""

import json


def value(thing):
    if isinstance(thing, bool):
        return "true" if thing else "false"
    if isinstance(thing, (int, float)):
        return str(thing)
    if isinstance(thing, (list, tuple)):
        return "[" + ", ".join(value(entry) for entry in thing) + "]"
    return json.dumps(str(thing))


def table(name, entries):
    return "\n".join([name, *(f"{key} = {value(entry)}" for key, entry in entries.items()), ""])


def upstream(name, url, protocol="openai", **more):
    """`more`: connect_timeout_ms, first_byte_timeout_ms, idle_timeout_ms, total_timeout_ms, api_key_env, ca_file."""
    return {"name": name, "url": url, "protocol": protocol, **more}


def model(name, *targets, larger=""):
    """`targets`: "UPSTREAM" or "UPSTREAM/MODEL", tried in this order."""
    return {"name": name, "targets": list(targets), **({"larger": larger} if larger else {})}


def render(upstreams, models=(), retries=None, breaker=None, capture=None, **top):
    """The file's text. Retries are quick and plentiful here, so that a test sees them without waiting."""
    parts = [table("", {"listen": "127.0.0.1:0", "threads": 2, **top})]
    parts += [table("[[upstream]]", entry) for entry in upstreams]
    parts += [table("[[model]]", entry) for entry in models]
    parts.append(table("[retries]", {"attempts_max": 3, "budget_ratio": 1.0, "backoff_ms": 10, "backoff_ms_max": 50,
                                     **(retries or {})}))
    parts.append(table("[breaker]", {"failures": 5, "window_s": 30, "open_s": 10, **(breaker or {})}))
    if capture:
        parts.append(table("[capture]", capture))
    return "\n".join(parts)
