import path from "node:path";
import { isLoopback } from "./address.ts";
import { PACKAGE } from "./host.ts";

/** A directory as the app needs it: absolute if the app sees this machine's directories, else as typed. */
export function pathForApp(directory: string, url: string | undefined): string {
  return url === undefined || isLoopback(url) ? fromHere(directory) : directory;
}

/** The absolute path of what was typed. npm runs scripts in the package's directory; INIT_CWD is where the user was. */
export function fromHere(typed: string): string {
  const here = process.cwd();
  return path.resolve(here === PACKAGE ? (process.env["INIT_CWD"] ?? here) : here, typed);
}
