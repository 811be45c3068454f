import type { Command } from "commander";
import { define, INTERRUPTED } from "../define.ts";
import { ExitCode, Interrupted } from "../failure.ts";
import { err, out, outJson } from "../print.ts";
import { withSession, type CommonOptions, type Session } from "../session.ts";

/** The user's browser, from the environment variable that many programs use. */
const CHOSEN = process.env["BROWSER"] || undefined;

export function addOpen(program: Command): void {
  define(
    program,
    {
      usage: "open",
      description: "Open the dashboard in the browser, or print its address if there is no browser.",
      examples: ["site-backup open", "site-backup open --url https://my-app.azurewebsites.net"],
      exits: [INTERRUPTED],
      json: ["dashboard"],
    },
    [],
    async (options) => await withSession(options, (session) => open(session, options)),
  );
}

async function open({ api, host, interruption }: Session, options: CommonOptions): Promise<number> {
  // The page asks for the key itself: in the address it would stay in the browser's history.
  const url = await api.dashboard();
  const opened = hasScreen() && (await launch(url));
  if (options.json) outJson({ type: "dashboard", url, opened });
  else if (!options.quiet || !opened) out(url);
  if (!host?.lease) return ExitCode.done;
  if (!options.json && !options.quiet) err("The local host runs until Ctrl-C.");
  try {
    for (;;) await interruption.sleep(2 ** 30);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    return ExitCode.done;
  }
}

/** Whether a browser can show itself: over SSH and in containers on Linux it cannot. */
function hasScreen(): boolean {
  return (
    CHOSEN !== undefined ||
    process.platform !== "linux" ||
    Boolean(process.env["DISPLAY"] ?? process.env["WAYLAND_DISPLAY"])
  );
}

async function launch(url: string): Promise<boolean> {
  try {
    const { default: openInBrowser } = await import("open");
    const child = await openInBrowser(url, CHOSEN === undefined ? {} : { app: { name: CHOSEN } });
    // The launcher reports at once if there is no browser.
    const code = await new Promise<number | null>((resolve) => {
      if (child.exitCode !== null) return resolve(child.exitCode);
      const late = setTimeout(resolve, 2_000, null);
      child.once("exit", (ended) => {
        clearTimeout(late);
        resolve(ended);
      });
    });
    return code === null || code === 0;
  } catch {
    return false;
  }
}
