// The real `openai` library; what each scenario must give stands in openai_client_test.py.
import OpenAI, { toFile } from "openai";
import { describe, drain, person, run, tools } from "./scenarios.mjs";

const [, , baseURL, model = "sim/"] = process.argv;
const client = new OpenAI({ baseURL, apiKey: process.env.OPENAI_API_KEY ?? "sk-test-client-key", maxRetries: 0 });
const functions = tools.map((tool) => ({ type: "function", function: tool }));
const flatFunctions = tools.map((tool) => ({ type: "function", strict: false, ...tool }));
const ask = (text, more = {}) => ({ model, messages: [
  { role: "system", content: "You are terse." }, { role: "user", content: text }], ...more });

// The library's id of our record, where the gateway gives one.
async function withCall(promise) {
  const { data, response, request_id } = await promise.withResponse();
  return { data, call: response.headers.get("x-understudy-call"), request_id,
           type: response.headers.get("content-type"), served_by: response.headers.get("x-understudy-served-by") };
}

async function readChat(request) {
  const { data: stream, response } = await client.chat.completions.create({ stream: true, ...request }).withResponse();
  const out = { call: response.headers.get("x-understudy-call"), content: "", tool_calls: [], finish: null, usage: null,
                logprobs: 0, empty_choices: 0, roles: [], choices: {} };
  const seen = await drain(stream, (chunk) => {
    if (chunk.usage) out.usage = chunk.usage;
    if (chunk.choices.length === 0) out.empty_choices += 1;
    for (const choice of chunk.choices) {
      out.choices[choice.index] = (out.choices[choice.index] ?? "") + (choice.delta.content ?? "");
      if (choice.index !== 0) continue;
      if (choice.delta.role) out.roles.push(choice.delta.role);
      out.content += choice.delta.content ?? "";
      out.logprobs += choice.logprobs?.content?.length ?? 0;
      for (const part of choice.delta.tool_calls ?? []) {
        const call = (out.tool_calls[part.index] ??= { id: part.id, name: part.function.name, arguments: "" });
        call.arguments += part.function.arguments ?? "";
      }
      if (choice.finish_reason) out.finish = choice.finish_reason;
    }
  });
  return { ...out, ...seen };
}

async function refused(status, more = "") {
  const request = { ...ask("hello"), model: `sim/status=${status}${more}` };
  const result = {};
  for (const stream of [false, true]) {
    try { await client.chat.completions.create({ ...request, stream }); result[stream] = { thrown: null }; }
    catch (error) { result[stream] = describe(error); }
  }
  return { plain: result[false], stream: result[true] };
}

async function abort(slow, afterEvents) {
  const controller = new AbortController();
  const request = { ...ask("hello"), model: slow, stream: true };
  const out = { events: 0 };
  if (afterEvents === 0) setTimeout(() => controller.abort(), 600);
  try {
    const stream = await client.chat.completions.create(request, { signal: controller.signal });
    for await (const _ of stream) if (++out.events === afterEvents) controller.abort();
  } catch (error) { out.error = describe(error); }
  return out;
}

run({
  async chat_plain() { return withCall(client.chat.completions.create(ask("Grüße 🦊 hello", { temperature: 0.5 }))); },
  async chat_stream() { return readChat(ask("stream this please – ok? 🦊")); },
  async chat_stream_usage() { return readChat(ask("count", { stream_options: { include_usage: true } })); },
  async chat_length() { return withCall(client.chat.completions.create(ask("x".repeat(400), { max_tokens: 5 }))); },
  async chat_n() { return withCall(client.chat.completions.create(ask("several", { n: 3 }))); },
  async chat_n_stream() { return readChat(ask("several", { n: 2 })); },
  async chat_logprobs() { return withCall(client.chat.completions.create(ask("p", { logprobs: true, top_logprobs: 1 }))); },
  async chat_logprobs_stream() { return readChat(ask("p", { logprobs: true })); },
  async chat_structured() {
    const answer = await withCall(client.chat.completions.create(ask("who?", { response_format: {
      type: "json_schema", json_schema: { name: "person", strict: true, schema: person } } })));
    return { ...answer, parsed: JSON.parse(answer.data.choices[0].message.content) };
  },
  async chat_tools() {  // two turns: the call, then its result
    const request = ask("weather please", { tools: functions });
    const first = await withCall(client.chat.completions.create(request));
    const call = first.data.choices[0].message.tool_calls[0];
    const second = await withCall(client.chat.completions.create({ ...request, messages: [...request.messages,
      first.data.choices[0].message, { role: "tool", tool_call_id: call.id, content: "{\"sun\": true}" }] }));
    return { first, second };
  },
  async chat_tools_stream() { return readChat(ask("use every tool", { tools: functions })); },
  async chat_tool_forced() {
    return withCall(client.chat.completions.create(ask("any", { tools: functions,
      tool_choice: { type: "function", function: { name: "find_order" } } })));
  },
  async chat_runner() {  // the library's own accumulator: throws on an incomplete stream
    const runner = client.chat.completions.stream(ask("accumulate", { tools: functions }));
    return { completion: await runner.finalChatCompletion() };
  },
  async completions() { return withCall(client.completions.create({ model, prompt: "Once upon", max_tokens: 50 })); },
  async completions_stream() {
    let text = "", finish = null;
    const stream = await client.completions.create({ model, prompt: "Once upon", stream: true });
    const seen = await drain(stream, (chunk) => { text += chunk.choices[0].text;
                                                  finish = chunk.choices[0].finish_reason ?? finish; });
    return { text, finish, ...seen };
  },
  async embeddings() { return withCall(client.embeddings.create({ model, input: ["one", "twenty two"] })); },
  async models() { return { ids: (await client.models.list()).data.map((entry) => entry.id) }; },
  async file_upload() {
    const content = new Uint8Array(70000).map((_, index) => index % 251);
    return { file: await client.files.create({ file: await toFile(content, "batch ü.jsonl"), purpose: "batch" }) };
  },
  async responses_plain() {
    return withCall(client.responses.create({ model, input: "say hello 🦊", instructions: "Be terse." }));
  },
  async responses_stream() {
    const out = { text: "", types: [], numbers: [], usage: null };
    const { data: stream, response } = await client.responses.create({ model, input: "stream it 🦊", stream: true })
      .withResponse();
    const seen = await drain(stream, (event) => {
      out.types.push(event.type); out.numbers.push(event.sequence_number);
      if (event.type === "response.output_text.delta") out.text += event.delta;
      if (event.type === "response.completed") out.usage = event.response.usage;
    });
    return { call: response.headers.get("x-understudy-call"), ...out, ...seen };
  },
  async responses_tools() {
    const first = await withCall(client.responses.create({ model, input: "weather", tools: flatFunctions }));
    const call = first.data.output.find((item) => item.type === "function_call");
    const second = await withCall(client.responses.create({ model, tools: flatFunctions, input: [
      { role: "user", content: "weather" }, call,
      { type: "function_call_output", call_id: call.call_id, output: "{\"sun\": true}" }] }));
    return { first, second };
  },
  async responses_tools_stream() {
    const stream = client.responses.stream({ model, input: "use every tool", tools: flatFunctions });
    return { response: await stream.finalResponse() };
  },
  async responses_structured() {
    return withCall(client.responses.create({ model, input: "who?", text: { format: {
      type: "json_schema", name: "person", strict: true, schema: person } } }));
  },
  async error_400() { return refused(400); },
  async error_401() { return refused(401); },
  async error_404() { return refused(404); },
  async error_429() { return refused(429, ",retry_after=7"); },
  async error_500() { return refused(500); },
  async error_in_stream() { return readChat({ ...ask("x"), model: "sim/tokens=20,error_event=8" }); },
  async stream_cut() { return readChat({ ...ask("x"), model: "sim/tokens=60,cut=40,pause_ms=1" }); },
  async responses_cut() {
    const types = [];
    const stream = await client.responses.create({ model: "sim/tokens=60,cut=40,pause_ms=1", input: "x", stream: true });
    return { ...await drain(stream, (event) => types.push(event.type)), last: types.at(-1), types };
  },
  async abort_before_first_token() { return abort("sim/slow=20,tag=abort-first", 0); },
  async abort_in_stream() { return abort("sim/tokens=200,pause_ms=20,tag=abort-stream", 3); },
});
