/** The beginning of a run's id, where the app has more runs than it gives at a time. */
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { listen } from "../harness/listen.ts";
import { here } from "./here.ts";

const [newer, older, other] = ["a", "b", "c"].map((last) => `${"1".repeat(31)}${last}`);
const only = `2${"1".repeat(31)}`;

let app: Server;
let url: string;
let asked: string[] = [];
beforeAll(async () => {
  app = createServer(({ url = "" }, response) => {
    asked.push(url);
    const isNext = url.includes("continuation=next");
    const runs = (isNext ? [older, only] : [newer, other]).map((id) => ({ id }));
    if (url.startsWith("/backups?")) {
      response.end(JSON.stringify({ runs, ...(isNext ? {} : { continuation: "next" }) }));
      return;
    }
    response.writeHead(404, { "Content-Type": "application/problem+json" });
    response.end(JSON.stringify({ detail: "Not here." }));
  });
  url = await listen(app);
});
afterAll(() => {
  app.close();
});

it("is looked for among all runs", async () => {
  asked = [];
  await here(["show", "2111", "--url", url]);
  expect(asked.at(-1)).toMatch(`/backups/${only}`);
});

it("is refused where older runs have it, too", async () => {
  asked = [];
  const { code, stderr } = await here(["show", "1111", "--url", url]);
  expect(code).toBe(1);
  expect(stderr).toContain("3 runs");
  expect(asked.every((path) => path.startsWith("/backups?"))).toBe(true);
});
