/** What a store gives while a backup writes over what it reads. */
import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ManifestItem } from "../../src/manifest/line.ts";
import { openStore } from "../../src/store/open-store.ts";
import { newRun, startDomain, type Domain } from "../harness/domain.ts";

const MIB = 1024 * 1024;

let domain: Domain;
beforeAll(async () => {
  domain = await startDomain();
});
afterAll(() => domain.stop());

test("a content that becomes a snapshot while it is read is read on, each byte once; one that nothing keeps is lost", async () => {
  const { service, settings, budget } = domain;
  const container = service.getContainerClient(`test-${newRun()}`);
  await container.create();
  const store = openStore(
    { container: container.containerName, prefix: "", layout: "files" },
    service,
    settings,
  );
  const content = randomBytes(48 * MIB);
  const md5 = createHash("md5").update(content).digest();
  const blobHTTPHeaders = { blobContentMD5: md5 };
  const items = ["kept", "gone"].map((path): ManifestItem => {
    const item = { path, kind: "file", size: content.length, mtime: 0, mode: 0o644 } as const;
    return { ...item, md5: md5.toString("base64") };
  });
  for (const { path } of items)
    await container.getBlockBlobClient(path).upload(content, content.length, { blobHTTPHeaders });
  const found = await store.find(items);
  const planned = items.map((item) => ({ ...item, ...(found.get(item) as { source: { length: number } }) }));

  const read = new Map<string, Buffer[]>();
  const outcomes = await store.fetch(planned, budget, async (item, readIt) => {
    const bytes: Buffer[] = [];
    read.set(item.path, bytes);
    const reading = readIt(async (some, position) => {
      bytes.push(Buffer.from(some));
      if (position > 0) return;
      const blob = container.getBlockBlobClient(item.path);
      if (item.path === "kept") await blob.createSnapshot();
      await blob.upload("new", 3);
    });
    const reason = await reading.then(() => undefined, String);
    return { path: item.path, kind: "file", outcome: "unchanged", size: 0, ...(reason ? { reason } : {}) };
  });
  expect(Buffer.concat(read.get("kept")!).equals(content)).toBe(true);
  expect(outcomes.map(({ path, reason }) => [path, reason])).toEqual([
    ["kept", undefined],
    ["gone", expect.stringMatching(/not in the container/)],
  ]);
});
