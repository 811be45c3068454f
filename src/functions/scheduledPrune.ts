import { app } from "@azure/functions";
import * as df from "durable-functions";
import { RETRY } from "../schedule/retry.ts";
import { services } from "../services.ts";
import { startOnSchedule } from "../api/start-on-schedule.ts";

const scheduled = services.settings.pruneSchedule;

/** Starts a prune at the times that the setting names. Without the setting there is no such function. */
if (scheduled) {
  const { setting, input, problem } = scheduled;
  // Here, too: the schedule itself may be what the host cannot run.
  if (problem !== undefined) console.error(`No prune is started by itself. ${problem}`);
  app.timer("scheduledPrune", {
    // By the setting's name, so that whatever scales the app to zero reads the same times.
    schedule: `%${setting}%`,
    // The host keeps what was due, and runs once for all that it missed.
    useMonitor: true,
    retry: RETRY,
    extraInputs: [df.input.durableClient()],
    handler: async (timer, context) =>
      await startOnSchedule({ orchestrator: "pruneBackups", input, problem }, timer, context, services),
  });
}
