/** The dashboard in every state: one host and one browser for all of it. */
import { describe } from "vitest";
import { hasChromium, TEST_TIMEOUT_MS } from "./browser.ts";
import { hostileTests } from "./hostile.ts";
import { journeyTests } from "./journeys.ts";
import { useDashboard } from "./session.ts";

const dashboard = useDashboard();

describe.skipIf(!hasChromium)("in a browser", { timeout: TEST_TIMEOUT_MS }, () => {
  journeyTests(dashboard);
  hostileTests(dashboard);
});
