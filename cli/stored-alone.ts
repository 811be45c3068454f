import { isWithin } from "../src/model/path.ts";
import type { Amount, Run, Stored } from "../client/answers.ts";
import type { Session } from "./session.ts";

export type Destination = Pick<Run["destination"], "container" | "prefix">;

const PARTS = ["current", "old", "others"] as const;

/**
 * What lies in a destination, without the destinations within it.
 * @param all the destinations, each once
 */
export async function storedAlone(
  session: Session,
  destination: Destination,
  all: readonly Destination[],
): Promise<Stored> {
  const stored = await storedIn(session, destination);
  const within = all.filter((other) => liesIn(other, destination));
  for (const inner of within) {
    // Counted with the destination around it.
    if (within.some((other) => liesIn(inner, other))) continue;
    const part = await storedIn(session, inner);
    for (const of of PARTS) add(stored[of], part[of], -1);
  }
  return stored;
}

function liesIn(inner: Destination, outer: Destination): boolean {
  return (
    inner.container === outer.container &&
    inner.prefix !== outer.prefix &&
    isWithin(inner.prefix, outer.prefix)
  );
}

async function storedIn({ api, interruption }: Session, { container, prefix }: Destination): Promise<Stored> {
  const sum: Stored = {
    current: { blobs: 0, bytes: 0 },
    old: { blobs: 0, bytes: 0 },
    others: { blobs: 0, bytes: 0 },
  };
  let continuation: string | undefined;
  do {
    interruption.signal.throwIfAborted();
    const page = await api.stored({ container, prefix, continuation });
    for (const of of PARTS) add(sum[of], page[of], 1);
    ({ continuation } = page);
  } while (continuation !== undefined);
  return sum;
}

function add(sum: Amount, { blobs, bytes: size }: Amount, sign: 1 | -1): void {
  // Blobs come and go meanwhile.
  sum.blobs = Math.max(0, sum.blobs + sign * blobs);
  sum.bytes = Math.max(0, sum.bytes + sign * size);
}
