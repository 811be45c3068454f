/** What every line about a run begins with. */
const OF_RUN = {
  run: "the run's id",
  app: "the app that runs it, if several share an account; optional",
  kind: "backup, restore, verify or prune",
  of: "the run that is restored or verified; optional",
  dryRun: "true if a restore or prune only reports what it would do; optional",
  root: "the directory",
  destination: "{container, prefix, url}: where the blobs are",
  layout: "files or packs: how the destination keeps contents",
  mode: "full or incremental",
} as const;

/**
 * The lines of --json: one object each, distinguished by `type`. Fields may be added, but never renamed or removed; a
 * field marked optional may be absent. The reference is generated from this, and tests check real output against it.
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
    when: "While a run is in progress, after each change.",
    fields: {
      run: "the run's id",
      listed: "{files, bytes, complete}: what is to be done, as far as it has been listed",
      settled: "{files, bytes}: how much of it is done",
      counts: "files by outcome so far",
      bytesPerSecond: "since the run began",
      secondsLeft: "an estimate; null while there is none",
    },
  },
  end: {
    when: "A run has ended.",
    fields: {
      exitCode: "of this command",
      output:
        "the run's output: bytes copied, restored or freed, or files verified; null if it failed; optional",
      ...OF_RUN,
      status: "completed, failed or canceled",
      started: "ISO 8601, UTC",
      finished: "ISO 8601, UTC; optional",
      counts:
        "{copied, unchanged, vanished, skipped, failed, directories, bytes, unchangedBytes}, and deleted for a prune; for a restore, copied means restored; for a verification, unchanged means verified; for a prune, unchanged counts the runs that stay; optional",
      settling:
        "true while a canceled run may still record files that were in progress, so the counts are not final; optional",
      bytes: "bytes copied, restored or deleted; optional",
      message: "why it failed, or that the restored or verified backup is partial; optional",
      warnings: "patterns that matched nothing, one sentence each; optional",
      comparedWith:
        "for a backup, {run}: the run whose record it compared with, or {destination, because}: that it listed the destination, and why; optional",
      suspect: "true if a backup found so few files that it does not count; optional",
      brokenOff: "true if the run stopped before it had tried every file, and does not count; optional",
      postdated: "true if the run is dated in the future and does not count until then; optional",
      forgotten: "the prune that forgot this run; optional",
      runs: "for a prune, {kept, forgotten}: how many runs; optional",
    },
  },
  run: {
    when: "A run, in a list or on its own.",
    fields: {
      ...OF_RUN,
      status: "running, completed, failed, canceled or skipped",
      started: "ISO 8601, UTC",
      finished: "ISO 8601, UTC; optional",
      counts: "as in end; optional",
      settling: "as in end; optional",
      bytes: "as in end; optional",
      message: "why it failed or was skipped, or that the restored or verified backup is partial; optional",
      warnings: "as in end, for a single run; optional",
      comparedWith: "as in end, for a single run; optional",
      suspect: "as in end; optional",
      brokenOff: "as in end; optional",
      postdated: "as in end; optional",
      forgotten: "the prune that forgot this run, which can no longer be restored; optional",
      progress: "as in GET /backups/{runId}, for a run in progress; optional",
    },
  },
  file: {
    when: "The outcome of one file.",
    fields: {
      path: "relative to the root, with / between segments",
      outcome: "copied, unchanged, vanished, skipped, failed or deleted",
      kind: "file, link, directory or other",
      size: "in bytes; 0 unless copied, unchanged or deleted",
      mtime: "microseconds since 1970; optional",
      mode: "permission bits; optional",
      md5: "of the content, in the layout files, base64; optional",
      sha256: "of the content, in the layout packs, base64; optional",
      reason: "why it failed or was skipped; optional",
    },
  },
  entry: {
    when: "A name in a backup.",
    fields: {
      path: "from the backup's root, escaped as on a terminal",
      escaped: "true if something in the path is escaped; optional",
      kind: "file, link, directory or other",
      size: "bytes of content in the backup",
      mtime: "microseconds since 1970; optional",
      mode: "permission bits; optional",
      md5: "of the content, in the layout files, base64; optional",
      sha256: "of the content, in the layout packs, base64; optional",
      target: "what a link points to, escaped; optional",
      targetEscaped: "true if something in the target is escaped; optional",
      outcome: "as in file; optional",
      reason: "why it is not in the backup, or what else there is to say; optional",
    },
  },
  got: {
    when: "A file, link or directory that get wrote, or could not.",
    fields: {
      path: "from the backup's root, escaped as on a terminal",
      kind: "file, link or directory",
      size: "in bytes",
      outcome: "written, unchanged or failed",
      reason: "why it failed; optional",
    },
  },
  content: {
    when: "A piece of the content that cat prints.",
    fields: { path: "as it was given", offset: "in bytes", base64: "the bytes" },
  },
  stats: {
    when: "What is stored of a directory in a destination.",
    fields: {
      root: "the directory",
      destination: "{container, prefix}",
      layout: "files or packs: how it keeps contents",
      runs: "how many backups can be restored",
      latest: "{run, started, files, bytes}: the newest of them, and what it restores; optional",
      stored: "{blobs, bytes}: what backups have in the destination, whatever their directory",
      old: "{blobs, bytes}: snapshots and versions, in addition",
      others: "{blobs, bytes}: what no backup wrote",
    },
  },
  deleted: {
    when: "A name that a restore removed, or a dry run would remove.",
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
      sas: "the query string to list and read its containers and blobs, valid for a day",
    },
  },
  completion: {
    when: "A completion script.",
    fields: { shell: "bash, zsh or fish", script: "the script to source" },
  },
  error: {
    when: "The command failed; the last line.",
    fields: { message: "what was wrong" },
  },
} as const;

export type JsonType = keyof typeof JSON_LINES;
