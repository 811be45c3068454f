/**
 * Who holds a run's status address holds the system key, and may start any orchestrator of the app past the starter, by
 * `POST /runtime/webhooks/durabletask/orchestrators/{name}/{id}`, with any input. What confines it is in the activities.
 */
import { rm } from "node:fs/promises";
import path from "node:path";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readBlobs } from "../harness/blobs.ts";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { followRun, postBackup, type RunStatus } from "../harness/run.ts";
import { bytes, link, makeFolder, makeTree } from "../harness/tree.ts";
import { snapshotOf } from "../restore/tree.ts";

const OUTSIDE = "content from outside";
/** What an activity cannot do is tried three times, over some seconds. */
const PATIENCE = 120_000;

let host: LocalHostProcess;
let service: BlobServiceClient;
let folder: string;
/** A directory that may be backed up, one that may be restored into, and one that may be neither. */
let root: string;
let to: string;
let outside: string;
/** A run that was backed up as it should be, with a large file. */
let run: string;

beforeAll(async () => {
  folder = await makeFolder("webhook");
  outside = await makeTree(path.join(folder, "outside"), { secret: OUTSIDE, "large.bin": bytes(1_500_000) });
  root = await makeTree(path.join(folder, "root"), {
    file: "file",
    "large.bin": bytes(1_500_000),
    way: link(outside),
  });
  to = await makeTree(path.join(folder, "to"), { way: link(outside) });
  host = await startLocalHost({
    entry: "build",
    env: { BACKUP_ROOTS: root, RESTORE_ROOTS: to, BACKUP_LARGE_FILE_MIB: "1" },
  });
  service = BlobServiceClient.fromConnectionString(host.connectionString);
  const { id, location } = await postBackup(host.url, { root });
  run = id;
  await followRun(location);
});
afterAll(async () => {
  await host?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Starts an orchestrator as nobody but the Durable extension's API can, and waits for its end. */
async function start(orchestrator: string, input: unknown): Promise<RunStatus> {
  const answer = await fetch(`${host.url}/runtime/webhooks/durabletask/orchestrators/${orchestrator}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(input),
  });
  if (answer.status !== 202) throw new Error(`${answer.status} ${await answer.text()}`);
  return await followRun(answer.headers.get("location")!, PATIENCE);
}

/** Every blob of the account, by container and name. */
async function blobs(): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for await (const { name } of service.listContainers()) {
    const content = await readBlobs(service.getContainerClient(name));
    for (const [blob, { content: bytes }] of content) found.set(`${name}/${blob}`, bytes);
  }
  return found;
}

/** What a part of a run is handed, made up by the caller: it says where to read and write. */
const forged = () => ({
  run,
  part: "0",
  large: 0,
  lines,
  realRoot: outside,
  realTo: outside,
  target: outside,
  container: "backup-runs",
  prefix: "",
});
const lines = { list: "lists/0.json", offset: 0, length: 1, sha256: "" };
const PART_OF_A_RUN = /a part of a run/;
const REFUSED_ROOT = /BACKUP_ROOTS|may be backed up|outside/;
const REFUSED_TARGET = /RESTORE_ROOTS|may be restored/;

const starts: [what: string, orchestrator: string, input: () => unknown, says: RegExp][] = [
  ["a directory outside the roots", "backupSiteContent", () => ({ root: outside }), REFUSED_ROOT],
  ["the same, as text", "backupSiteContent", () => outside, REFUSED_ROOT],
  ["the way through ..", "backupSiteContent", () => ({ root: `${root}/../outside` }), REFUSED_ROOT],
  ["the way through a link", "backupSiteContent", () => ({ root: `${root}/way` }), REFUSED_ROOT],
  [
    "what looks like a part of a run",
    "backupSiteContent",
    () => ({ run, part: "0", request: { root: outside, container: "stolen" } }),
    /unknown field|"root"/,
  ],
  [
    "the ledgers' container",
    "backupSiteContent",
    () => ({ root, container: "backup-runs" }),
    /"container"|backup-runs/,
  ],
  ["a target outside", "restoreSiteContent", () => ({ run, to: outside }), REFUSED_TARGET],
  ["a target behind a link", "restoreSiteContent", () => ({ run, to: `${to}/way` }), REFUSED_TARGET],
  [
    "a part with a target outside",
    "restoreSiteContent",
    () => ({ run, part: "0", request: { run, to: outside } }),
    /unknown field|"to"/,
  ],
  ["a run that leads elsewhere", "verifyBackup", () => ({ run: "../backups" }), /run's id/],
  ["the ledgers", "pruneBackups", () => ({ container: "backup-runs", keepLast: 1 }), /"container"/],
  ["large files to copy", "copyLargeFiles", forged, PART_OF_A_RUN],
  ["large files to restore", "restoreLargeFiles", forged, PART_OF_A_RUN],
  ["large files to read back", "verifyLargeFiles", forged, PART_OF_A_RUN],
  ["nothing", "copyLargeFiles", () => null, PART_OF_A_RUN],
];

/** Ids that are no run's: an instance that is given one has no ledger. */
const IDS = ["...", "prunes", "destinations", "index", "a%20b"];

it(
  "an orchestrator does nothing with an input that leads elsewhere, or an id that is no run's",
  async () => {
    const state = async () => ({
      outside: await snapshotOf(outside),
      to: await snapshotOf(to),
      backups: [...(await blobs()).keys()].filter((name) => name.startsWith("backups/")).sort(),
    });
    const before = await state();
    expect(before.backups).toEqual(["backups/file", "backups/large.bin", "backups/way"]);
    // All at once, for each is tried some times, with a wait between.
    const ends = [
      ...starts.map(async ([what, name, input, says]) => {
        const { runtimeStatus, output } = await start(name, input());
        expect(runtimeStatus, what).toBe("Failed");
        expect(output, what).toMatch(says);
      }),
      ...IDS.map(async (id) => {
        const { runtimeStatus, output } = await start(`backupSiteContent/${id}`, {
          root,
          container: "chosen",
        });
        expect(runtimeStatus, id).toBe("Failed");
        expect(output, id).toContain("run's id");
      }),
    ];
    const failures = (await Promise.allSettled(ends)).filter((end) => end.status === "rejected");
    expect(failures.map(({ reason }) => String(reason))).toEqual([]);
    expect(await state()).toEqual(before);
    const all = await blobs();
    for (const [blob, content] of all) expect(content.includes(OUTSIDE), blob).toBe(false);
    expect([...all.keys()].filter((blob) => !/^(backups|backup-runs)\//.test(blob))).toEqual([]);
    expect(
      [...all.keys()].filter((blob) =>
        /^backup-runs\/(prunes|destinations|index)\/(run\.json|lists|outcomes)/.test(blob),
      ),
    ).toEqual([]);
  },
  PATIENCE,
);

it("an activity is no orchestrator: it is not run", async () => {
  const names = ["copyFileToBlob", "getFileList", "restoreFiles", "deleteContents"];
  const input = { run, part: "0", request: { root: outside, container: "stolen" } };
  const ends = await Promise.all(names.map((name) => start(name, input)));
  for (const [index, { runtimeStatus, output }] of ends.entries()) {
    expect(runtimeStatus, names[index]).toBe("Failed");
    expect(output, names[index]).toMatch(/doesn't exist|does not exist|not registered/);
  }
  expect([...(await blobs()).keys()].filter((name) => name.startsWith("stolen/"))).toEqual([]);
});
