import type { Run, Status } from "../api/answers.ts";
import { h } from "./element.ts";
import { icon, type IconName } from "./icon.ts";

interface Look {
  icon: IconName;
  word: string;
  meaning: string;
}

const LOOKS: Record<Status, Look> = {
  running: { icon: "running", word: "Running", meaning: "It is still running." },
  completed: { icon: "check", word: "Completed", meaning: "Every file was processed, and none failed." },
  failed: {
    icon: "cross",
    word: "Failed",
    meaning: "Some files failed, or it was stopped by an error; what succeeded stays.",
  },
  canceled: { icon: "stop", word: "Canceled", meaning: "It was stopped; what was done stays." },
  skipped: { icon: "stop", word: "Skipped", meaning: "It did not start: another run was in progress." },
};

const SUSPECT: Look = {
  icon: "alert",
  word: "Suspect",
  meaning: "It found less than a tenth of the files of the last good run, and does not count.",
};

/** A run's status: a shape and a word, so that nobody needs to tell colours apart. */
export function statusBadge({ status, suspect }: Pick<Run, "status" | "suspect">): HTMLElement {
  // A later version of the app may have others.
  const look = suspect ? SUSPECT : (LOOKS[status] ?? { icon: "stop", word: status, meaning: "" });
  const { icon: shape, word, meaning } = look;
  return h("span", { class: `status status-${status}`, title: meaning }, icon(shape), word);
}
