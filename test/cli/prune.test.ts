/** `site-backup prune`: what it asks of the app. */
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listen } from "../harness/listen.ts";
import { here } from "./here.ts";

let app: Server;
let url: string;
let asked: [string | undefined, unknown][] = [];
beforeAll(async () => {
  app = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      asked.push([request.url, JSON.parse(body)]);
      response.writeHead(409, { "Content-Type": "application/problem+json" });
      response.end(JSON.stringify({ detail: "Not now." }));
    });
  });
  url = await listen(app);
});
afterAll(() => {
  app.close();
});

describe("prune", () => {
  it("passes on what is to be kept, where, and whether it is only a trial", async () => {
    asked = [];
    const keep = [
      "--keep-daily",
      "7",
      "--keep-last",
      "0",
      "--keep-yearly",
      "unlimited",
      "--keep-within",
      "1y2m",
    ];
    const place = ["--container", "www", "--prefix", "a/b", "--dry-run"];
    const { code, stderr } = await here(["prune", ...keep, ...place, "--url", url]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "Not now.\n" });
    const body = {
      container: "www",
      prefix: "a/b",
      keepLast: 0,
      keepDaily: 7,
      keepYearly: "unlimited",
      keepWithin: "1y2m",
      dryRun: true,
    };
    expect(asked).toEqual([["/orchestrators/pruneBackups", body]]);
  });

  it.each([
    [["prune"], /--keep-daily 7/],
    [["prune", "--keep-last", "0"], /--keep-daily 7/],
    [["prune", "--keep-daily", "-1"], /--keep-daily .*"unlimited".*"-1"/],
    [["prune", "--keep-last", "many"], /--keep-last .*"unlimited".*"many"/],
  ])("%j: says what is wrong, and asks for nothing", async (args, message) => {
    asked = [];
    const { code, stderr } = await here([...args, "--url", url]);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(asked).toEqual([]);
  });
});
