import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startLocalHost } from "../harness/local-host.ts";
import type { LocalHostProcess } from "../harness/local-host.ts";

let host: LocalHostProcess;
beforeAll(async () => {
  const app = fileURLToPath(new URL("fixtures/stream-app", import.meta.url));
  host = await startLocalHost({ app, connectionString: "none" });
});
afterAll(async () => {
  await host.stop();
});

it("streams requests and answers, part by part", async () => {
  const response = await fetch(`${host.url}/count/bytes`, { method: "POST", body: "x".repeat(300_000) });
  expect([response.status, response.headers.get("x-streamed")]).toEqual([202, "yes"]);
  let text = "";
  for await (const part of response.body ?? []) {
    text += Buffer.from(part).toString();
    if (text === "bytes ") await fetch(`${host.url}/received`);
  }
  expect(text).toBe("bytes 300000");
});

it("gives the app the query's parameters and the route's as its params, and no key", async () => {
  const answer = await fetch(`${host.url}/params/of-route?word=of-query&other=a%20b&code=KEY`);
  expect(await answer.json()).toEqual({ word: "of-route", other: "a b" });
});

it("answers 500 when the function throws", async () => {
  expect((await fetch(`${host.url}/throws`)).status).toBe(500);
});
