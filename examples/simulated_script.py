"""What the SIMULATED LLM says when nobody scripted the request (mode `script`), and how it misbehaves on demand.

A model named `sim/...` carries its own faults: `sim/status=503,times=2` refuses twice and then answers,
`sim/tokens=60,cut=40` cuts its stream after 40 of 60 tokens. The keys stand in BEHAVIOUR. Because a gateway may
replace the model's name, each upstream of a test can be given another behaviour for the same call.
"""

import json

CHARACTERS_PER_TOKEN = 4

# key: (type, what it does). Frames are those that carry a piece of the answer; after 0 of them is before everything.
BEHAVIOUR = {
    "tag": (str, "nothing: makes a name of its own, with counters of its own"),
    "times": (int, "the fault is made for the first N requests of this model name only"),
    "flap": (int, "N requests fail, N are answered, and so on"),
    "status": (int, "an error answer with this status"),
    "retry_after": (float, "Retry-After of that error answer, in seconds"),
    "context_length": (int, "400, the prompt is longer than N tokens, in the API's own words"),
    "content_filter": (str, "`400`: refused before an answer; `finish`: the answer ends with content_filter"),
    "refuse_prefill": (int, "400 when the last message is the assistant's"),
    "reset": (int, "the connection is reset: before the head (0), or after the head (1)"),
    "silent": (int, "no answer at all: no head (0), or a head and nothing after it (1)"),
    "slow": (float, "seconds until the head"),
    "first_token": (float, "seconds between the head and the first frame"),
    "tokens": (int, "the answer has N words"),
    "pause_ms": (float, "between two frames"),
    "cut": (int, "the connection breaks after N frames (of a body: in the middle)"),
    "end": (int, "the stream ends cleanly after N frames, without finish reason and end mark"),
    "stall": (float, "seconds of silence in the middle"),
    "malformed": (int, "frame N is no JSON (of a body: the whole is none)"),
    "no_done": (int, "everything but the end mark"),
    "error_event": (int, "after N frames an error in the API's own form, then the end"),
    "vllm_error": (int, "after N frames {\"object\":\"error\"}, which no SDK knows as an error"),
    "newline": (str, "`crlf` or `cr` ends the lines of a stream"),
    "split": (int, "bytes per write, so that reads end inside characters and line ends"),
    "comments": (int, "a comment line before each frame"),
    "size": (int, "the answer's text has about N bytes"),
    "odd": (int, "unusual but valid JSON: spaces, escapes, unknown fields, repeated keys"),
    "no_usage": (int, "usage is not reported"),
    "garbage": (int, "bytes that are no HTTP"),
    "header_bytes": (int, "an answer header of N bytes"),
}


def parse_behaviour(model):
    """{key: value} of a model's name; {} for a name that is none of ours."""
    if not isinstance(model, str) or not model.startswith("sim/"):
        return {}
    behaviour = {}
    for part in filter(None, model[4:].split(",")):
        key, _, value = part.partition("=")
        if key in BEHAVIOUR:
            behaviour[key] = BEHAVIOUR[key][0](value or 0)
    return behaviour


def tokens_in(text):
    return max(1, len(text) // CHARACTERS_PER_TOKEN)


def text_of(content):
    """The text of a message's content, whatever its shape."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content or [] if isinstance(part, dict))


def instance_of(schema):
    """A value that a JSON schema allows; enough of the standard for tools and structured output."""
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: instance_of(part) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [instance_of(schema.get("items", {"type": "string"}))]
    return {"string": "Zürich", "integer": 7, "number": 2.5, "boolean": True, "null": None}.get(kind, "Zürich")


def chosen_tools(chat, text):
    """The tools that an answer to `text` calls: a forced one, every one if the text asks for it, else the first."""
    tools = [tool["function"] for tool in chat.get("tools") or []]
    choice = chat.get("tool_choice")
    if not tools or choice == "none" or "no tool" in text:
        return []
    if isinstance(choice, dict):
        wanted = choice.get("function", {}).get("name")
        return [tool for tool in tools if tool["name"] == wanted]
    return tools if "every tool" in text else tools[:1]


def scripted(chat, behaviour):
    """(message, finish reason, usage) for a chat-shaped request: a function of the request only."""
    messages = chat.get("messages") or [{}]
    last = messages[-1]
    text = text_of(last.get("content"))
    message = {"role": "assistant", "content": None}
    finish = "stop"
    tools = chosen_tools(chat, text) if last.get("role") != "tool" else []
    form = chat.get("response_format") or {}
    if tools:
        message["tool_calls"] = [
            {"id": f"call_{number}_{tool['name']}", "type": "function", "function": {
                "name": tool["name"], "arguments": json.dumps(instance_of(tool.get("parameters") or {}),
                                                              ensure_ascii=False)}}
            for number, tool in enumerate(tools)]
        finish = "tool_calls"
    elif form.get("type") == "json_schema":
        message["content"] = json.dumps(instance_of(form["json_schema"].get("schema") or {}), ensure_ascii=False)
    elif behaviour.get("tokens"):
        message["content"] = " ".join(f"w{number}" for number in range(behaviour["tokens"]))
    elif behaviour.get("size"):
        message["content"] = ("The quick brown fox jumps over the lazy dog; " * (behaviour["size"] // 45 + 1)
                              )[:behaviour["size"]]
    else:
        message["content"] = f"SIMULATED answer – to {last.get('role', 'nobody')}: {text[:2000]} 🦊"
    if chat.get("thinking"):
        message["thinking"] = {"text": "Let me think – about it.", "signature": "c2lnbmF0dXJlLW9mLXRoaW5raW5n=="}
    written = (message["content"] or "") + json.dumps(message.get("tool_calls") or "", ensure_ascii=False)
    limit = chat.get("max_tokens")
    if limit and not tools and tokens_in(written) > limit:
        message["content"] = written[:limit * CHARACTERS_PER_TOKEN]
        written, finish = message["content"], "length"
    if behaviour.get("content_filter") == "finish":
        message["content"], finish = (message["content"] or "")[:8], "content_filter"
    return message, finish, usage_of(chat, written)


def usage_of(chat, written):
    prompt = sum(tokens_in(json.dumps(part, ensure_ascii=False))
                 for part in (chat.get("messages") or []) + (chat.get("tools") or []))
    return {"prompt_tokens": prompt, "completion_tokens": tokens_in(written),
            "total_tokens": prompt + tokens_in(written)}
