/**
 * Lets this process go on when nobody reads its output any more, as after `npm start | head`: lines are lost then. An
 * error of these streams that nobody handles would be an uncaught exception, whose report is the next such error.
 */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
}
