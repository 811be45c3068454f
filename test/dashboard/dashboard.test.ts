/** The dashboard as it is served, and its first journey; every other state is in dashboard.slow.test.ts. */
import { describe } from "vitest";
import { hasChromium, TEST_TIMEOUT_MS } from "./browser.ts";
import { firstJourney } from "./journeys.ts";
import { servedTests } from "./served.ts";
import { useDashboard } from "./session.ts";

const dashboard = useDashboard();

servedTests(dashboard);
describe.skipIf(!hasChromium)("in a browser", { timeout: TEST_TIMEOUT_MS }, () => {
  firstJourney(dashboard);
});
