/** Names in a run's record that no backup writes: each fails by name, in a restore, a verification, a prune and the lists. */
import { readdir, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { outcomesByPath, readLedger } from "../harness/blobs.ts";
import { PATIENCE } from "../harness/faults.ts";
import { makeFolder } from "../harness/tree.ts";
import { startRig, type Rig } from "../faults/rig.ts";
import { forgeRun } from "../restore/forge.ts";

const BAD: [attack: string, name: string][] = [
  ["a control character", "a\u0001b"],
  ["a newline", "a\nb"],
  ["a character that XML cannot hold", "a\uffffb"],
  ["another", "\ufffe"],
  ["half a pair", "\ud800"],
  ["the other half", "x\udfff"],
  ["a byte that is not UTF-8", "caf\udce9"],
  ["bytes that are UTF-8 together", "\udcc3\udca9"],
  ["a directory with half a pair", "d\ud800/file"],
  ["a directory with a byte that is not UTF-8", "d\udc80/file"],
  ["a directory with a control character", "d\u001f/file"],
];

let rig: Rig;

beforeAll(async () => {
  rig = await startRig("bad-names");
});
afterAll(async () => {
  await rig?.stop();
});

it(
  "a record with names that no blob can have costs those names alone",
  async () => {
    const names = BAD.map(([, name]) => name);
    const forged = names.map((name) => ({ path: name }));
    const run = await forgeRun(rig.service, [...forged, { path: "fine", content: "fine" }]);
    const to = await makeFolder("to", rig.folder);
    await writeFile(`${to}/extra`, "extra");

    const restoring = await rig.post("restoreSiteContent", { run, to, delete: true });
    const restored = await rig.follow(restoring, PATIENCE);
    expect(restored.output).toMatch(new RegExp(`${BAD.length} of ${BAD.length + 1} files failed`));
    expect((await readdir(to)).includes("fine")).toBe(true);

    const verifying = await rig.post("verifyBackup", { run });
    const verified = await rig.follow(verifying, PATIENCE);
    expect(verified.output).toMatch(new RegExp(`${BAD.length} of ${BAD.length + 1} files failed`));

    for (const id of [restoring, verifying]) {
      const told = outcomesByPath(await readLedger(rig.service, id));
      for (const [attack, name] of BAD) {
        const reason = expect.stringMatching(/its name (has|is) /) as string;
        expect(told.get(name), `${attack} in ${id}`).toMatchObject({ outcome: "failed", reason });
      }
    }

    // The lists give each as it is.
    const response = await fetch(`${rig.host.url}/backups/${restoring}/files?outcome=failed`);
    expect(response.status).toBe(200);
    const { files } = (await response.json()) as { files: { path: string }[] };
    expect(files.map((file) => file.path).sort()).toEqual([...names].sort());

    const prune = { container: "forged", prefix: run, keepLast: 1 };
    const pruned = await rig.follow(await rig.post("pruneBackups", prune), PATIENCE);
    expect(pruned.runtimeStatus).toBe("Completed");
  },
  PATIENCE,
);

it.each([
  ["backupSiteContent", { root: "/srv/\ud800" }],
  ["restoreSiteContent", { run: "0".repeat(32), to: "/srv/\ud800" }],
  ["restoreSiteContent", { at: "2026-01-01T00:00:00Z", to: "/srv", prefix: "a\udfff" }],
])("%s: a path with half a pair is refused, with the reason", async (orchestrator, body) => {
  const response = await fetch(`${rig.host.url}/orchestrators/${orchestrator}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(400);
  expect(((await response.json()) as { detail: string }).detail).toMatch(/Unicode|expected folder names/);
});
