import type { Run } from "../api/answers.ts";
import { api } from "../api/client.ts";
import { announce } from "../ui/announce.ts";
import { Dialog } from "../ui/dialog.ts";
import { h } from "../ui/element.ts";
import { form } from "../ui/form.ts";
import { nameText } from "../ui/name-text.ts";
import { kindWords, subjectOf } from "../ui/words.ts";

/** What happens to the work done. */
const AFTERWARDS: Record<string, string> = {
  backup: "what it has copied stays, and the next run continues from there",
  restore: "what it has written stays",
  verify: "what it has found stays on record",
  prune: "what it has deleted is gone, and the next prune finishes what it began",
};

function afterwards({ kind, dryRun }: Run): string {
  return dryRun ? "it has changed nothing" : (AFTERWARDS[kind] ?? "what it has done stays");
}

/** Stops a run, once it is confirmed. */
export function cancelDialog(run: Run): Dialog {
  const dialog = new Dialog("Cancel this run?");
  dialog.show(
    form({
      fields: [],
      content: [
        h(
          "p",
          { class: "lead" },
          `${kindWords(run)}: `,
          nameText(subjectOf(run)),
          `. It stops soon; ${afterwards(run)}.`,
        ),
      ],
      submit: "Cancel the run",
      busy: "Canceling …",
      danger: true,
      dismiss: "Let it run",
      send: async () => {
        await api.cancel(run.id);
        announce("The run is canceled.");
        dialog.close();
      },
    }),
  );
  return dialog;
}
