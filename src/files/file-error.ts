import { constants } from "node:os";

const FILE_ERRORS: Record<string, string> = {
  EACCES: "permission denied",
  EPERM: "not permitted",
  ENOENT: "no such file or directory",
  ENOTDIR: "not a directory",
  EIO: "input/output error: the disk or the share failed",
  ESTALE: "stale file handle: the share was mounted anew",
  EMFILE: "too many open files in this process; lower BACKUP_REQUESTS_IN_FLIGHT",
  ENFILE: "too many open files on this machine",
  ENAMETOOLONG: "its path is longer than the file system allows",
  EBUSY: "in use by another program",
  ENXIO: "no such device",
};

/** A file system's error code, explained. */
export function fileError(code: string): string {
  const name = nameOf(code);
  return FILE_ERRORS[name] ? `${FILE_ERRORS[name]} (${name})` : name;
}

/** libuv has no name for some errors, ESTALE among them: it gives "Unknown system error -116". */
function nameOf(code: string): string {
  const number = /^Unknown system error -(\d+)$/.exec(code)?.[1];
  const [name = code] = Object.entries(constants.errno).find(([, errno]) => String(errno) === number) ?? [];
  return name;
}
