/**
 * The lines of --json: one object each, told apart by `type`. Fields are added, never renamed or taken away; a field
 * that is marked optional may be absent. The reference is made of this, and tests hold real output against it.
 */
export const JSON_LINES = {
  started: {
    when: "A run was started.",
    fields: {
      run: "the run's id",
      kind: "backup, restore, verify or prune",
      root: "the directory; optional",
    },
  },
  progress: {
    when: "While a run goes on, when something has changed.",
    fields: {
      run: "the run's id",
      listed: "{files, bytes, complete}: what is to be done, as far as it is known",
      settled: "{files, bytes}: what of it is done",
      counts: "files by outcome so far",
      bytesPerSecond: "since the run began",
      secondsLeft: "a guess; null while none can be made",
    },
  },
  end: {
    when: "A run has ended.",
    fields: {
      exitCode: "of this command",
      output:
        "the run's output: bytes copied, restored or freed, files verified; null when it failed; optional",
      run: "the run's id",
      app: "the app that runs it, of several on one account; optional",
      kind: "backup, restore, verify or prune",
      of: "the run that is restored or verified; optional",
      dryRun: "true where a restore or a prune only tells what it would do; optional",
      root: "the directory",
      destination: "{container, prefix, url}: where the blobs are",
      mode: "full or incremental",
      status: "completed, failed or canceled",
      started: "ISO 8601, UTC",
      finished: "ISO 8601, UTC; optional",
      counts:
        "{copied, unchanged, vanished, skipped, failed, directories, bytes, unchangedBytes}, of a prune also deleted; a restore counts what it restored as copied, a verification what is as it was recorded as unchanged, a prune the runs that stay as unchanged; optional",
      settling:
        "true while what was under way when the run was canceled may still be recorded: the counts are not final; optional",
      bytes: "bytes copied, restored or deleted; optional",
      message: "why it failed, or that what was restored or verified is a partial backup; optional",
      warnings: "patterns that matched nothing, a sentence each; optional",
      suspect: "true where a backup found so few files that it does not count; optional",
      postdated: "true where the run is dated in the future, and does not count until then; optional",
      forgotten: "the prune that forgot this run; optional",
      runs: "of a prune, {kept, forgotten}: how many runs; optional",
    },
  },
  run: {
    when: "A run, in a list or by itself.",
    fields: {
      run: "the run's id",
      app: "the app that runs it, of several on one account; optional",
      kind: "backup, restore, verify or prune",
      of: "the run that is restored or verified; optional",
      dryRun: "true where a restore or a prune only tells what it would do; optional",
      root: "the directory",
      destination: "{container, prefix, url}: where the blobs are",
      mode: "full or incremental",
      status: "running, completed, failed, canceled or skipped",
      started: "ISO 8601, UTC",
      finished: "ISO 8601, UTC; optional",
      counts: "as in end; optional",
      settling: "as in end; optional",
      bytes: "as in end; optional",
      message:
        "why it failed, or was skipped, or that what was restored or verified is a partial backup; optional",
      warnings: "as in end, of a run by itself; optional",
      suspect: "as in end; optional",
      postdated: "as in end; optional",
      forgotten: "the prune that forgot this run: it cannot be restored any more; optional",
      progress: "as GET /backups/{runId} answers it, of a run that goes on; optional",
    },
  },
  file: {
    when: "What became of one file.",
    fields: {
      path: "relative to the root, with / between segments",
      outcome: "copied, unchanged, vanished, skipped, failed or deleted",
      kind: "file, link, directory or other",
      size: "in bytes; 0 unless copied, unchanged or deleted",
      mtime: "microseconds since 1970; optional",
      mode: "permission bits; optional",
      md5: "of the content, base64; optional",
      reason: "why it failed or was skipped; optional",
    },
  },
  deleted: {
    when: "A name that a restore removed, or in a dry run would remove.",
    fields: { path: "relative to the directory", kind: "file or directory" },
  },
  dashboard: {
    when: "Where the dashboard is.",
    fields: { url: "its address", opened: "whether a browser was started" },
  },
  storage: {
    when: "Where the local host keeps backups on this machine.",
    fields: {
      connectionString: "of the account, with its key",
      endpoint: "the account's address",
      sas: "what to put behind a ? to list and read its containers and blobs, good for a day",
    },
  },
  completion: {
    when: "A completion script.",
    fields: { shell: "bash, zsh or fish", script: "the text to be sourced" },
  },
  error: {
    when: "The command failed; the last line.",
    fields: { message: "what was wrong" },
  },
} as const;

export type JsonType = keyof typeof JSON_LINES;
