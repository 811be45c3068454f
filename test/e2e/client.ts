/** What a client of the app does: POST, follow the Location, look into the storage account. Any host will do. */
import { hash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { BlobServiceClient, type ContainerClient } from "@azure/storage-blob";
import { afterAll, expect, inject } from "vitest";
import { expectSameTree, readBlobs } from "../harness/blobs.ts";
import { inMicroseconds, makeFolder, readTree, type FileOnDisk } from "../harness/tree.ts";

const host = inject("hostUnderTest");

export const service = BlobServiceClient.fromConnectionString(host.connectionString);

/** Each file is a blob; in the other layout files lie in packs. */
export const inFiles = host.layout === "files";

const made: ContainerClient[] = [];
afterAll(async () => {
  await Promise.all(made.map((container) => container.deleteIfExists()));
});

/** A container that no other test uses; it is deleted after the file's tests. The app makes it. */
export function newContainer(): ContainerClient {
  const container = service.getContainerClient(`e2e-${randomBytes(8).toString("hex")}`);
  made.push(container);
  return container;
}

/** An empty directory that the host may back up. */
export function newRoot(): Promise<string> {
  return makeFolder("tree", host.trees);
}

/** An orchestration's status, as the Durable HTTP API gives it. */
export interface Status {
  name: string;
  instanceId: string;
  runtimeStatus: string;
  input: unknown;
  customStatus: {
    phase: string;
    runId: string;
    listed?: { files: number; bytes: number; complete: boolean };
    counts?: Record<string, number>;
  } | null;
  output: unknown;
  createdTime: string;
  lastUpdatedTime: string;
}

/** POSTs a body as it stands. */
export function post(
  body: string | Uint8Array<ArrayBuffer> | undefined,
  {
    orchestrator = "backupSiteContent",
    contentType = "application/json",
  }: { orchestrator?: string; contentType?: string | null } = {},
): Promise<Response> {
  const headers: Record<string, string> = {};
  if (contentType !== null) headers["Content-Type"] = contentType;
  if (host.functionKey !== undefined) headers["x-functions-key"] = host.functionKey;
  return fetch(`${host.baseUrl}/orchestrators/${orchestrator}`, {
    method: "POST",
    headers,
    // Bytes, so that fetch adds no Content-Type of its own.
    ...(body === undefined ? {} : { body: typeof body === "string" ? new TextEncoder().encode(body) : body }),
  });
}

/** Asks a route of the app. */
export async function ask(url: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (host.functionKey !== undefined) headers.set("x-functions-key", host.functionKey);
  return await fetch(`${host.baseUrl}${url}`, { ...init, headers });
}

/** What a route answers that must answer well. */
export async function get(url: string): Promise<unknown> {
  const response = await ask(url);
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return JSON.parse(text);
}

/** Starts a backup, and gives where to follow it. */
export async function start(request: unknown): Promise<{ id: string; location: string }> {
  const response = await post(JSON.stringify(request));
  const text = await response.text();
  expect(response.status, text).toBe(202);
  return { id: (JSON.parse(text) as { id: string }).id, location: response.headers.get("location") ?? "" };
}

/** Polls a Location until it answers something other than 202. */
export async function follow(location: string, withinMs = 60_000): Promise<Status> {
  const end = Date.now() + withinMs;
  for (let wait = 20; ; wait = Math.min(wait * 1.5, 500)) {
    const response = await fetch(location);
    const text = await response.text();
    if (response.status !== 202) {
      expect(response.status, text).toBe(200);
      return JSON.parse(text) as Status;
    }
    if (Date.now() > end) throw new Error(`still not done: ${text}`);
    await sleep(wait);
  }
}

/** Backs up and waits for the end. */
export async function backUp(request: unknown): Promise<Status> {
  return follow((await start(request)).location);
}

/** Runs any of the orchestrators to its end. */
export async function end(orchestrator: string, body: unknown): Promise<Status> {
  const started = await post(JSON.stringify(body), { orchestrator });
  const text = await started.text();
  expect(started.status, text).toBe(202);
  return await follow(started.headers.get("location") ?? "");
}

/** A backup holds a tree: as blobs of its names, or in packs, as restoring it shows. */
export async function expectHeld(
  run: string,
  tree: Map<string, FileOnDisk>,
  container: ContainerClient,
  prefix = "",
): Promise<void> {
  if (inFiles) expectSameTree(await readBlobs(container, prefix), tree, run);
  else expect(hashed(await restored(run))).toEqual(hashed(inMicroseconds(tree)));
}

/** The names of what a backup holds. */
export async function namesHeld(run: string, container: ContainerClient): Promise<string[]> {
  return [...(inFiles ? await readBlobs(container) : await restored(run)).keys()].sort();
}

/** Contents by their hashes: comparing megabytes by value takes seconds. */
function hashed(tree: Map<string, FileOnDisk>) {
  return new Map([...tree].map(([name, file]) => [name, { ...file, content: hash("sha256", file.content) }]));
}

async function restored(run: string): Promise<Map<string, FileOnDisk>> {
  const to = await newRoot();
  const { runtimeStatus, output } = await end("restoreSiteContent", { run, to });
  expect(runtimeStatus, String(output)).toBe("Completed");
  return inMicroseconds(await readTree(to));
}

/** What an answer that refuses a request must be. */
export async function expectProblem(
  response: Response,
  status: number,
  detail: RegExp,
): Promise<Record<string, unknown>> {
  const text = await response.text();
  expect(response.status, text).toBe(status);
  expect(response.headers.get("content-type")).toMatch(/^application\/problem\+json\b/);
  const problem = JSON.parse(text) as Record<string, unknown>;
  expect(problem).toMatchObject({
    type: "about:blank",
    title: expect.stringMatching(/\w/),
    status,
    detail: expect.stringMatching(detail),
  });
  return problem;
}
