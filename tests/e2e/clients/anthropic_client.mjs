// The real `@anthropic-ai/sdk` library; what each scenario must give stands in anthropic_client_test.py.
import Anthropic from "@anthropic-ai/sdk";
import { describe, drain, run, tools } from "./scenarios.mjs";

const [, , baseURL, model = "sim/"] = process.argv;
const client = new Anthropic({ baseURL, apiKey: process.env.ANTHROPIC_API_KEY ?? "sk-ant-test-client-key",
                               maxRetries: 0 });
const anthropicTools = tools.map(({ name, description, parameters }) => ({ name, description, input_schema: parameters }));
const ask = (text, more = {}) => ({ model, max_tokens: 500, system: "You are terse.",
                                    messages: [{ role: "user", content: text }], ...more });

async function withCall(promise) {
  const { data, response } = await promise.withResponse();
  return { data, call: response.headers.get("x-understudy-call"), type: response.headers.get("content-type") };
}

async function readMessage(request) {
  const { data: stream, response } = await client.messages.create({ stream: true, ...request }).withResponse();
  const out = { call: response.headers.get("x-understudy-call"), types: [], text: "", thinking: "", signature: "",
                tools: [], stop: null, usage: null, input_tokens: null };
  const seen = await drain(stream, (event) => {
    out.types.push(event.type);
    if (event.type === "message_start") out.input_tokens = event.message.usage.input_tokens;
    if (event.type === "content_block_start" && event.content_block.type === "tool_use")
      out.tools[event.index] = { id: event.content_block.id, name: event.content_block.name, json: "" };
    if (event.type === "content_block_delta") {
      const delta = event.delta;
      out.text += delta.text ?? ""; out.thinking += delta.thinking ?? ""; out.signature += delta.signature ?? "";
      if (delta.type === "input_json_delta") out.tools[event.index].json += delta.partial_json;
    }
    if (event.type === "message_delta") { out.stop = event.delta.stop_reason; out.usage = event.usage; }
  });
  out.tools = out.tools.filter(Boolean);
  return { ...out, ...seen };
}

async function refused(status, more = "") {
  const result = {};
  for (const stream of [false, true]) {
    try { await client.messages.create({ ...ask("x"), model: `sim/status=${status}${more}`, stream });
          result[stream] = { thrown: null }; }
    catch (error) { result[stream] = { ...describe(error), body: error?.error ?? null }; }
  }
  return { plain: result[false], stream: result[true] };
}

async function abort(slow, afterEvents) {
  const controller = new AbortController();
  const out = { events: 0 };
  if (afterEvents === 0) setTimeout(() => controller.abort(), 600);
  try {
    const stream = await client.messages.create({ ...ask("x"), model: slow, stream: true }, { signal: controller.signal });
    for await (const _ of stream) if (++out.events === afterEvents) controller.abort();
  } catch (error) { out.error = describe(error); }
  return out;
}

run({
  async plain() { return withCall(client.messages.create(ask("Grüße 🦊 hello", { temperature: 0.5,
                                                                                metadata: { user_id: "user-7" } }))); },
  async stream() { return readMessage(ask("stream this please – ok? 🦊")); },
  async length() { return withCall(client.messages.create(ask("x".repeat(400), { max_tokens: 5 }))); },
  async blocks() {
    return withCall(client.messages.create(ask([{ type: "text", text: "look at " }, { type: "text", text: "this" }], {
      system: [{ type: "text", text: "Be terse.", cache_control: { type: "ephemeral" } }] })));
  },
  async tools() {
    const request = ask("weather please", { tools: anthropicTools });
    const first = await withCall(client.messages.create(request));
    const use = first.data.content.find((block) => block.type === "tool_use");
    const second = await withCall(client.messages.create({ ...request, messages: [...request.messages,
      { role: "assistant", content: first.data.content },
      { role: "user", content: [{ type: "tool_result", tool_use_id: use.id, content: "{\"sun\": true}" }] }] }));
    return { first, second };
  },
  async tools_stream() { return readMessage(ask("use every tool", { tools: anthropicTools })); },
  async tool_forced() {
    return withCall(client.messages.create(ask("any", { tools: anthropicTools,
                                                        tool_choice: { type: "tool", name: "find_order" } })));
  },
  async accumulate() {  // the library's own accumulator: throws on an unexpected order of events
    const stream = client.messages.stream(ask("accumulate", { tools: anthropicTools }));
    return { message: await stream.finalMessage() };
  },
  async thinking() {  // the block must be replayed verbatim in the second turn
    const request = ask("think", { max_tokens: 3000, thinking: { type: "enabled", budget_tokens: 1024 } });
    const first = await withCall(client.messages.create(request));
    const second = await withCall(client.messages.create({ ...request, messages: [...request.messages,
      { role: "assistant", content: first.data.content }, { role: "user", content: "and now?" }] }));
    return { first, second };
  },
  async thinking_stream() {
    return readMessage(ask("think", { max_tokens: 3000, thinking: { type: "enabled", budget_tokens: 1024 } }));
  },
  async count_tokens() { return client.messages.countTokens({ model, messages: [{ role: "user", content: "count" }] }); },
  async models() { return { ids: (await client.models.list()).data.map((entry) => entry.id) }; },
  async error_400() { return refused(400); },
  async error_401() { return refused(401); },
  async error_404() { return refused(404); },
  async error_429() { return refused(429, ",retry_after=7"); },
  async error_500() { return refused(500); },
  async error_529() { return refused(529); },
  async error_in_stream() { return readMessage({ ...ask("x"), model: "sim/tokens=20,error_event=8" }); },
  async stream_cut() { return readMessage({ ...ask("x"), model: "sim/tokens=60,cut=40,pause_ms=1" }); },
  async abort_before_first_token() { return abort("sim/slow=20,tag=abort-first", 0); },
  async abort_in_stream() { return abort("sim/tokens=200,pause_ms=20,tag=abort-stream", 3); },
});
