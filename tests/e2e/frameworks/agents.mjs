// Agents of two frameworks, with nothing changed but the address: node agents.mjs BASE_URL. Says as JSON what they got.
import { createOpenAI } from "@ai-sdk/openai";
import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { generateText, streamText, stepCountIs, tool as aiTool } from "ai";
import { z } from "zod";

const baseURL = process.argv[2];
const model = "sim/tokens=12";
const input = z.object({ city: z.string() });
const seen = {};

// LangChain: an answer, a stream, and a loop with a tool.
const langchain = new ChatOpenAI({ model, apiKey: "sk-none", maxRetries: 0, configuration: { baseURL, defaultHeaders: { "x-understudy-session": "langchain" } } });
seen.langchain = (await langchain.invoke("Say something.")).text;
seen.langchain_stream = "";
for await (const chunk of await langchain.stream("Say something else.")) seen.langchain_stream += chunk.text;
const weather = tool(async ({ city }) => `sunny in ${city}`, { name: "weather", description: "the weather of a city", schema: input });
const withTool = langchain.bindTools([weather]);
const question = new HumanMessage("What is the weather in Oslo?");
const call = await withTool.invoke([question]);
seen.langchain_tool = call.tool_calls?.map((one) => one.name);
if (call.tool_calls?.length) {
  const result = await weather.invoke(call.tool_calls[0].args);
  seen.langchain_after_tool = (await withTool.invoke([question, call, new ToolMessage({ content: result, tool_call_id: call.tool_calls[0].id })])).text;
}

// The AI SDK: the same, its loop runs by itself.
const ai = createOpenAI({ baseURL, apiKey: "sk-none", headers: { "x-understudy-session": "ai-sdk" } }).chat(model);
seen.ai = (await generateText({ model: ai, prompt: "Say something.", maxRetries: 0 })).text;
seen.ai_stream = "";
for await (const part of streamText({ model: ai, prompt: "Say something else.", maxRetries: 0 }).textStream) seen.ai_stream += part;
const loop = await generateText({
  model: ai, prompt: "What is the weather in Oslo?", maxRetries: 0, stopWhen: stepCountIs(3),
  tools: { weather: aiTool({ description: "the weather of a city", inputSchema: input, execute: async ({ city }) => `sunny in ${city}` }) },
});
seen.ai_tool = loop.steps.flatMap((step) => step.toolCalls.map((one) => one.toolName));
seen.ai_after_tool = loop.text;
console.log(JSON.stringify(seen));
