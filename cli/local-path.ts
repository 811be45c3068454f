import path from "node:path";
import { isLoopback } from "./address.ts";
import { PACKAGE } from "./host.ts";

/**
 * A directory as the app has to be told it: absolute where the app sees this machine's directories, as it is written
 * elsewhere. npm runs scripts in the package's directory; INIT_CWD is where the person stood.
 */
export function pathForApp(directory: string, url: string | undefined): string {
  if (url !== undefined && !isLoopback(url)) return directory;
  const here = process.cwd();
  return path.resolve(here === PACKAGE ? (process.env["INIT_CWD"] ?? here) : here, directory);
}
