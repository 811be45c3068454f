// An orchestration that waits for timers, and writes down when its activities ran.
import { appendFileSync } from "node:fs";
import { app } from "@azure/functions";
import * as df from "durable-functions";

df.app.activity("note", {
  handler: ({ file, line }) => {
    appendFileSync(file, `${line}\n`);
    return line;
  },
});
let tries = 0;
df.app.activity("failsOnce", {
  handler: ({ file, line }) => {
    appendFileSync(file, `${line} ${tries}\n`);
    if (tries++ === 0) throw new Error("not yet");
    return line;
  },
});

df.app.orchestration("waits", function* (context) {
  const { file, times, milliseconds } = context.df.getInput();
  const lines = [];
  for (let time = 0; time < times; time++) {
    yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + milliseconds));
    lines.push(yield context.df.callActivity("note", { file, line: `note ${time}` }));
  }
  const retry = new df.RetryOptions(milliseconds, 3);
  lines.push(yield context.df.callActivityWithRetry("failsOnce", retry, { file, line: "retried" }));
  return lines;
});

app.http("start", {
  route: "orchestrators/{name}",
  methods: ["POST"],
  authLevel: "anonymous",
  extraInputs: [df.input.durableClient()],
  handler: async (request, context) => {
    const client = df.getClient(context);
    const id = await client.startNew(request.params.name, { input: await request.json() });
    return client.createCheckStatusResponse(request, id);
  },
});
