import { OrchestrationRuntimeStatus, type DurableClient } from "durable-functions";
import { isOfAnother, wroteRecently } from "../ledger/alive.ts";
import { damagedAsMissing } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import { readRun } from "../ledger/run-record.ts";
import type { Services } from "../services.ts";

/** The client reports a missing instance by a plain Error, which only its message distinguishes from a failed call. */
const NO_INSTANCE = /^DurableClient error: Durable Functions extension replied with HTTP 404 response\. /;
/** The reason given when an orchestration is terminated because its run was canceled. The record says so first. */
export const CANCELED = "canceled";

const ACTIVE = [
  OrchestrationRuntimeStatus.Pending,
  OrchestrationRuntimeStatus.Running,
  OrchestrationRuntimeStatus.ContinuedAsNew,
  OrchestrationRuntimeStatus.Suspended,
];

/** The state of an orchestration, as the durable engine reports it. */
type InstanceStatus = "active" | "completed" | "failed" | "canceled";

export interface Instance {
  status: InstanceStatus;
  /** The result; if it failed, the error message. */
  output: unknown;
  updated: Date;
}

/** What the API needs of the durable engine. */
export interface Instances {
  /** The app whose engine it is; see appIdentity. */
  app: string;
  /** One instance; undefined if there is none with this id. */
  get(id: string): Promise<Instance | undefined>;
  /** Which of a run's orchestrations, root and parts, have not ended. One query. */
  activeOf(run: string, since: Date): Promise<string[]>;
  /** Terminates an instance. One that has ended is left as it is. */
  terminate(id: string, reason: string): Promise<void>;
}

/** What is needed to prepare a start. */
export interface Start {
  /** The id that the instance will have. */
  instanceId: string;
  client: DurableClient;
  services: Services;
  /** The caller will try again with the same id if this fails. */
  isRetried?: boolean;
}

/** The instances of the durable engine. @param app whose engine it is; see appIdentity */
export function instancesOf(client: DurableClient, app: string): Instances {
  return {
    app,
    get: (id) => getInstance(client, id),
    async activeOf(run, since) {
      const found = await client.getStatusBy({ createdTimeFrom: since, runtimeStatus: ACTIVE });
      return found.map(({ instanceId }) => instanceId).filter((id) => id === run || id.startsWith(`${run}:`));
    },
    async terminate(id, reason) {
      try {
        await client.terminate(id, reason);
      } catch (error) {
        // It may have ended meanwhile, or never existed.
        const instance = await getInstance(client, id);
        if (instance?.status === "active") throw error;
      }
    },
  };
}

/** One instance; undefined if there is none with this id. */
async function getInstance(client: DurableClient, id: string): Promise<Instance | undefined> {
  try {
    const { runtimeStatus, output, lastUpdatedTime } = await client.getStatus(id, { showInput: false });
    return { status: statusOf(runtimeStatus), output, updated: new Date(lastUpdatedTime) };
  } catch (error) {
    if (error instanceof Error && NO_INSTANCE.test(error.message)) return undefined;
    throw error;
  }
}

function statusOf(status: OrchestrationRuntimeStatus): InstanceStatus {
  switch (status) {
    case OrchestrationRuntimeStatus.Completed:
      return "completed";
    case OrchestrationRuntimeStatus.Failed:
      return "failed";
    case OrchestrationRuntimeStatus.Terminated:
    case OrchestrationRuntimeStatus.Canceled:
      return "canceled";
    case OrchestrationRuntimeStatus.Pending:
    case OrchestrationRuntimeStatus.Running:
    case OrchestrationRuntimeStatus.ContinuedAsNew:
    case OrchestrationRuntimeStatus.Suspended:
      return "active";
  }
}

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
  const record = await readRun(new Ledger(storage, run)).catch(damagedAsMissing);
  if (record && record.status !== "running") return false;
  if (!isOfAnother(settings.app, record ?? claim)) return undefined;
  return await wroteRecently(storage, { id: run, started: record?.started ?? claim.since ?? "" }, silence);
}
