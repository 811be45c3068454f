/** How to call this command again: in the clone through npm; without npm it is on the PATH. */
export const COMMAND = process.env["npm_command"] === undefined ? "site-backup" : "npx site-backup";
