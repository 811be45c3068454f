import * as df from "durable-functions";
import { largeFiles } from "../orchestration/large-files.ts";

/** For each kind of run, the orchestration of a lane of large files, and its activities. */
const WORK = {
  copyLargeFiles: { span: "copyLargeFile", fail: "failLargeFile" },
  restoreLargeFiles: { span: "restoreLargeFile", fail: "failLargeRestore" },
  verifyLargeFiles: { span: "verifyLargeFile", fail: "failLargeFile" },
};

for (const [name, activities] of Object.entries(WORK)) {
  df.app.orchestration(name, function* (context) {
    return yield* largeFiles(context, activities);
  });
}
