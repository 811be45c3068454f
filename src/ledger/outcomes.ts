import { z } from "zod";
import { inTurns } from "../model/in-turns.ts";
import { inKeyOrder, keyOf } from "../model/order.ts";
import { count, emptyTally, OUTCOMES, type Outcome, type Tally } from "../model/outcome.ts";
import { countOutcomes } from "../telemetry/function-spans.ts";
import { toLine, type Ledger } from "./ledger.ts";
import { countsToMetadata, fencesToMetadata } from "./metadata.ts";
import { fileSize } from "./schemas.ts";

/**
 * Records outcomes, sorted, unless another delivery of the same activity has, and returns the tally of those that stand.
 * @param stopped a message that says why the rest was not tried; recorded with them
 */
export async function settleOutcomes(
  ledger: Ledger,
  name: string,
  outcomes: readonly Outcome[],
  stopped?: string,
): Promise<Tally> {
  const tally = { ...tallyOf(outcomes), ...(stopped === undefined ? {} : { stopped }) };
  const { keys, sorted } = await inKeyOrder(outcomes, ({ path }) => keyOf(path));
  const lines = await inTurns(sorted, toLine);
  const metadata = {
    ...countsToMetadata(tally.counts),
    ...fencesToMetadata(keys),
    ...stoppedToMetadata(stopped),
  };
  const { won } = await ledger.writeOnce(name, lines.join(""), metadata);
  if (!won) return (await readTally(ledger, name)) ?? tally;
  countOutcomes(tally.counts);
  return tally;
}

/** The tally of recorded outcomes, or undefined if there are none. */
export async function readTally(ledger: Ledger, name: string): Promise<Tally | undefined> {
  const read = await ledger.readAllLines<Outcome>(name, outcomeLine);
  if (!read) return undefined;
  const { stopped } = read.metadata;
  return {
    ...tallyOf(read.lines),
    ...(stopped === undefined ? {} : { stopped: Buffer.from(stopped, "base64").toString() }),
  };
}

/** In base64, because metadata are HTTP headers, and cut short, because they are limited to 8 KiB. */
function stoppedToMetadata(stopped?: string): Record<string, string> {
  return stopped === undefined ? {} : { stopped: Buffer.from(stopped.slice(0, 1000)).toString("base64") };
}

const outcomeLine = z.looseObject({
  path: z.string(),
  outcome: z.enum(OUTCOMES),
  kind: z.string(),
  size: fileSize,
  reason: z.string().optional(),
});

/** The recorded outcomes, or undefined if there are none. @throws DamagedRecord */
export async function readOutcomes(ledger: Ledger, name: string): Promise<Outcome[] | undefined> {
  return (await ledger.readAllLines<Outcome>(name, outcomeLine))?.lines;
}

function tallyOf(outcomes: readonly Outcome[]): Tally {
  const tally = emptyTally();
  for (const outcome of outcomes) count(tally, outcome);
  return tally;
}
