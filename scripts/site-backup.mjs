#!/usr/bin/env node
// The package's command: `npx site-backup …` in the clone, `site-backup …` after `npm link`. It sets the clone up where
// that has not been done, so that it works on a fresh one.
process.argv.splice(2, 0, "dist/cli/main.js");
await import("./run.mjs");
