// The third-party upstream `@copilotkit/aimock` with a few answers and faults; writes its port to argv[2] and serves
// until it is ended.
import { writeFileSync, renameSync } from "node:fs";
import { LLMock } from "@copilotkit/aimock";

const mock = new LLMock({ port: 0 });
mock.onMessage("cut me", { content: "one two three four five six seven eight nine ten" },
               { truncateAfterChunks: 5, latency: 15, chunkSize: 4 });
mock.onMessage("break off", { content: "one two three four five six seven eight nine ten" },
               { disconnectAfterMs: 60, latency: 30, chunkSize: 4 });
mock.onMessage("slow", { content: "a slow answer of several words" }, { streamingProfile: { ttft: 100, tps: 200 } });
mock.onMessage("weather", { toolCalls: [{ name: "get_weather", arguments: "{\"city\":\"Ulm\",\"days\":2}" }] });
mock.onMessage("limit", { error: { message: "Rate limited", type: "rate_limit_error" }, status: 429 });
mock.onMessage(/./, { content: "Hello from aimock – ü 🦊" });
await mock.start();
const port = new URL(mock.url).port;
writeFileSync(process.argv[2] + ".partial", port + "\n");
renameSync(process.argv[2] + ".partial", process.argv[2]);
process.on("SIGTERM", () => process.exit(0));
