/** What the app makes of the durable engine's answers. Only one of them means that there is no such run. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { instancesOf, isActive } from "../../src/api/engine.ts";
import { clientOf } from "./durable-client.ts";

/** The engine: the last part of an instance's id says with which status it answers. */
let engine: Server;
let url: string;
beforeAll(async () => {
  engine = createServer((request, response) => {
    const [, status = "500"] = /-(\d{3})\b/.exec(request.url ?? "") ?? [];
    const [createdTime, lastUpdatedTime] = ["2026-11-27T07:00:00Z", "2026-11-27T07:00:01Z"];
    const known = { name: "n", instanceId: "i", runtimeStatus: "Running", input: null, output: null };
    const instance = { ...known, createdTime, lastUpdatedTime };
    response.statusCode = Number(status);
    response.setHeader("Content-Type", "application/json");
    response.end(status === "404" ? "" : JSON.stringify(status === "200" ? instance : { error: "HTTP 404" }));
  });
  await new Promise<void>((resolve) => engine.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(engine.address() as AddressInfo).port}/`;
});
afterAll(() => engine.close());

it("an instance that there is, and one that there is not", async () => {
  const client = clientOf(url);
  expect(await isActive(client, "run-200")).toBe(true);
  expect(await isActive(client, "run-404")).toBe(undefined);
  expect(await instancesOf(client, "app").get("run-404")).toBe(undefined);
});

it.each([
  ["refuses the connection, at a port that has 404 in it", "http://127.0.0.1:40404/", "run-200"],
  ["has an error with 404 in its words", undefined, "run-500"],
])("an engine that %s says nothing of the run", async (_what, base, id) => {
  const client = clientOf(base ?? url);
  await expect(isActive(client, id)).rejects.toThrow("404");
  await expect(instancesOf(client, "app").get(id)).rejects.toThrow("404");
});
