import type { Run } from "../api/answers.ts";
import { api } from "../api/client.ts";
import { Dialog } from "../ui/dialog.ts";
import { h } from "../ui/element.ts";
import { choiceField } from "../ui/field.ts";
import { form } from "../ui/form.ts";
import { nameText } from "../ui/name-text.ts";
import { momentText } from "../ui/moment-text.ts";
import { go, hrefOf } from "../ui/route.ts";

/** Starts a verification of a backup. */
export function verifyDialog(run: Run): Dialog {
  const dialog = new Dialog("Verify");
  const readData = choiceField({
    name: "readData",
    label: "How thoroughly",
    value: "no",
    choices: [
      {
        value: "no",
        label: "Check that everything is there",
        hint: "by listing what is stored; reads no content",
      },
      { value: "5%", label: "Also read 5% back", hint: "different files each time" },
      { value: "yes", label: "Read everything back", hint: "takes as long as a restore" },
    ],
  });
  dialog.show(
    form({
      fields: [readData],
      content: [
        h("p", { class: "lead" }, "The backup of ", nameText(run.root), " of ", momentText(run.started), "."),
        readData.element,
      ],
      submit: "Verify",
      busy: "Starting …",
      send: async () => {
        const share = readData.value();
        const id = await api.start("verifyBackup", {
          run: run.id,
          readData: share === "yes" ? true : share === "no" ? false : share,
        });
        go(hrefOf(id), "replace");
      },
    }),
  );
  return dialog;
}
