import { app } from "@azure/functions";
import * as df from "durable-functions";
import { scheduledBackup, scheduledPrune, type Scheduled } from "../api/schedule-setting.ts";
import { startOnSchedule } from "../api/start-on-schedule.ts";
import { services } from "../services.ts";

/** A nightly run must not be lost because storage or the engine did not answer for a moment. */
const RETRY = { strategy: "fixedDelay", maxRetryCount: 5, delayInterval: { minutes: 1 } } as const;

registerTimer("scheduledBackup", "backupSiteContent", scheduledBackup(services.settings));
registerTimer("scheduledPrune", "pruneBackups", scheduledPrune(services.settings));

/** Starts a run at the times that a setting names. Without the setting nothing is registered. */
function registerTimer(
  name: string,
  orchestrator: "backupSiteContent" | "pruneBackups",
  scheduled: Scheduled | undefined,
): void {
  if (!scheduled) return;
  const { setting, input, problem } = scheduled;
  // Logged at load, because the host may be unable to run the schedule itself.
  if (problem !== undefined) console.error(`${name} starts nothing. ${problem}`);
  app.timer(name, {
    // By name, so that the scale controller reads the same setting.
    schedule: `%${setting}%`,
    // The host remembers when the timer was due, and runs it once for all the times it missed.
    useMonitor: true,
    retry: RETRY,
    extraInputs: [df.input.durableClient()],
    handler: async (timer, context) =>
      await startOnSchedule({ orchestrator, input, problem }, timer, context, services),
  });
}
