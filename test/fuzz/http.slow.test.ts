/**
 * Whatever comes over HTTP: an answer in time, never 500, a problem that says what is wrong, no secret in it; and the host
 * continues. What once broke it is in corpus/, and is sent first.
 */
import { readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { followRun, postBackup } from "../harness/run.ts";
import { makeFolder, makeTree } from "../harness/tree.ts";
import { fuzz } from "./fuzz.ts";
import type { RawRequest } from "./raw-request.ts";
import { contents, headers, queries, routes, starts } from "./requests.ts";
import { expectAlive, expectSound } from "./sound-answer.ts";

/** Requests of each kind; more by FUZZ_RUNS. */
const RUNS = 120;

interface Saved extends Omit<RawRequest, "headers"> {
  /** What it once broke, or could. */
  why: string;
  headers?: [string, string][];
  status: number;
}

const corpus = new URL("corpus/", import.meta.url);
const saved = readdirSync(corpus).flatMap(
  (name) => JSON.parse(readFileSync(new URL(name, corpus), "utf8")) as Saved[],
);

let host: LocalHostProcess;
let folder: string;
let root: string;
let run: string;

beforeAll(async () => {
  folder = await makeFolder("fuzz-http");
  root = await makeTree(path.join(folder, "root"), { "a.txt": "a", "b/c.txt": "c" });
  host = await startLocalHost({ entry: "build", env: { BACKUP_ROOTS: root, RESTORE_ROOTS: folder } });
  const { id, location } = await postBackup(host.url, { root, container: "fuzz" });
  await followRun(location);
  run = id;
});
afterEach(() => expectAlive(host));
afterAll(async () => {
  await host?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe("requests that are saved", () => {
  it.each(saved)("$why", async ({ method, target, headers: some = [], body, status }) => {
    const fill = (text: string) => text.replace("{run}", run).replace("{root}", root);
    const json: [string, string][] = body === undefined ? [] : [["Content-Type", "application/json"]];
    const answer = await expectSound(host, {
      method,
      target: fill(target),
      headers: [...json, ...some],
      ...(body === undefined ? {} : { body: fill(body) }),
    });
    expect(answer.status, answer.body).toBe(status);
  });
});

describe("requests that are made up", () => {
  it.each<[string, () => fc.Arbitrary<RawRequest>]>([
    ["bodies of starts", () => starts({ run, root, to: path.join(folder, "to") })],
    ["queries and continuation tokens", () => queries(run)],
    ["paths and ranges of contents", () => contents(run)],
    ["ids and other parameters of routes", () => routes],
    ["headers", () => headers],
  ])("%s", async (_what, requests) => {
    const property = fc.asyncProperty(requests(), async (request) => {
      expect((await expectSound(host, request)).status).toBeLessThan(502);
    });
    await fc.assert(property, fuzz(RUNS));
  });
});
