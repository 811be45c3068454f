/** A real Chromium for the tests of the dashboard, and pages whose own errors fail the test. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium, type Browser, type BrowserContext, type Locator, type Page } from "playwright-core";

const PLACES = [process.env["CHROMIUM_PATH"], "/usr/bin/chromium", "/usr/bin/chromium-browser"];
const executablePath = PLACES.find((place) => place !== undefined && existsSync(place));

/** Whether there is a browser; where there is none, that is said once and the tests are skipped. */
export const hasChromium = executablePath !== undefined;
if (!hasChromium) {
  console.warn(
    "No Chromium: the tests of the dashboard are skipped. Install it (apt-get install chromium), or say where it is in CHROMIUM_PATH.",
  );
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Longer than anything takes on a machine with other work to do: a browser is several processes. */
const PATIENCE_MS = 45_000;
export const TEST_TIMEOUT_MS = 120_000;

/** Runs in each page before its own scripts: tells of what the page's policy forbids, and measures its longest task. */
const WATCH = `
  addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
    console.error("CSP: " + violatedDirective + " " + blockedURI));
  globalThis.longestTask = 0;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longestTask = Math.max(longestTask, duration);
  }).observe({ type: "longtask", buffered: true });
`;

export interface Opening {
  viewport?: { width: number; height: number };
  /** What is done to the page before it loads anything. */
  before?: (page: Page) => Promise<unknown>;
}

export class Visitor {
  readonly page: Page;
  readonly #url: string;
  /** Makes each address new: one that differs by its hash alone would not load anything. */
  #visits = 0;
  /** What the page complained of, and what it asked of others than the app. */
  readonly #errors: string[] = [];

  private constructor(page: Page, url: string) {
    this.page = page;
    this.#url = url;
    page.setDefaultTimeout(PATIENCE_MS);
    page.on("console", (message) => message.type() === "error" && this.#errors.push(message.text()));
    page.on("pageerror", (error) => this.#errors.push(String(error)));
    page.on("dialog", (dialog) => {
      this.#errors.push(`a script opened a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(url)) this.#errors.push(`asked ${request.url()}`);
    });
  }

  /** A tab for all tests of a file: its process has compiled the dashboard for the first. @param url of the app */
  static async start(context: BrowserContext, url: string): Promise<Visitor> {
    return new Visitor(await context.newPage(), url);
  }

  /** Opens the dashboard in a session of its own. @param hash where in it */
  async open(hash: string, { viewport = { width: 1280, height: 720 }, before }: Opening = {}): Promise<void> {
    await this.page.setViewportSize(viewport);
    await before?.(this.page);
    await this.page.goto(`${this.#url}/dashboard?visit=${++this.#visits}${hash}`);
  }

  /** Goes to another place in it, as a link does: the page stays. */
  async go(hash: string): Promise<void> {
    await this.page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  }

  /** The errors that a test brings about itself. */
  forgive(pattern: RegExp): void {
    const others = this.#errors.filter((error) => !pattern.test(error));
    this.#errors.splice(0, Infinity, ...others);
  }

  /** Ends the session. The page had no error and broke no policy. */
  async leave(): Promise<void> {
    await this.page.evaluate("sessionStorage.clear()");
    await this.page.unrouteAll();
    const errors = this.#errors.splice(0);
    if (errors.length > 0) throw new Error(`The page had errors:\n${errors.join("\n")}`);
  }

  /** axe finds nothing, in light and in dark, and nothing is wider than the window. */
  async expectAccessible(state: string): Promise<void> {
    if (!(await this.page.evaluate<boolean>("'axe' in globalThis"))) await this.page.evaluate(axe);
    // In the dark nothing differs but colours.
    for (const [colorScheme, rules] of [
      ["light", ""],
      ["dark", `runOnly: ["color-contrast"], `],
    ] as const) {
      await this.page.emulateMedia({ colorScheme });
      const found = await this.page.evaluate<
        string[]
      >(`axe.run(document, { ${rules}resultTypes: ["violations"] })
        .then(({ violations }) => violations.map(({ id, nodes }) =>
          id + ": " + nodes.slice(0, 3).map(({ html, failureSummary }) => html + " " + failureSummary).join(" | ")))`);
      if (found.length > 0) throw new Error(`axe found in "${state}", ${colorScheme}:\n${found.join("\n")}`);
    }
    const beyond = await this.page.evaluate<number>(
      "document.documentElement.scrollWidth - document.documentElement.clientWidth",
    );
    if (beyond > 0) throw new Error(`"${state}" is ${beyond} pixels wider than the window.`);
  }

  button(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  field(label: string): Locator {
    return this.page.getByRole("dialog").getByLabel(label, { exact: true });
  }

  /** The badge of the run that is shown. */
  status(word: string): Locator {
    return this.page.locator(".run-header .status", { hasText: word });
  }

  /** A count by its outcome. */
  count(outcome: string, count: number | string): Locator {
    return this.page
      .locator(".tile", { hasText: outcome })
      .locator(".tile-count", { hasText: new RegExp(`^${count}$`) });
  }

  hash(): Promise<string> {
    return this.page.evaluate<string>("location.hash");
  }
}

export async function startBrowser(): Promise<Browser> {
  // In a container there is neither a user of its own nor much shared memory.
  const args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"];
  return await chromium.launch({ ...(executablePath ? { executablePath } : {}), args });
}

/** What the tabs of a browser share: the dashboard's files, which are the greater part of opening it. */
export async function startContext(browser: Browser): Promise<BrowserContext> {
  const context = await browser.newContext({
    reducedMotion: "reduce",
    locale: "en-GB",
    timezoneId: "Asia/Tokyo",
  });
  await context.addInitScript(WATCH);
  return context;
}
