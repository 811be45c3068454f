/** What a restore of packs costs in requests and bytes. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startDomain, type Domain } from "../harness/domain.ts";
import { Drive } from "../harness/drive.ts";
import { bytes, makeTree, type TreeSpec } from "../harness/tree.ts";
import { IN_MEMORY, snapshotOf, temporary } from "./tree.ts";

let domain: Domain;
let drive: Drive;

beforeAll(async () => {
  domain = await startDomain();
  drive = new Drive(domain.service);
});
afterAll(() => domain.stop());

/** Backs a tree up into one pack. @returns its files in the order of the pack, and what a restore of some of them asks for */
async function onePack(spec: TreeSpec) {
  const container = `requests-${randomUUID()}`;
  const root = await makeTree(temporary(IN_MEMORY), spec);
  const { run } = await drive.backup({ root, container, layout: "packs" });
  const files = [...(await drive.outcomes(run)).values()]
    .map(({ path, packed }) => ({ path, ...packed! }))
    .sort((one, other) => one.offset - other.offset);
  expect(new Set(files.map(({ pack }) => pack)).size).toBe(1);
  const restore = async (request: { include?: string[] }) => {
    const before = domain.proxy.requests.length;
    const to = temporary(IN_MEMORY);
    expect((await drive.restore({ run, to, ...request })).tally.failures).toEqual([]);
    const asked = domain.proxy.requests.slice(before).filter((request) => request.container === container);
    const reads = asked.filter(({ method, blob }) => method === "GET" && blob !== "format.json");
    return { tree: await snapshotOf(to), asked, reads: reads.map(({ down }) => down).sort((a, b) => a - b) };
  };
  return { root, files, restore };
}

test("small files of one pack come in one request", async () => {
  const some = Array.from({ length: 400 }, (_none, index) => [`f${index}`, bytes(4096, `${index}`)]);
  const { root, files, restore } = await onePack(Object.fromEntries(some));
  expect(new Set(files.map(({ offset }) => offset)).size).toBeGreaterThan(5);
  let restored = await restore({});
  // What the file thread of a busy machine has no time for is fetched again, a frame at a time.
  for (let tries = 1; restored.reads.length > 1 && tries < 3; tries++) restored = await restore({});
  const { tree, asked, reads } = restored;
  expect(tree).toEqual(await snapshotOf(root));
  expect(reads).toHaveLength(1);
  // The format is read, and the pack looked up.
  expect(asked.length).toBeLessThanOrEqual(3);
});

test("of a few files of a pack their ranges come and nothing else, as one if they lie side by side", async () => {
  const names = Array.from({ length: 12 }, (_none, index) => `f${index}`);
  const { files, restore } = await onePack(
    Object.fromEntries(names.map((name) => [name, bytes(600_000, name)])),
  );
  const some = [0, 5, 6, 11].map((place) => files[place]!);
  const { tree, reads } = await restore({ include: some.map(({ path }) => `/${path}`) });
  expect([...tree.keys()]).toEqual(some.map(({ path }) => path).sort());
  const [first, second, third, last] = some.map(({ length }) => length);
  expect(reads).toEqual([first, last, second! + third!]);
});
