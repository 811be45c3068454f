import { stat } from "node:fs/promises";
import path from "node:path";
import { Option, type Command } from "commander";
import pMap from "p-map";
import { fromBytes, nameOf, parsePath, printable } from "../../src/model/path.ts";
import { Unreachable } from "../api.ts";
import { define, INTERRUPTED, SOME_FAILED } from "../define.ts";
import { asJson, download, downloadOne, type Take } from "../download.ts";
import { ExitCode, Failure, Interrupted } from "../failure.ts";
import { GetTally } from "../get-tally.ts";
import { isBackedUp, Listing, type Found } from "../listing.ts";
import { fromHere } from "../local-path.ts";
import { LocalTree } from "../local-tree.ts";
import type { Narrowing } from "../narrowing.ts";
import { err, write } from "../print.ts";
import { RESTORABLE, resolveRun } from "../resolve-run.ts";
import { withSession, type Session } from "../session.ts";
import { pathInRun } from "../values.ts";

interface GetOptions extends Narrowing {
  to?: string;
  json?: boolean;
  overwrite?: boolean;
}

/** Concurrent downloads. */
const AT_A_TIME = 8;
/** Disk errors that the next file would meet, too. */
const NO_ROOM = ["ENOSPC", "EDQUOT", "EROFS"];

export function addGet(program: Command): void {
  define<GetOptions>(
    program,
    {
      usage: "get <run> <path>",
      description: "Download a file or directory of a backup to this machine; / for all of it.",
      examples: [
        "site-backup get latest index.html",
        "site-backup get latest images/2026 --to ./images",
        "site-backup get latest db.sql.gz --to - | gunzip",
      ],
      notes:
        "Existing files with the same size and time are left alone, so the same command continues after an interruption.\nModes are set without setuid and setgid; owners are not.",
      exits: [SOME_FAILED, INTERRUPTED],
      json: ["got", "content"],
    },
    [
      new Option(
        "--to <place>",
        "the file or directory to write (default: its name, here); - for standard output",
      ),
      new Option("--overwrite", "replace files that are there already"),
    ],
    async (options, run = "", from = "") =>
      await withSession(options, (session) => get(session, run, from, options)),
  );
}

async function get(session: Session, run: string, from: string, options: GetOptions): Promise<number> {
  const id = await resolveRun(run, session, options, RESTORABLE);
  const asked = pathInRun(from) ?? "";
  if (options.to === "-") {
    await downloadOne(session, id, asked, options.json ? asJson(asked) : write);
    return ExitCode.done;
  }
  const listing = new Listing(session, id, asked, true);
  const found = listing[Symbol.asyncIterator]();
  const first = await found.next();
  const isFile = !first.done && first.value.itself === true;
  const place = await placeOf(asked, isFile, options);
  const tree = new LocalTree(isFile ? path.dirname(place) : place, options);
  const tally = await GetTally.start(options, listing);
  const running = new Set<Promise<void>>();
  const fetch = async (each: Found): Promise<void> => {
    const fetching = fetchInto(tree, each, isFile ? path.basename(place) : undefined, { session, id, tally });
    running.add(fetching);
    await fetching.finally(() => running.delete(fetching));
  };
  try {
    if (!isFile)
      await tree.directory("", listing.own ?? {}).catch((error: unknown) => notWritten(place, error));
    if (!first.done) await fetch(first.value);
    await pMap(found, fetch, { concurrency: AT_A_TIME });
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    err("Interrupted. Run the same command again to continue.");
    return ExitCode.interrupted;
  } finally {
    tally.close();
    // When one fails, others are still being written.
    await Promise.allSettled(running);
    await tree.finish();
  }
  return tally.report(place);
}

/** Where to write, as an absolute path. @throws Failure if --to is required */
async function placeOf(asked: string, isFile: boolean, { to }: GetOptions): Promise<string> {
  const name = parsePath(nameOf(asked));
  if (to === undefined && name === "") throw new Failure("Say where to write the whole backup: --to DIR.");
  const place = fromHere(to ?? name);
  const isFolder = async () =>
    await stat(place).then(
      (stats) => stats.isDirectory(),
      () => false,
    );
  const isInside = isFile && to !== undefined && (/[\\/]$/.test(to) || (await isFolder()));
  return isInside ? path.join(place, name) : place;
}

/**
 * Writes one entry. Errors that concern only this entry are counted in the tally, not thrown.
 * @param as the name to write it by, if not its own
 */
async function fetchInto(
  tree: LocalTree,
  { path: from, entry }: Found,
  as: string | undefined,
  { session, id, tally }: { session: Session; id: string; tally: GetTally },
): Promise<void> {
  session.interruption.signal.throwIfAborted();
  if (!isBackedUp(entry)) return tally.notInBackup();
  try {
    const name = as ?? parsed(entry.name);
    if (entry.kind === "directory") tally.add(from, entry, await tree.directory(name, entry));
    else if (entry.kind === "link") {
      const target = entry.target === undefined ? await readTarget(session, id, from) : parsed(entry.target);
      tally.add(from, entry, await tree.link(name, target, entry));
    } else {
      const write = async (take: Take) => await download(session, id, from, tally.counting(take));
      tally.add(from, entry, await tree.file(name, entry, write));
    }
  } catch (error) {
    session.interruption.signal.throwIfAborted();
    const { code = "" } = error as NodeJS.ErrnoException;
    if (NO_ROOM.includes(code)) notWritten(from, error);
    if (error instanceof Unreachable || (code === "" && !(error instanceof Failure))) throw error;
    tally.fail(from, entry, reasonOf(error));
  }
}

/** @throws Failure for what no file system has */
function parsed(escaped: string): string {
  try {
    return parsePath(escaped);
  } catch (error) {
    throw new Failure((error as Error).message, { cause: error });
  }
}

/** @throws Failure */
function notWritten(what: string, error: unknown): never {
  throw new Failure(`${printable(what)} cannot be written: ${reasonOf(error)}.`, { cause: error });
}

/** The reason, without the path: EACCES: permission denied. */
function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === undefined ? message : printable(message.split(", ")[0] ?? code);
}

async function readTarget(session: Session, id: string, from: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  await download(session, id, from, (bytes) => Promise.resolve(void pieces.push(bytes)));
  return fromBytes(Buffer.concat(pieces));
}
