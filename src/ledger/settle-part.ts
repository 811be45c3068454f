import { randomUUID } from "node:crypto";
import type { BlobServiceClient } from "@azure/storage-blob";
import { emptyTally } from "../model/outcome.ts";
import { describe } from "../storage/errors.ts";
import { ChangedRecord, isFinal } from "./damaged.ts";
import { Ledger, type ListRange } from "./ledger.ts";
import { listingName, listingOutcomes } from "./names.ts";
import { settleOutcomes } from "./outcomes.ts";
import { isOurs, PartProblem, type Findings, type Part, type PartKind } from "./part-kind.ts";
import { readPartNow, writePart, writePieces, type PartInput, type PartRecord } from "./part-record.ts";

/**
 * Lists or plans a part, and records it. A part that is recorded already is not listed again; its record stands.
 * @throws transient storage errors
 */
export async function settlePart<Own extends object, Item extends { size: number }, Left>(
  { run, part, request, left: taken }: PartInput<unknown, Own>,
  service: BlobServiceClient,
  kind: PartKind<Own, Item, Left>,
): Promise<Part<Own>> {
  const ledger = new Ledger(service, run);
  let own = kind.unknown;
  try {
    own = await kind.begin(ledger, taken?.own);
    let record = await readPartNow(ledger, part, kind.record);
    if (!record) {
      const left = taken && (await ledger.readLines<Left>(taken.lines, kind.left.line));
      const findings = await kind.find(own, left, ledger);
      const found: PartRecord = { version: 1, request, ...own, ...(await writeDown(ledger, part, findings)) };
      if (await writePart(ledger, part, found)) {
        await kind.stands?.(ledger, found, true);
        return toPart(own, found);
      }
      record = (await readPartNow(ledger, part, kind.record)) ?? found;
    }
    // A part that failed starts no work, so its record needs no check.
    if (record.problem !== undefined) return toPart(own, nothing(record.problem));
    if (!(await isOurs(record, { request, own }, ledger, kind)))
      throw new ChangedRecord(`${run}/${listingName(part)}`);
    await kind.stands?.(ledger, record, false);
    return toPart(own, record);
  } catch (error) {
    if (!(error instanceof PartProblem) && !isFinal(error)) throw error;
    const none = nothing(describe(error));
    if (error instanceof PartProblem) await writePart(ledger, part, { version: 1, request, ...own, ...none });
    return toPart(own, none);
  }
}

type Found = Omit<PartRecord, "version" | "request">;

function nothing(problem: string): Found {
  return { found: emptyTally(), batches: [], large: [], rest: [], toDo: { files: 0, bytes: 0 }, problem };
}

/** Writes a part's lists, and the outcomes that are settled. */
async function writeDown<Item extends { size: number }, Left>(
  ledger: Ledger,
  part: string,
  { settled, matched, batches, lanes, rest, also = {}, lists = {} }: Findings<Item, Left>,
): Promise<Found> {
  // A name of its own for each attempt: another delivery never changes a list in use.
  const attempt = `lists/${part}-${randomUUID()}`;
  const ranges = await writePieces(ledger, `${attempt}.jsonl`, batches);
  const large = await writePieces(ledger, `${attempt}.large.jsonl`, lanes);
  const named: Record<string, ListRange> = {};
  for (const [name, items] of Object.entries(lists)) {
    const [lines] = await writePieces(ledger, `${attempt}.${name}.jsonl`, items.length > 0 ? [items] : []);
    if (lines) named[name] = { list: lines.list, offset: lines.offset, length: lines.length };
  }
  const left = await writePieces(ledger, `${attempt}.rest.jsonl`, rest);
  const found =
    settled.length > 0 ? await settleOutcomes(ledger, listingOutcomes(part), settled) : emptyTally();
  if (matched.length > 0) found.matched = [...matched];
  return {
    ...also,
    ...named,
    found,
    batches: ranges.map((range, batch) => ({ ...range, ...totalOf(batches[batch]!) })),
    large,
    rest: left,
    toDo: totalOf([...batches, ...lanes].flat()),
  };
}

function totalOf(items: readonly { size: number }[]): { files: number; bytes: number } {
  return { files: items.length, bytes: items.reduce((sum, { size }) => sum + size, 0) };
}

function toPart<Own>(own: Own, { found, batches, large, rest, toDo, problem }: Found): Part<Own> {
  return {
    own,
    found,
    batches: batches.map(({ list, offset, length, sha256 }) => ({ list, offset, length, sha256 })),
    large,
    rest,
    ...toDo,
    ...(problem === undefined ? {} : { problem }),
  };
}
