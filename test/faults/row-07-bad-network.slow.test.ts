/** Row 7: storage throttles, fails, resets, hangs, stalls and trickles; several backups at once, each with its fault. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { counted, dice, full, PATIENCE } from "../harness/faults.ts";
import { isWrite, type StorageRequest } from "../harness/storage-proxy.ts";
import { bytes, makeTree, manyFiles } from "../harness/tree.ts";
import { INTERNAL_ERROR, SERVER_BUSY, TOO_MANY, type WireFault } from "../harness/wire-faults.ts";
import { expectBackedUp, startRig, type Rig } from "./rig.ts";

/** Longer than the app waits for an answer. */
const STALL_MS = 30_000;

let rig: Rig;
let root: string;

beforeAll(async () => {
  rig = await startRig("bad-network");
  root = await makeTree(`${rig.folder}/tree`, { ...manyFiles(40, 10), "blocks.bin": bytes(9 * 1024 * 1024) });
});
afterAll(async () => {
  await rig?.stop();
});

interface Network {
  fault: string;
  /** Whether the run must say that it was throttled. */
  throttles: boolean;
  /** Only in full: takes as long as a stall. */
  slow?: true;
  on: (request: StorageRequest, nth: number) => Promise<WireFault | void> | WireFault | void;
}

/** Networks by what they do to the requests of one run; `nth` counts the tries of one request. */
function networks(roll: () => number): Network[] {
  let stormSince: number | undefined;
  return [
    {
      fault: "503",
      throttles: true,
      on: (_request, nth) => (nth < 2 && roll() < 0.5 ? SERVER_BUSY : undefined),
    },
    {
      fault: "429",
      throttles: true,
      on: (_request, nth) => (nth < 2 && roll() < 0.5 ? TOO_MANY : undefined),
    },
    {
      fault: "500",
      throttles: false,
      on: (_request, nth) => (nth < 2 && roll() < 0.5 ? INTERNAL_ERROR : undefined),
    },
    {
      fault: "resets",
      throttles: false,
      on: (_request, nth) => (nth < 2 && roll() < 0.5 ? "reset" : undefined),
    },
    {
      fault: "nothing but 503 for 4 s",
      throttles: true,
      on: (request) => {
        // From the first file on: the listing before it is not counted.
        if (!isWrite(request) || !request.container.startsWith("net-")) return undefined;
        stormSince ??= performance.now();
        return performance.now() - stormSince < 4_000 ? SERVER_BUSY : undefined;
      },
    },
    {
      fault: "trickle",
      throttles: false,
      on: ({ method, comp }, nth) =>
        comp !== "block" && nth === 0 && roll() < 0.3
          ? { trickle: method === "PUT" ? "up" : "down", bytesPerSecond: 600 }
          : undefined,
    },
    {
      fault: "half-open sockets",
      throttles: true,
      slow: true,
      on: (_request, nth) => (nth === 0 && roll() < 0.1 ? "hang" : undefined),
    },
    {
      fault: "stalls of 30 s",
      throttles: true,
      slow: true,
      on: async (_request, nth) => {
        if (nth === 0 && roll() < 0.1) await new Promise((resolve) => setTimeout(resolve, STALL_MS));
      },
    },
  ];
}

const keyOf = ({ method, container, blob, comp }: StorageRequest) => `${method} ${container}/${blob}?${comp}`;

describe("row 7: storms, resets, half-open sockets, stalls, a trickle", () => {
  it(
    "every backup completes; those that were throttled say so, and they backed off with jitter",
    async () => {
      const { seed, roll } = dice();
      const all = networks(roll).filter(({ slow }) => full || !slow);
      const containers = all.map(({ fault }) => `net-${fault.toLowerCase().replace(/\W+/g, "-")}`);
      /** What was done to each network's requests; of the ledger's too, once the run is known. */
      const faults = all.map(() => 0);
      const runs: string[] = [];
      const tries = new Map<string, number>();
      rig.proxy.before = async (request) => {
        const index = containers.findIndex(
          (container, at) =>
            request.container === container ||
            (runs[at] !== undefined && request.blob.startsWith(`${runs[at]}/`)),
        );
        if (index < 0) return undefined;
        const nth = tries.get(keyOf(request)) ?? 0;
        tries.set(keyOf(request), nth + 1);
        const asked = performance.now();
        const fault = await all[index]!.on(request, nth);
        if (fault !== undefined || performance.now() - asked > 1_000) faults[index]!++;
        return fault;
      };
      for (const container of containers) runs.push(await rig.post("backupSiteContent", { root, container }));
      const says: string[] = [];
      for (const [index, { fault, throttles }] of all.entries()) {
        const [id, container] = [runs[index]!, containers[index]!];
        const status = await rig.follow(id, PATIENCE);
        await expectBackedUp(rig, { id, status, root, container });
        expect(faults[index], fault).toBeGreaterThan(0);
        const said = (status.customStatus as { throttled?: number }).throttled ?? 0;
        const record = (await (await fetch(`${rig.host.url}/backups/${id}`)).json()) as {
          throttled?: number;
        };
        expect(record.throttled ?? 0, fault).toBe(said);
        expect(said > 0 || !throttles, fault).toBe(true);
        says.push(`${faults[index]} × ${fault} (said: throttled ${said})`);
      }
      const { median, spread } = backOff();
      // The second wait is longer than the first, and they are spread over more than a busy machine spreads them.
      expect(median[1]!).toBeGreaterThan(median[0]! * 1.3);
      expect(spread).toBeGreaterThan(1.35);
      counted(7, {
        runs: all.length,
        faults: says.join("; "),
        "ms of the first and second wait": median.map(Math.round).join(" and "),
        "spread of the first": Math.round(spread * 100) / 100,
        seed,
      });
    },
    PATIENCE,
  );
});

/**
 * The waits before the second and the third try of requests that were refused with 503 or 429; the spread is the ratio of
 * a long first one to a short one (a tenth are longer, a tenth are shorter).
 */
function backOff(): { median: number[]; spread: number } {
  const tries = new Map<string, StorageRequest[]>();
  for (const request of rig.proxy.requests) {
    if (!/^net-(503|429)/.test(request.container) || request.method !== "PUT" || request.comp !== "")
      continue;
    tries.set(keyOf(request), [...(tries.get(keyOf(request)) ?? []), request]);
  }
  const waits = [0, 1].map((nth) =>
    [...tries.values()]
      .flatMap((each) => {
        const [refused, next] = [each[nth], each[nth + 1]];
        return refused && next && (refused.status ?? 0) >= 400 ? [next.at - refused.at] : [];
      })
      .sort((a, b) => a - b),
  );
  const of = (each: number[], share: number) => each[Math.floor(each.length * share)] ?? 0;
  return {
    median: waits.map((each) => of(each, 0.5)),
    spread: of(waits[0]!, 0.9) / of(waits[0]!, 0.1),
  };
}
