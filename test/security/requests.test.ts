/** The app's own routes against bodies that would take its time or memory, and answers that a browser would guess at. */
import { request, type IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RecordsHost } from "../api/host.ts";

const MIB = 1024 * 1024;
const START = "/orchestrators/backupSiteContent";

let host: RecordsHost;
beforeAll(async () => {
  host = await RecordsHost.start();
});
afterAll(async () => {
  await host?.process.stop();
});

describe("bodies", () => {
  const root = JSON.stringify("/srv/www");
  const utf16 = Buffer.from(root, "utf16le");
  it.each([
    ["larger than 1 MiB", JSON.stringify("x".repeat(MIB)), {}, 413, /1048576 bytes/],
    [
      "larger than 1 MiB, for a route that takes none",
      " ".repeat(MIB + 1),
      {},
      413,
      /1 MiB/,
      "/backups/x/cancel",
    ],
    ["of a million brackets", "[".repeat(500_000) + "]".repeat(500_000), {}, 400, /\b16 levels/],
    ["of many levels of objects", '{"a":'.repeat(17) + "0" + "}".repeat(17), {}, 400, /\b16 levels/],
    [
      "compressed, and declared as such",
      gzipSync(root),
      { "content-encoding": "gzip" },
      415,
      /Content-Encoding: gzip/,
    ],
    ["compressed, and not declared", gzipSync(root), {}, 415, /compressed.*gzip/],
    ["UTF-16", utf16, {}, 400, /UTF-16.*UTF-8/],
    ["UTF-16 with a mark", Buffer.concat([Buffer.from([0xff, 0xfe]), utf16]), {}, 400, /is UTF-16/],
    ["big-endian UTF-16", Buffer.from(utf16).swap16(), {}, 400, /is UTF-16/],
    ["UTF-8 with a mark", Buffer.from('\ufeff"relative"'), {}, 400, /absolute path/],
    ["not encoded in words", '"relative"', { "content-encoding": "identity" }, 400, /absolute path/],
  ])("%s", async (_what, body, headers, status, detail, route = START) => {
    const answer = await host.fetch(route, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
    });
    expect(answer.json()).toMatchObject({ status, detail: expect.stringMatching(detail) as string });
  });
});

it("a body without a declared length is read no further than it may be", async () => {
  const endless = Readable.from(
    (function* () {
      for (;;) yield " ".repeat(65_536);
    })(),
  );
  const headers = { "content-type": "application/json" };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    endless.pipe(
      request(`${host.process.url}${START}`, { method: "POST", headers }, resolve).on("error", reject),
    );
  });
  endless.destroy();
  expect(answer.statusCode).toBe(413);
  answer.destroy();
});

it.each([
  ["POST", START],
  ["POST", "/orchestrators/none"],
  ["GET", "/backups"],
  ["GET", "/backups?limit=x"],
  ["GET", "/backups/none"],
  ["GET", "/backups/none/files"],
  ["GET", "/backups/none/tree"],
  ["GET", "/backups/none/content?path=a"],
  ["GET", "/backups/none/deleted"],
  ["POST", "/backups/none/cancel"],
  ["GET", "/openapi.json"],
  ["GET", "/dashboard"],
  ["GET", "/dashboard/"],
  ["GET", "/dashboard/0/none.js"],
])("no browser guesses what an answer to %s %s is", async (method, route) => {
  const answer = await host.fetch(route, { method, redirect: "manual" });
  expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
});

it("nor what the start of a run is", async () => {
  const answer = await host.fetch(START, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify("/none"),
  });
  expect(answer.status).toBe(202);
  expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
});
