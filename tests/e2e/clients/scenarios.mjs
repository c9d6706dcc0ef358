// Runs the scenarios of one client library and prints what the library gave back, as one JSON object
// {scenario: result}. The Python side judges; nothing is asserted here.
//   node CLIENT.mjs BASE_URL [MODEL [SCENARIO,...]]
// MODEL is what plain scenarios ask for (default "sim/"); scenarios that want a fault name their own.

export const tools = [
  { name: "get_weather", description: "The weather of a city",
    parameters: { type: "object", properties: { city: { type: "string" }, days: { type: "integer" } },
                  required: ["city"] } },
  { name: "find_order", description: "An order by its number",
    parameters: { type: "object", properties: { number: { type: "integer" }, open: { type: "boolean" } },
                  required: ["number"] } },
];

export const person = {
  type: "object", additionalProperties: false, required: ["name", "age"],
  properties: { name: { type: "string" }, age: { type: "integer" }, city: { type: "string", enum: ["Ulm", "Bonn"] } },
};

export function describe(error) {
  return { thrown: error?.constructor?.name ?? typeof error, status: error?.status ?? null, code: error?.code ?? null,
           type: error?.type ?? null, message: String(error?.message ?? error), request_id: error?.requestID ?? null,
           retry_after: error?.headers?.get?.("retry-after") ?? null };
}

// What was read of a stream, and how it ended.
export async function drain(stream, each) {
  const seen = { events: 0, error: null };
  try {
    for await (const event of stream) { seen.events += 1; each(event, seen); }
  } catch (error) { seen.error = describe(error); }
  return seen;
}

export async function run(scenarios) {
  const wanted = process.argv[4]?.split(",") ?? Object.keys(scenarios);
  const results = {};
  await Promise.all(wanted.map(async (name) => {
    const started = performance.now();
    try { results[name] = await scenarios[name](); } catch (error) { results[name] = { error: describe(error) }; }
    results[name].seconds = (performance.now() - started) / 1000;
  }));
  console.log(JSON.stringify(results));
  process.exit(0);  // idle keep-alive connections would hold the process for seconds
}
