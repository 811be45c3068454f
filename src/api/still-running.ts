import type { DurableClient } from "durable-functions";
import { getInstance } from "./engine.ts";
import { ofDamaged } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import { wroteRecently, isOfAnother } from "../ledger/alive.ts";
import { readRun } from "../ledger/run-record.ts";
import type { Start } from "./start-context.ts";

/** Whether an instance of this app's engine is still active; undefined if there is none with this id. */
export async function isActive(client: DurableClient, instanceId: string): Promise<boolean | undefined> {
  const instance = await getInstance(client, instanceId);
  return instance && instance.status === "active";
}

/**
 * Whether a run is in progress, in this app or in another on the same storage. If this app's engine knows the
 * run, the engine is right. Another app's run is in progress while its record is open and it has written something
 * lately.
 * @param claim what is known of a run that may have no record yet
 * @param silence how recently, in milliseconds; the default is that of wroteRecently
 * @returns undefined if the engine does not know the run and it is not another app's
 */
export async function isStillRunning(
  { client, services }: Pick<Start, "client" | "services">,
  run: string,
  claim: { app?: string; since?: string } = {},
  silence?: number,
): Promise<boolean | undefined> {
  const known = await isActive(client, run);
  if (known !== undefined) return known;
  const { storage, settings } = services;
  const record = await readRun(new Ledger(storage, run)).catch(ofDamaged);
  if (record && record.status !== "running") return false;
  if (!isOfAnother(settings.app, record ?? claim)) return undefined;
  return await wroteRecently(storage, { id: run, started: record?.started ?? claim.since ?? "" }, silence);
}
