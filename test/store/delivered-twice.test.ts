/** Every activity of a backup, a restore and a prune delivered twice at the same time, and a first backup that was broken off. */
import { rm } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LAYOUTS } from "../../src/model/names.ts";
import { Drive } from "../harness/drive.ts";
import { startDomain, type Domain } from "../harness/domain.ts";
import { bytes, bytesOf, makeFolder, makeTree, manyFiles, readTree } from "../harness/tree.ts";
import { FORBIDDEN } from "../harness/wire-faults.ts";

let domain: Domain;
let folder: string;
beforeAll(async () => {
  domain = await startDomain();
  folder = await makeFolder("store-twice");
});
afterAll(async () => {
  await domain.stop();
  await rm(folder, { recursive: true, force: true });
});

test.each(LAYOUTS)("each file counts once, and the same is there: %s", async (layout) => {
  const drive = new Drive(domain.service, domain.settings, 2);
  const root = await makeTree(path.join(folder, layout), {
    ...manyFiles(60),
    "larger.bin": bytes(6 * 1024 * 1024),
  });
  const tree = await readTree(root);
  const request = { root, container: `twice-${layout}`, layout, mode: "incremental" };
  const first = await drive.backup(request);
  expect(first.tally.counts).toMatchObject({ copied: tree.size, failed: 0, bytes: bytesOf(tree) });
  const to = path.join(folder, `${layout}-restored`);
  const { tally } = await drive.restore({ run: first.run, to });
  expect(tally.counts).toMatchObject({ copied: tree.size, failed: 0, bytes: bytesOf(tree) });
  expect([...(await readTree(to))].map(([name, { content }]) => [name, content.length])).toEqual(
    [...tree].map(([name, { content }]) => [name, content.length]),
  );
});

test("a first backup in packs that is broken off: the next one sends only what is missing", async () => {
  const drive = new Drive(domain.service, { ...domain.settings, listFiles: 5 });
  const root = await makeTree(
    path.join(folder, "broken-off"),
    Object.fromEntries(
      Array.from({ length: 40 }, (_none, file) => [`d${file % 8}/${file}`, bytes(99_000, `${file}`)]),
    ),
  );
  const total = bytesOf(await readTree(root));
  const request = { root, container: "broken-off", layout: "packs", mode: "incremental" };
  const sent = () =>
    domain.proxy.requests
      .filter(
        ({ method, container, blob, status = 0 }) =>
          method === "PUT" && container === "broken-off" && blob.startsWith("packs/") && status < 300,
      )
      .reduce((sum, { bytes: body }) => sum + body, 0);
  let packs = 0;
  domain.proxy.before = ({ method, container, blob }) =>
    method === "PUT" && container === "broken-off" && blob.startsWith("packs/") && ++packs > 3
      ? FORBIDDEN
      : undefined;
  const { tally } = await drive.backup(request);
  domain.proxy.before = () => undefined;
  expect(tally.stopped).toBeDefined();
  const before = sent();
  expect(before).toBeGreaterThan(total / 20);
  const next = await drive.backup(request);
  expect(next.tally.counts.failed).toBe(0);
  expect(sent() - before).toBeLessThan(total - before * 0.9);
  const to = path.join(folder, "broken-off-restored");
  expect((await drive.restore({ run: next.run, to })).tally.counts).toMatchObject({
    copied: 40,
    bytes: total,
  });
});
