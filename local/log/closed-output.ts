/**
 * Lets this process continue when nobody reads its output any more, as after `npm start | head`: the lines are then
 * lost. An unhandled error of these streams would be an uncaught exception, whose report causes the next such error.
 */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
}
