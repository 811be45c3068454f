/** How the person can call this command again: npm runs it in the clone only, without npm it is on the PATH. */
export const COMMAND = process.env["npm_command"] === undefined ? "site-backup" : "npx site-backup";
