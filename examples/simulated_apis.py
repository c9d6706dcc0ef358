"""The five APIs that the SIMULATED LLM speaks: requests in, answers and streams out, each in the form of its API.

Every class has the same four functions. An answer is (chat message, finish reason, usage) whatever the API; a stream
is a list of frames.
"""

import base64
import dataclasses
import json
import re
import struct
import time

from simulated_script import text_of, tokens_in

PIECE = re.compile(r"\s*\S+\s*?|\s+$")  # a word with the space before it: what a token looks like


@dataclasses.dataclass
class Frame:
    """One server-sent event. `event` is empty where the API names none; `data` is text or a JSON value."""
    data: object
    event: str = ""
    is_piece: bool = False     # carries a part of the answer
    is_end: bool = False       # the end mark: [DONE], message_stop, response.completed
    is_finish: bool = False    # says why the answer ended


def pieces(text):
    return [text[match.start():match.end()] for match in PIECE.finditer(text)] if text else []


def slices(text, size=12):
    return [text[start:start + size] for start in range(0, len(text), size)]


def unix_time():
    return int(time.time())


class Chat:
    path = "/v1/chat/completions"
    required = "messages"

    @staticmethod
    def to_chat(request):
        chat = dict(request)
        if request.get("max_completion_tokens"):
            chat["max_tokens"] = request["max_completion_tokens"]
        chat.pop("thinking", None)
        return chat

    @staticmethod
    def logprobs(request, text):
        if not request.get("logprobs"):
            return None
        entries = [{"token": word, "logprob": -0.25, "bytes": list(word.encode()), "top_logprobs": [
            {"token": word, "logprob": -0.25, "bytes": list(word.encode())}][:request.get("top_logprobs", 0)]}
            for word in pieces(text or "")]
        return {"content": entries, "refusal": None}

    @classmethod
    def body(cls, request, answered, call_id, model):
        message, finish, usage = answered
        shown = {key: value for key, value in message.items() if key != "thinking"}
        body = {"id": "chatcmpl-" + call_id, "object": "chat.completion", "created": unix_time(), "model": model,
                "choices": [{"index": index, "message": {**shown, "refusal": None},
                             "logprobs": cls.logprobs(request, message.get("content")), "finish_reason": finish}
                            for index in range(request.get("n") or 1)],
                "service_tier": "default", "system_fingerprint": "fp_simulated"}
        return {**body, "usage": usage} if usage else body

    @classmethod
    def frames(cls, request, answered, call_id, model):
        message, finish, usage = answered
        wants_usage = (request.get("stream_options") or {}).get("include_usage") and usage
        base = {"id": "chatcmpl-" + call_id, "object": "chat.completion.chunk", "created": unix_time(), "model": model,
                "system_fingerprint": "fp_simulated"}

        def frame(choices, usage=None, **marks):
            extra = {"usage": usage} if wants_usage else {}
            return Frame({**base, "choices": choices, **extra, "obfuscation": "xYz9"}, **marks)
        frames = []
        for index in range(request.get("n") or 1):
            for number, delta in enumerate(chat_deltas(message)):
                choice = {"index": index, "delta": delta, "finish_reason": None}
                if delta.get("content") and request.get("logprobs"):
                    choice["logprobs"] = cls.logprobs(request, delta["content"])
                frames.append(frame([choice], is_piece=number > 0))
            frames.append(frame([{"index": index, "delta": {}, "finish_reason": finish}], is_finish=True))
        if wants_usage:
            frames.append(frame([], usage, is_finish=True))
        return [*frames, Frame("[DONE]", is_end=True)]

    @staticmethod
    def error(message, kind, code=None, status=400):
        return {"error": {"message": message, "type": kind, "param": None, "code": code}}

    @classmethod
    def error_frame(cls, message):
        return Frame(cls.error(message, "server_error", "server_error"))


def chat_deltas(message):
    """The role, then the words of the text, then each tool call's pieces."""
    text = message.get("content") or ""
    yield {"role": "assistant", "content": "" if text or not message.get("tool_calls") else None}
    for word in pieces(text):
        yield {"content": word}
    for index, call in enumerate(message.get("tool_calls") or []):
        function = call["function"]
        yield {"tool_calls": [{"index": index, "id": call.get("id"), "type": "function",
                               "function": {"name": function["name"], "arguments": ""}}]}
        for part in slices(function["arguments"]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": part}}]}


class Completions(Chat):
    path = "/v1/completions"
    required = "prompt"

    @staticmethod
    def to_chat(request):
        prompt = request["prompt"] if isinstance(request["prompt"], str) else json.dumps(request["prompt"])
        return {"messages": [{"role": "user", "content": prompt}], "max_tokens": request.get("max_tokens")}

    @classmethod
    def body(cls, request, answered, call_id, model):
        message, finish, usage = answered
        body = {"id": "cmpl-" + call_id, "object": "text_completion", "created": unix_time(), "model": model,
                "choices": [{"text": message.get("content") or "", "index": 0, "logprobs": None,
                             "finish_reason": finish}]}
        return {**body, "usage": usage} if usage else body

    @classmethod
    def frames(cls, request, answered, call_id, model):
        message, finish, _ = answered
        base = {"id": "cmpl-" + call_id, "object": "text_completion", "created": unix_time(), "model": model}

        def frame(text, reason, **marks):
            return Frame({**base, "choices": [{"text": text, "index": 0, "logprobs": None, "finish_reason": reason}]},
                         **marks)
        return [*(frame(word, None, is_piece=True) for word in pieces(message.get("content"))),
                frame("", finish, is_finish=True), Frame("[DONE]", is_end=True)]


class Embeddings(Chat):
    path = "/v1/embeddings"
    required = "input"

    @staticmethod
    def to_chat(request):
        return {"messages": [{"role": "user", "content": json.dumps(request["input"])}]}

    @classmethod
    def body(cls, request, answered, call_id, model):
        inputs = request["input"] if isinstance(request["input"], list) else [request["input"]]
        data = []
        for index, text in enumerate(inputs):
            vector = [len(str(text)) / 64, 0.5, -0.25, index]
            if request.get("encoding_format") == "base64":
                vector = base64.b64encode(struct.pack("<4f", *vector)).decode()
            data.append({"object": "embedding", "index": index, "embedding": vector})
        tokens = sum(tokens_in(str(text)) for text in inputs)
        return {"object": "list", "data": data, "model": model,
                "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}


class Responses:
    path = "/v1/responses"
    required = "input"

    @staticmethod
    def to_chat(request):
        messages = []
        if request.get("instructions"):
            messages.append({"role": "system", "content": request["instructions"]})
        items = request["input"]
        for item in [{"role": "user", "content": items}] if isinstance(items, str) else items:
            if item.get("type") == "function_call":
                messages.append({"role": "assistant", "content": None, "tool_calls": [
                    {"id": item["call_id"], "type": "function",
                     "function": {"name": item["name"], "arguments": item["arguments"]}}]})
            elif item.get("type") == "function_call_output":
                messages.append({"role": "tool", "tool_call_id": item["call_id"], "content": text_of(item["output"])})
            elif "role" in item:
                messages.append({"role": item["role"], "content": text_of(item.get("content"))})
        chat = {"messages": messages, "max_tokens": request.get("max_output_tokens")}
        chat["tools"] = [{"type": "function", "function": {key: tool.get(key) for key in (
            "name", "description", "parameters")}} for tool in request.get("tools") or []
            if tool.get("type") == "function"]
        choice = request.get("tool_choice")
        chat["tool_choice"] = {"function": choice} if isinstance(choice, dict) else choice
        form = (request.get("text") or {}).get("format") or {}
        if form.get("type") == "json_schema":
            chat["response_format"] = {"type": "json_schema", "json_schema": form}
        return chat

    @staticmethod
    def items(message, call_id):
        items = []
        if message.get("content") is not None:
            items.append({"type": "message", "id": "msg_" + call_id, "status": "completed", "role": "assistant",
                          "content": [{"type": "output_text", "text": message["content"], "annotations": []}]})
        for number, call in enumerate(message.get("tool_calls") or []):
            items.append({"type": "function_call", "id": f"fc_{call_id}_{number}", "call_id": call["id"],
                          "name": call["function"]["name"], "arguments": call["function"]["arguments"],
                          "status": "completed"})
        return items

    @classmethod
    def body(cls, request, answered, call_id, model):
        message, finish, usage = answered
        cut = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(finish)
        body = {"id": "resp_" + call_id, "object": "response", "created_at": unix_time(),
                "status": "incomplete" if cut else "completed", "background": False, "error": None,
                "incomplete_details": {"reason": cut} if cut else None, "instructions": request.get("instructions"),
                "model": model, "output": cls.items(message, call_id), "parallel_tool_calls": True,
                "temperature": 1.0, "tool_choice": request.get("tool_choice") or "auto",
                "tools": request.get("tools") or [], "top_p": 1.0, "metadata": request.get("metadata") or {}}
        if usage:
            body["usage"] = {"input_tokens": usage["prompt_tokens"], "input_tokens_details": {"cached_tokens": 3},
                             "output_tokens": usage["completion_tokens"],
                             "output_tokens_details": {"reasoning_tokens": 0},
                             "total_tokens": usage["prompt_tokens"] + usage["completion_tokens"]}
        return body

    @classmethod
    def frames(cls, request, answered, call_id, model):
        whole = cls.body(request, answered, call_id, model)
        begun = {**whole, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
        events = [("response.created", {"response": begun}, {}), ("response.in_progress", {"response": begun}, {})]
        for index, item in enumerate(whole["output"]):
            at = {"output_index": index, "item_id": item["id"]}
            if item["type"] == "message":
                text, part = item["content"][0]["text"], {"type": "output_text", "text": "", "annotations": []}
                inside = {**at, "content_index": 0}
                events.append(("response.output_item.added", {"output_index": index, "item": {
                    **item, "status": "in_progress", "content": []}}, {}))
                events.append(("response.content_part.added", {**inside, "part": part}, {}))
                events += [("response.output_text.delta", {**inside, "delta": word, "logprobs": [],
                                                           "obfuscation": "aB3"}, {"is_piece": True})
                           for word in pieces(text)]
                events.append(("response.output_text.done", {**inside, "text": text, "logprobs": []}, {}))
                events.append(("response.content_part.done", {**inside, "part": item["content"][0]}, {}))
            else:
                events.append(("response.output_item.added", {"output_index": index, "item": {
                    **item, "status": "in_progress", "arguments": ""}}, {}))
                events += [("response.function_call_arguments.delta", {**at, "delta": part}, {"is_piece": True})
                           for part in slices(item["arguments"])]
                events.append(("response.function_call_arguments.done",
                               {**at, "name": item["name"], "arguments": item["arguments"]}, {}))
            events.append(("response.output_item.done", {"output_index": index, "item": item}, {}))
        events.append((f"response.{whole['status']}", {"response": whole}, {"is_end": True}))
        return [Frame({"type": name, "sequence_number": number, **data}, event=name, **marks)
                for number, (name, data, marks) in enumerate(events)]

    error = Chat.error

    @staticmethod
    def error_frame(message):
        return Frame({"type": "error", "sequence_number": 99, "code": "server_error", "message": message,
                      "param": None}, event="error")


class Messages:
    path = "/v1/messages"
    required = "messages"

    @staticmethod
    def to_chat(request):
        messages = []
        if request.get("system"):
            messages.append({"role": "system", "content": text_of(request["system"])})
        for message in request["messages"]:
            content = message.get("content")
            blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
            for block in blocks:
                if block.get("type") == "tool_result":
                    messages.append({"role": "tool", "tool_call_id": block["tool_use_id"],
                                     "content": text_of(block.get("content"))})
            calls = [{"id": block["id"], "type": "function", "function": {
                "name": block["name"], "arguments": json.dumps(block["input"])}}
                for block in blocks if block.get("type") == "tool_use"]
            text = "".join(block["text"] for block in blocks if block.get("type") == "text")
            if text or calls:
                messages.append({"role": message["role"], "content": text,
                                 **({"tool_calls": calls} if calls else {})})
        chat = {"messages": messages, "max_tokens": request.get("max_tokens"),
                "thinking": (request.get("thinking") or {}).get("type") in ("enabled", "adaptive")}
        chat["tools"] = [{"type": "function", "function": {
            "name": tool["name"], "description": tool.get("description"), "parameters": tool.get("input_schema")}}
            for tool in request.get("tools") or []]
        choice = request.get("tool_choice") or {}
        chat["tool_choice"] = {"function": {"name": choice["name"]}} if choice.get("type") == "tool" else (
            "none" if choice.get("type") == "none" else "auto")
        return chat

    @staticmethod
    def blocks(message):
        blocks = []
        if message.get("thinking"):
            blocks.append({"type": "thinking", "thinking": message["thinking"]["text"],
                           "signature": message["thinking"]["signature"]})
        if message.get("content"):
            blocks.append({"type": "text", "text": message["content"]})
        for call in message.get("tool_calls") or []:
            blocks.append({"type": "tool_use", "id": call["id"].replace("call_", "toolu_"),
                           "name": call["function"]["name"], "input": json.loads(call["function"]["arguments"])})
        return blocks

    @classmethod
    def body(cls, request, answered, call_id, model):
        message, finish, usage = answered
        stop = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
        return {"id": "msg_" + call_id, "type": "message", "role": "assistant", "model": model,
                "content": cls.blocks(message), "stop_reason": stop[finish], "stop_sequence": None,
                "usage": {"input_tokens": (usage or {}).get("prompt_tokens", 0), "cache_creation_input_tokens": 0,
                          "cache_read_input_tokens": 3, "output_tokens": (usage or {}).get("completion_tokens", 0),
                          "service_tier": "standard"}}

    @classmethod
    def frames(cls, request, answered, call_id, model):
        whole = cls.body(request, answered, call_id, model)
        begun = {**whole, "content": [], "stop_reason": None, "usage": {**whole["usage"], "output_tokens": 1}}
        events = [("message_start", {"message": begun}, {})]
        for index, block in enumerate(whole["content"]):
            empty = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}, "tool_use": {"input": {}}}
            events.append(("content_block_start", {"index": index, "content_block": {
                **block, **empty[block["type"]]}}, {}))
            if index == 0:
                events.append(("ping", {}, {}))
            if block["type"] == "text":
                deltas = [{"type": "text_delta", "text": word} for word in pieces(block["text"])]
            elif block["type"] == "thinking":
                deltas = [{"type": "thinking_delta", "thinking": word} for word in pieces(block["thinking"])]
                deltas.append({"type": "signature_delta", "signature": block["signature"]})
            else:
                deltas = [{"type": "input_json_delta", "partial_json": part}
                          for part in ["", *slices(json.dumps(block["input"], ensure_ascii=False))]]
            events += [("content_block_delta", {"index": index, "delta": delta}, {"is_piece": True})
                       for delta in deltas]
            events.append(("content_block_stop", {"index": index}, {}))
        events.append(("message_delta", {
            "delta": {"stop_reason": whole["stop_reason"], "stop_sequence": None},
            "usage": {"output_tokens": whole["usage"]["output_tokens"]}}, {"is_finish": True}))
        events.append(("message_stop", {}, {"is_end": True}))
        return [Frame({"type": name, **data}, event=name, **marks) for name, data, marks in events]

    @staticmethod
    def error(message, kind, code=None, status=400):
        kinds = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error",
                 404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error", 529: "overloaded_error"}
        return {"type": "error", "error": {"type": kinds.get(status, "api_error"), "message": message},
                "request_id": "req_simulated"}

    @classmethod
    def error_frame(cls, message):
        return Frame(cls.error(message, "api_error", status=500), event="error")


APIS = (Chat, Completions, Embeddings, Responses, Messages)
