import { app } from "@azure/functions";
import * as df from "durable-functions";
import { scheduledBackup, scheduledPrune, type Scheduled } from "../api/schedule-setting.ts";
import { startOnSchedule } from "../api/start-on-schedule.ts";
import { services } from "../services.ts";

/** When storage or the engine does not answer, a nightly run must not be lost. */
const RETRY = { strategy: "fixedDelay", maxRetryCount: 5, delayInterval: { minutes: 1 } } as const;

registerTimer("scheduledBackup", "backupSiteContent", scheduledBackup(services.settings));
registerTimer("scheduledPrune", "pruneBackups", scheduledPrune(services.settings));

/** Starts a run at the times that a setting names. Without the setting there is no such function. */
function registerTimer(
  name: string,
  orchestrator: "backupSiteContent" | "pruneBackups",
  scheduled: Scheduled | undefined,
): void {
  if (!scheduled) return;
  const { setting, input, problem } = scheduled;
  // Said here too: the schedule itself may be what the host cannot run.
  if (problem !== undefined) console.error(`${name} starts nothing. ${problem}`);
  app.timer(name, {
    // By the setting's name, so that whatever scales the app to zero reads the same times.
    schedule: `%${setting}%`,
    // The host keeps what was due, and runs once for all that it missed.
    useMonitor: true,
    retry: RETRY,
    extraInputs: [df.input.durableClient()],
    handler: async (timer, context) =>
      await startOnSchedule({ orchestrator, input, problem }, timer, context, services),
  });
}
