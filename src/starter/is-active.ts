import { OrchestrationRuntimeStatus, type DurableClient } from "durable-functions";

const ENDED: OrchestrationRuntimeStatus[] = [
  OrchestrationRuntimeStatus.Completed,
  OrchestrationRuntimeStatus.Failed,
  OrchestrationRuntimeStatus.Terminated,
  OrchestrationRuntimeStatus.Canceled,
];

/** Whether an instance has not ended; undefined when there is none of this id. */
export async function isActive(client: DurableClient, instanceId: string): Promise<boolean | undefined> {
  try {
    const status = await client.getStatus(instanceId, { showInput: false });
    return !ENDED.includes(status.runtimeStatus);
  } catch (error) {
    if (error instanceof Error && error.message.includes("404")) return undefined;
    throw error;
  }
}
