import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createAdaptiveLimit } from "../../src/storage/budget.ts";

/** A limit of eight under a clock that the test moves. */
function limitOfEight() {
  let time = 0;
  const limit = createAdaptiveLimit(8, () => time);
  return { limit, wait: (ms: number) => (time += ms) };
}

describe("the requests in flight", () => {
  it("are halved at a sign of too much, once for all signs of a second", () => {
    const { limit, wait } = limitOfEight();
    limit.slowDown();
    limit.slowDown();
    expect(limit.concurrency).toBe(4);
    wait(1_000);
    limit.slowDown();
    expect(limit.concurrency).toBe(2);
  });

  it("never fall below one", () => {
    const { limit, wait } = limitOfEight();
    for (let sign = 0; sign < 10; sign++) {
      limit.slowDown();
      wait(1_000);
    }
    expect(limit.concurrency).toBe(1);
  });

  it("grow by one after a full round of successes, and not above the most", async () => {
    const { limit } = limitOfEight();
    limit.slowDown();
    for (let success = 0; success < 4; success++) await limit.run(() => Promise.resolve());
    expect(limit.concurrency).toBe(5);
    for (let success = 0; success < 100; success++) await limit.run(() => Promise.resolve());
    expect(limit.concurrency).toBe(8);
  });

  it("are what really runs at a time", async () => {
    const { limit } = limitOfEight();
    limit.slowDown();
    let running = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++running);
      await sleep(5);
      running--;
      throw new Error("no success: the limit stays");
    };
    await Promise.allSettled(Array.from({ length: 20 }, () => limit.run(work)));
    expect(most).toBe(4);
  });
});
