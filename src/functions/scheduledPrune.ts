import { app } from "@azure/functions";
import * as df from "durable-functions";
import { RETRY } from "../schedule/retry.ts";
import { services } from "../services.ts";
import { startOnSchedule } from "../starter/start-on-schedule.ts";

const scheduled = services.settings.pruneSchedule;

/** Starts a prune at the times that the setting names. Without the setting there is no such function. */
if (scheduled) {
  const { setting, input } = scheduled;
  app.timer("scheduledPrune", {
    // By the setting's name, so that whatever scales the app to zero reads the same times.
    schedule: `%${setting}%`,
    // The host keeps what was due, and runs once for all that it missed.
    useMonitor: true,
    retry: RETRY,
    extraInputs: [df.input.durableClient()],
    handler: async (timer, context) =>
      await startOnSchedule({ orchestrator: "pruneBackups", input }, timer, context, services),
  });
}
