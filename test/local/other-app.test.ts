/** An app that wants more than the local host does: it is told so, and what can be served is. */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { begin, ended, instanceUrl } from "./durable-helpers.ts";

let host: LocalHostProcess;
beforeAll(async () => {
  const app = fileURLToPath(new URL("fixtures/other-app", import.meta.url));
  host = await startLocalHost({ app, connectionString: "none", env: { HUB_NAME: "OfOthers" } });
});
afterAll(() => host?.stop());

describe("at start", () => {
  it.each([
    /'fromQueue' .*queueTrigger/,
    /'counter' .*entityTrigger/,
    /schedule .*'never'/,
    /'toBlob' .*output .*'blob'/,
    /'readsBlob' .*input .*'blob'/,
    /'returnsToQueue' .*output .*'queue'/,
  ])("says: %s", (words) => {
    expect(host.logs()).toMatch(words);
  });

  it("lists what runs, says on which Node, and offers a call that fits any app", () => {
    const [, functions = ""] = host.logs().split("Functions:");
    expect(functions).toContain("storesBlob: orchestrationTrigger");
    expect(functions.slice(0, functions.indexOf("To start one"))).not.toMatch(/fromQueue|counter/);
    expect(host.logs()).toContain(`Node.js ${process.version}`);
    expect(host.logs()).toMatch(/curl -i http:\/\/localhost:\d+\/orchestrators\/\w+ -H '[^']+' -d 'INPUT'/);
  });
});

it("an activity with an output binding fails in words: nothing is lost in silence", async () => {
  const status = await ended(host, await begin(host, "storesBlob"));
  expect(status.runtimeStatus).toBe("Failed");
  expect(status.output).toMatch(/output binding 'blob'/);
  expect((await fetch(`${host.url}/readsBlob`)).status).toBe(500);
});

describe("the management API", () => {
  let id: string;
  beforeAll(async () => {
    id = await begin(host, "waits");
  });

  it("answers HEAD as GET, without the body", async () => {
    const head = await fetch(instanceUrl(host, id), { method: "HEAD" });
    const get = await fetch(instanceUrl(host, id));
    expect([head.status, head.headers.get("retry-after")]).toEqual([202, "5"]);
    expect(head.headers.get("content-length")).toBe(get.headers.get("content-length"));
    expect((await fetch(instanceUrl(host, "nobody"), { method: "HEAD" })).status).toBe(404);
  });

  it.each([
    ["GET", "?taskHub=OfOthers&connection=Storage", 202, ""],
    ["GET", "?taskHub=ofothers&connection=AzureWebJobsStorage", 202, ""],
    ["GET", "?taskHub=Another", 404, "'OfOthers', not 'Another'"],
    ["POST", "/terminate?taskHub=Another", 404, "'Another'"],
    ["DELETE", "?taskHub=OfOthers&connection=Another", 400, "not 'Another'"],
  ])("%s %s answers %i", async (method, more, status, words) => {
    const answer = await fetch(instanceUrl(host, id, more), { method });
    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain(words);
  });
});
