import type { DurableClient } from "durable-functions";
import { getInstance } from "./engine.ts";
import { ofDamaged } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import { wroteRecently, isOfAnother } from "../ledger/alive.ts";
import { readRun } from "../ledger/run-record.ts";
import type { Start } from "./start-context.ts";

/** Whether an instance of this app's engine has not ended; undefined when there is none of this id. */
export async function isActive(client: DurableClient, instanceId: string): Promise<boolean | undefined> {
  const instance = await getInstance(client, instanceId);
  return instance && instance.status === "active";
}

/**
 * Whether a run goes on, in this app or in another one that works on the same storage. This app's engine is right where
 * it knows the run; one of another app goes on as long as its record is open and anything of it was written lately.
 * @param claim what is known of a run that may have no record yet
 * @param silence how long after that, in milliseconds, where it is not for as long as usual
 * @returns undefined when the run is no other app's, and the engine does not know it
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
