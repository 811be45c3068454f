import type { Status } from "../api/answers.ts";
import { h } from "./element.ts";
import { icon, type IconName } from "./icon.ts";

interface Look {
  icon: IconName;
  word: string;
  meaning: string;
}

const LOOKS: Record<Status, Look> = {
  running: { icon: "running", word: "Running", meaning: "It is going on." },
  completed: { icon: "check", word: "Completed", meaning: "Every file was dealt with, and none failed." },
  failed: {
    icon: "cross",
    word: "Failed",
    meaning: "Some files failed, or it was stopped by an error; what succeeded stays.",
  },
  canceled: { icon: "stop", word: "Canceled", meaning: "Somebody stopped it; what was done stays." },
  skipped: { icon: "stop", word: "Skipped", meaning: "It did not begin: another run was going on." },
};

/** How a run stands: a shape and a word, so that nobody needs to tell colours apart. */
export function statusBadge(status: Status): HTMLElement {
  // A later version of the app may know more.
  const { icon: shape, word, meaning } = LOOKS[status] ?? { icon: "stop", word: status, meaning: "" };
  return h("span", { class: `status status-${status}`, title: meaning }, icon(shape), word);
}
