import type { Run } from "../api/answers.ts";
import { api } from "../api/client.ts";
import { announce } from "../ui/announce.ts";
import { Dialog } from "../ui/dialog.ts";
import { h } from "../ui/element.ts";
import { form } from "../ui/form.ts";
import { nameText } from "../ui/name-text.ts";
import { kindWords } from "../ui/words.ts";

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
          nameText(run.root),
          ". It stops soon; what it has done stays, and a later run goes on from there.",
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
