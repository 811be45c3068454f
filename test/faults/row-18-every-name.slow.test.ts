/** Row 18: links of every kind, names of any bytes, and a file system that fails any call: each name has its outcome. */
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LAYOUTS, type Layout } from "../../src/model/names.ts";
import { readBlobs, readLedger } from "../harness/blobs.ts";
import { counted, dice, full, PATIENCE } from "../harness/faults.ts";
import { mountFuse, type FuseTree, type Trouble } from "../harness/fuse.ts";
import { isWrite, type StorageRequest } from "../harness/storage-proxy.ts";
import { link, makeFolder, makeTree, manyFiles } from "../harness/tree.ts";
import { forDisk } from "../../src/model/path.ts";
import { startRig, type Rig } from "./rig.ts";

/** Random trees with names that come with and without their types. */
const TREES = full ? 40 : 4;

let rig: Rig;

beforeAll(async () => {
  // One request at a time, so that nothing is copied before what the first one waits for.
  rig = await startRig("every-name", {
    env: {
      // Procfs, too.
      BACKUP_ROOTS: undefined,
      BACKUP_FILE_TIMEOUT_SECONDS: "1",
      BACKUP_REQUESTS_IN_FLIGHT: "1",
      FUNCTIONS_WORKER_PROCESS_COUNT: "1",
    },
  });
});
afterAll(async () => {
  await rig?.stop();
});

let containers = 0;

/** Runs a backup. @returns its end, and all outcomes of a path */
async function backUp(root: string, layout: Layout = "files", container = `every-name-${++containers}`) {
  const id = await rig.post("backupSiteContent", { root, container, layout });
  const status = await rig.follow(id, PATIENCE);
  const { outcomes } = await readLedger(rig.service, id);
  const of = (name: string) => outcomes.filter((outcome) => outcome.path === name);
  return {
    id,
    container,
    status,
    outcomes,
    of,
    told: () => new Map(outcomes.map((it) => [it.path, it.outcome])),
  };
}

describe("row 18: links", () => {
  it(
    "a link that cannot be followed costs its directory nothing",
    async () => {
      const links = {
        "through-a-file": link("index.html/x"),
        "name-too-long": link("n".repeat(300)),
        "path-too-long": link(`${"n/".repeat(2_040)}n`),
        loop: link("loop"),
        nowhere: link("does/not/exist"),
        up: link(".."),
        root: link("/"),
      };
      const root = await makeTree(await makeFolder("links", rig.folder), {
        "site/index.html": "page",
        ...Object.fromEntries(Object.entries(links).map(([name, node]) => [`site/${name}`, node])),
      });
      const { status, container, told } = await backUp(root);
      expect(status).toMatchObject({ runtimeStatus: "Completed", output: 4 });
      expect([...told().values()]).toEqual(Array.from({ length: 8 }, () => "copied"));
      const blobs = await readBlobs(rig.service.getContainerClient(container));
      expect(blobs.get("site/through-a-file")?.content.toString()).toBe("index.html/x");
    },
    PATIENCE,
  );
});

describe("row 18: links into mounts", () => {
  it(
    "that hang or are dead cost nothing, neither in a backup nor in a restore over them",
    async ({ skip }) => {
      const at = await makeFolder("behind", rig.folder);
      const mount = mountFuse(at, {
        hangs: { directory: true, trouble: { on: "lookup", hangs: true } },
        dead: { directory: true, trouble: { on: "lookup", error: "ENOTCONN" } },
      });
      if (!mount) return skip("this user, or this system, cannot mount a file system on FUSE");
      try {
        const names = ["hangs", "hangs/below", "dead", "dead/below"];
        const links = names.map((name, index) => [`site/link${index}`, link(`${at}/${name}`)]);
        const root = await makeTree(await makeFolder("into-mounts", rig.folder), {
          "site/index.html": "page",
          ...Object.fromEntries(links),
        });
        const { id, status, told } = await backUp(root);
        expect(status.runtimeStatus).toBe("Completed");
        expect([...told().values()]).toEqual(Array.from({ length: 5 }, () => "copied"));
        const restore = { run: id, to: root, delete: true, overwrite: "always" };
        const restored = await rig.follow(await rig.post("restoreSiteContent", restore), PATIENCE);
        expect(restored.runtimeStatus).toBe("Completed");
        expect(mount.met.size).toBe(0);
      } finally {
        await mount.unmount();
      }
    },
    PATIENCE,
  );
});

describe.runIf(process.platform === "linux")("row 18: names that are not UTF-8", () => {
  it(
    "each fails by name, what is below as well; a restore with delete leaves them",
    async () => {
      const root = await makeTree(await makeFolder("bytes", rig.folder), { good: "good" });
      // Two that decode alike.
      const names = ["caf\udce9", "caf\udce8", "d\udcff/file", "d\udcff/sub/\udc80", "d\udcff/link"];
      const at = (name: string) => forDisk(path.join(root, name));
      await mkdir(at("d\udcff/sub"), { recursive: true });
      await mkdir(at("d\udcff/empty"));
      await symlink("file", at("d\udcff/link"));
      for (const name of names)
        if (!existsSync(at(name))) await writeFile(at(name), name).catch(() => undefined);
      const { id, status, of, outcomes } = await backUp(root);
      expect(status.runtimeStatus).toBe("Failed");
      for (const name of [...names, "d\udcff/empty"]) {
        const reason = expect.stringMatching(/not valid UTF-8/) as string;
        expect(of(name), JSON.stringify(name)).toMatchObject([{ outcome: "failed", reason }]);
      }
      expect(outcomes.length).toBe(7);
      // What people see says which bytes they are.
      expect(status.output).toContain("caf\\xe9: ");

      // Extra, and of no backup.
      await writeFile(at("extra\udce9"), "extra");
      await mkdir(at("extra-\udcff/sub"), { recursive: true });
      const restore = { run: id, to: root, delete: true };
      const restored = await rig.follow(await rig.post("restoreSiteContent", restore), PATIENCE);
      expect(restored.runtimeStatus).toBe("Completed");
      for (const name of names) expect(existsSync(at(name)), JSON.stringify(name)).toBe(true);
      expect(existsSync(at("extra\udce9"))).toBe(false);
      expect(existsSync(at("extra-\udcff"))).toBe(false);
    },
    PATIENCE,
  );

  it(
    "in the layout packs each is held, and comes back",
    async () => {
      const root = await makeTree(await makeFolder("bytes", rig.folder), { good: "good" });
      await mkdir(forDisk(`${root}/d\udcff/empty\udc80`), { recursive: true });
      const names = ["caf\udce9", "caf\udce8", "d\udcff/file"];
      for (const name of names) await writeFile(forDisk(`${root}/${name}`), JSON.stringify(name));
      const target = Buffer.from([0x61, 0xff]);
      await symlink(target, forDisk(`${root}/link\udcff`));
      const { id, status } = await backUp(root, "packs");
      expect(status.runtimeStatus).toBe("Completed");

      const to = path.join(rig.folder, "bytes-restored");
      await rig.follow(await rig.post("restoreSiteContent", { run: id, to }), PATIENCE);
      for (const name of names)
        expect(await readFile(forDisk(`${to}/${name}`), "utf8")).toBe(JSON.stringify(name));
      expect(existsSync(forDisk(`${to}/d\udcff/empty\udc80`))).toBe(true);
      expect(await readlink(forDisk(`${to}/link\udcff`), { encoding: "buffer" })).toEqual(target);
    },
    PATIENCE,
  );

  it(
    "a root whose name is not UTF-8 is backed up, and restored into",
    async () => {
      const link = path.join(rig.folder, "to-latin1");
      const real = path.join(await makeFolder("roots", rig.folder), "r\udce9");
      await mkdir(forDisk(`${real}/d`), { recursive: true });
      await writeFile(forDisk(`${real}/d/file`), "content");
      await symlink(forDisk(real), link);
      const { id, status } = await backUp(link);
      expect(status).toMatchObject({ runtimeStatus: "Completed", output: 7 });
      await rm(`${link}/d`, { recursive: true });
      const restored = await rig.follow(
        await rig.post("restoreSiteContent", { run: id, to: link }),
        PATIENCE,
      );
      expect(restored.runtimeStatus).toBe("Completed");
      expect(await readFile(`${link}/d/file`, "utf8")).toBe("content");
    },
    PATIENCE,
  );
});

describe("row 18: what goes away in mid-run", () => {
  /**
   * Backs up, and does something when all is listed and the first file is to be written; in the layout packs, where files are read
   * before one is written, when the list is.
   */
  async function backUpWhile(root: string, layout: Layout, work: () => Promise<void>) {
    const container = `every-name-${++containers}`;
    const isMoment = (request: StorageRequest): boolean =>
      layout === "files" ? request.container === container : request.blob.endsWith("/lists/0.json");
    let done = false;
    rig.proxy.before = async (request) => {
      if (done || !isMoment(request) || !isWrite(request)) return;
      done = true;
      await work();
    };
    try {
      return await backUp(root, layout, container);
    } finally {
      rig.proxy.before = () => undefined;
    }
  }

  it.each(LAYOUTS)(
    "a file, a directory, one in whose place another is: each has one outcome, and a restore deletes none of them: %s",
    async (layout) => {
      const root = await makeTree(await makeFolder("goes", rig.folder), {
        ...manyFiles(40),
        ...Object.fromEntries(Array.from({ length: 40 }, (_none, index) => [`emptied/f${index}`, "x"])),
        "replaced/stays": "before",
        ...Object.fromEntries(Array.from({ length: 40 }, (_none, index) => [`gone/deep/f${index}`, "x"])),
        ...Object.fromEntries(Array.from({ length: 40 }, (_none, index) => [`replaced/f${index}`, "x"])),
      });
      const { id, status, of, outcomes } = await backUpWhile(root, layout, async () => {
        for (let index = 0; index < 40; index++) await rm(`${root}/emptied/f${index}`);
        await rm(`${root}/gone`, { recursive: true });
        await rename(`${root}/replaced`, `${root}/moved`);
        await makeTree(root, { "replaced/stays": "after" });
        await chmod(`${root}/replaced/stays`, 0o644);
      });
      expect(status.runtimeStatus).toBe("Failed");
      // Those that were open when they went have been read.
      const emptied = outcomes.filter(({ path: name }) => name.startsWith("emptied/"));
      expect(emptied.length).toBe(40);
      const vanished = emptied.filter(({ outcome }) => outcome === "vanished");
      expect(vanished.length).toBeGreaterThan(30);
      expect(of("gone")).toMatchObject([
        { outcome: "vanished", reason: expect.stringContaining("was gone") },
      ]);
      expect(of("replaced")).toMatchObject([
        { outcome: "failed", reason: expect.stringContaining("in its place") },
      ]);
      expect(of("replaced/stays")).toMatchObject([{ outcome: "copied" }]);
      const below = outcomes.filter(
        ({ path: name }) => name.startsWith("gone/") || name.startsWith("replaced/f"),
      );
      expect(below.filter(({ outcome }) => outcome !== "copied")).toEqual([]);

      await makeTree(root, { [vanished[0]!.path]: "back", "gone/x": "back", "replaced/f1": "back" });
      const restore = { run: id, to: root, delete: true };
      await rig.follow(await rig.post("restoreSiteContent", restore), PATIENCE);
      for (const name of [vanished[0]!.path, "gone/x", "replaced/f1"])
        expect(existsSync(`${root}/${name}`), name).toBe(true);
    },
    PATIENCE,
  );

  const gone = async (root: string) => await rm(root, { recursive: true });
  const another = async (root: string) => {
    await rename(root, `${root}-moved`);
    await mkdir(root);
  };
  it.each([
    ["gone", "files", gone],
    ["another one", "files", another],
    ["gone", "packs", gone],
  ] as const)(
    "the root, which is %s: the run fails, and no name counts as vanished: %s",
    async (_how, layout, goes) => {
      const root = await makeTree(await makeFolder("root", rig.folder), manyFiles(300));
      const { container, status, outcomes } = await backUpWhile(root, layout, () => goes(root));
      expect(status.runtimeStatus).toBe("Failed");
      expect(status.output).toMatch(/disappeared during the backup/);
      expect(outcomes.filter(({ outcome }) => outcome !== "copied")).toEqual([]);
      const blobs = await readBlobs(rig.service.getContainerClient(container));
      const held = layout === "files" ? [...blobs.keys()].sort() : [];
      expect(outcomes.map((it) => it.path).sort()).toEqual(held);
      expect(outcomes.length).toBeLessThan(300);
    },
    PATIENCE,
  );
});

describe("row 18: a file system that fails any call", () => {
  const ERRORS = ["EIO", "ESTALE", "ENOENT", "EACCES", "ENOTDIR", "ELOOP", "ENAMETOOLONG"] as const;
  const CALLS = ["lookup", "getattr", "open", "read"] as const;
  const STEMS = ["a", "b.txt", "sp ace", "caf\udce9", "\udcff\udcfe", "日本", ".dot"];

  function randomTree(roll: () => number): FuseTree {
    const pick = <T>(from: readonly T[]): T => from[Math.floor(roll() * from.length)]!;
    const targets = ["a0/x", "n".repeat(300), "..", "/nonexistent", ".", "hangs"];
    const tree: FuseTree = {};
    const fill = (below: string, depth: number): void => {
      const count = 3 + Math.floor(roll() * 5);
      for (let index = 0; index < count; index++) {
        const name = `${below}${pick(STEMS)}${index}`;
        const isDirectory = depth < 3 && roll() < 0.4;
        const error = { on: pick(CALLS), error: pick(ERRORS) };
        const trouble: Trouble = roll() < 0.5 ? error : { ...error, times: 1 + Math.floor(roll() * 2) };
        tree[name] = {
          ...(isDirectory ? { directory: true } : roll() < 0.4 ? { link: pick(targets) } : { content: name }),
          ...(roll() < 0.3 ? { trouble } : {}),
        };
        if (isDirectory && roll() < 0.8) fill(`${name}/`, depth + 1);
      }
    };
    fill("", 0);
    tree["hangs"] = { content: "", trouble: { on: "lookup", hangs: true } };
    return tree;
  }

  it(
    "each name that reading a directory gave has exactly one outcome, and no other name has one",
    async ({ skip }) => {
      const { roll } = dice();
      const at = await makeFolder("mount", rig.folder);
      let [names, troubles] = [0, 0];
      for (let round = 0; round < TREES; round++) {
        const tree = randomTree(roll);
        const mount = mountFuse(at, tree, round % 2 === 0);
        if (!mount) return skip("this user, or this system, cannot mount a file system on FUSE");
        let run;
        try {
          run = await backUp(at);
        } finally {
          await mount.unmount();
        }
        const { listed, met } = mount;
        const parents = new Set([...listed].map((name) => path.posix.dirname(name)));
        const stands = run.outcomes.map((outcome) => outcome.path);
        for (const name of listed) {
          // A directory that was read, and is not empty, needs none of its own.
          const wanted = parents.has(name) ? 0 : 1;
          const own = stands.filter((other) => other === name).length;
          expect(own, `${JSON.stringify(name)} of tree ${round}`).toBe(wanted);
        }
        expect(stands.filter((name) => !listed.has(name))).toEqual([]);
        expect(run.of("hangs")).toMatchObject([{ outcome: "failed" }]);
        names += listed.size;
        troubles += met.size;
      }
      expect(troubles).toBeGreaterThan(0);
      counted(18, { trees: TREES, names, troubles });
    },
    PATIENCE,
  );
});

it(
  "row 18: a file whose size is told as 0 is read to its end",
  async ({ skip }) => {
    const ostype = await readFile("/proc/sys/kernel/ostype", "utf8").catch(() => "");
    if (ostype === "") return skip("this system has no procfs");
    const container = `every-name-${++containers}`;
    const id = await rig.post("backupSiteContent", {
      root: "/proc/sys/kernel",
      container,
      include: ["/ostype"],
    });
    const status = await rig.follow(id, PATIENCE);
    expect(status).toMatchObject({ runtimeStatus: "Completed", output: ostype.length });
    const blobs = await readBlobs(rig.service.getContainerClient(container));
    expect(blobs.get("ostype")?.content.toString()).toBe(ostype);
  },
  PATIENCE,
);
