/** A record of the restore itself that is damaged while it is in progress ends it at once, by that record's name. */
import { expect, test } from "vitest";
import { Life, mortalDrive } from "../prune/dying-service.ts";
import { startDrive } from "../harness/drive.ts";
import { temporary, write } from "./tree.ts";

const { azurite, drive } = startDrive();

test.each([
  "deleted/before-0.json",
  "deleted/0.json",
  "lists/directories-0.json",
  "attempts/target.json",
  "attempts/0-0.json",
  "outcomes/0-0000.jsonl",
])("%s", async (name) => {
  const root = temporary();
  await write(root, { "d/a": "a" });
  const { run } = await drive.backup({ root });
  const to = temporary();
  await write(to, { extra: "e" });
  // Another delivery has written the record just before this one does, and then a disk has cut it short.
  const life = new Life();
  let id = "";
  life.before = async ({ method, url }) => {
    const [, restore, record] = /\/backup-runs\/(\w+)\/([^?]+)/.exec(url) ?? [];
    if (method !== "PUT" || restore === undefined || record !== name) return;
    id = restore;
    const blob = azurite.service.getContainerClient("backup-runs").getBlockBlobClient(`${restore}/${name}`);
    await blob.upload("{", 1);
  };
  const { tally } = await mortalDrive(azurite.connectionString, life).restore({ run, to, delete: true });
  expect(tally.stopped).toContain(`The record backup-runs/${id}/${name} is damaged`);
});

test("a listing that does not say where its directories are is named", async () => {
  const root = temporary();
  await write(root, { "d/a": "a" });
  const { run } = await drive.backup({ root });
  const blob = azurite.service.getContainerClient("backup-runs").getBlockBlobClient(`${run}/lists/0.json`);
  const { directories, ...listing } = JSON.parse((await blob.downloadToBuffer()).toString()) as {
    directories: object;
  };
  const damaged = JSON.stringify({ ...listing, directories: { ...directories, list: undefined } });
  await blob.upload(damaged, damaged.length);
  const { tally } = await drive.restore({ run, to: temporary() });
  expect(tally.stopped).toBeUndefined();
  expect(tally.failures).toEqual([expect.stringContaining("lists/0.json")]);
});
