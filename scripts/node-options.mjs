/**
 * Node options for the local host and its workers. V8 sizes its heap by the machine's memory (4 GiB on a machine with
 * 24) and then collects late, though little of what copying allocates lives long. With these, 100,000 files took 190
 * MB instead of 380, in the same time; 250,000 files in one directory took 240 MB.
 */
const OPTIONS = ["--max-semi-space-size=16", "--max-old-space-size=512"];

/**
 * The options for a new process, before its script's name, except those that NODE_OPTIONS sets for an app that needs
 * more: the command line would override them.
 * @param {NodeJS.ProcessEnv} environment
 */
export function nodeOptions(environment) {
  // Node accepts "_" for "-" in the name of an option.
  const named = (environment["NODE_OPTIONS"] ?? "").replaceAll("_", "-");
  return OPTIONS.filter((option) => !named.includes(option.slice(2, option.indexOf("="))));
}
