/** What the command line makes of what it is given, before it asks any app. */
import { closeSync, existsSync, openSync } from "node:fs";
import { createServer } from "node:http";
import { expect, it } from "vitest";
import { listen } from "../harness/listen.ts";
import { run, start } from "./command.ts";
import { here } from "./here.ts";

/** Nothing answers there: what is not refused fails otherwise. */
const env = { SITE_BACKUP_URL: "http://127.0.0.1:9" };

it.each([
  [["backup", ""], "<dir>"],
  [["backup", " \t"], "<dir>"],
  [["backup", "/srv", "--prefix", ""], "--prefix"],
  [["backup", "/srv", "--exclude", "a", "--exclude", ""], "--exclude"],
  [["restore", "latest", "--to", ""], "--to"],
  [["restore", "", "--to", "/srv"], "<run>"],
  [["restore", "--at", "2026-11-23", "--to", "/srv", "--root", " "], "--root"],
  [["runs", "--root", ""], "--root"],
  [["runs", "--url", ""], "--url"],
])("%j: an empty value is refused", async (args, name) => {
  const { code, stdout, stderr } = await here(args, { env });
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(new RegExp(`^${name} .*empty.*\\n$`));
});

it("an empty SITE_BACKUP_URL is not taken for the local host", async () => {
  const { code, stderr } = await here(["runs"], { env: { SITE_BACKUP_URL: "" } });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/^SITE_BACKUP_URL .*empty.*\n$/),
  });
});

it("a day begins at midnight of this machine, as with 00:00 written out; a zone wins", async () => {
  const since: (string | null)[] = [];
  const app = createServer(({ url = "" }, response) => {
    since.push(new URL(url, "http://app").searchParams.get("since"));
    response.end('{"runs":[]}');
  });
  const url = await listen(app);
  for (const time of ["2026-01-20", "2026-01-20 00:00", "2026-01-20T12:30:15Z", "2028-02-29 09:00"])
    await here(["runs", "--since", time, "--url", url], { env: { TZ: "America/New_York" } });
  app.close();
  expect(since).toEqual([
    "2026-01-20T05:00:00.000Z",
    "2026-01-20T05:00:00.000Z",
    "2026-01-20T12:30:15.000Z",
    "2028-02-29T14:00:00.000Z",
  ]);
});

it.each([
  ["2026-02-30", /^--at: .*no day 2026-02-30\b.*\n$/],
  ["2026-02-29 12:00", /^--at: .*no day 2026-02-29\b.*\n$/],
  ["2026-13-01", /^--at .*"2026-13-01".*\n$/],
  ["2026-11-23 25:00", /^--at .*"2026-11-23 25:00".*\n$/],
  ["1", /^--at .*"1".*\n$/],
])("--at %s is refused", async (at, message) => {
  const { code, stderr } = await here(["restore", "--at", at, "--to", "/srv"], { env });
  expect(code).toBe(1);
  expect(stderr).toMatch(message);
});

it.skipIf(!existsSync("/dev/full"))("output that cannot be written: one line, exit code 1", async () => {
  const full = openSync("/dev/full", "w");
  const { code, stderr } = await run(["completion", "bash"], { output: full });
  closeSync(full);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^.*\bENOSPC\b.*\n$/);
});

it("a reader that has seen enough: nothing is said", async () => {
  const { child, ended } = start(["completion", "bash"]);
  child.stdout?.destroy();
  expect(await ended).toMatchObject({ code: 0, stderr: "" });
});
