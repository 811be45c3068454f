import { holdsSomething, isGood, type Run } from "../api/answers.ts";
import { api } from "../api/client.ts";
import { Dialog } from "../ui/dialog.ts";
import { checkField, choiceField, selectField, textField } from "../ui/field.ts";
import { closing, form } from "../ui/form.ts";
import { visibleText } from "../ui/name-text.ts";
import { note } from "../ui/notice.ts";
import { moment } from "../../client/words.ts";
import { placeOf } from "../ui/words.ts";
import { DryRun } from "./dry-run.ts";
import { patternFields } from "./pattern-fields.ts";
import type { RestoreRequest } from "./restore-request.ts";

/** Restores a backup in two steps: a dry run shows what it would do, and once that is confirmed it does it. */
export function restoreDialog(run: Run | undefined, runs: readonly Run[]): Dialog {
  const dialog = new Dialog("Restore");
  const backups = runs.filter(
    (each) =>
      each.kind === "backup" &&
      each.status !== "running" &&
      each.forgotten === undefined &&
      holdsSomething(each),
  );
  const known = run === undefined || backups.some(({ id }) => id === run.id) ? backups : [run, ...backups];
  if (known.length === 0) {
    dialog.show(note("There is no backup to restore yet."), closing());
    return dialog;
  }
  const source = selectField({
    name: "run",
    label: "Backup",
    value: (run ?? known.find(isGood))?.id,
    choices: known.map(({ id, ...of }) => ({ value: id, label: labelOf({ id, ...of }) })),
  });
  const to = textField({
    name: "to",
    label: "Into the directory",
    hint: "An absolute path on the app's machine; created if it does not exist.",
    required: true,
    suggestions: [...new Set(runs.map(({ root }) => root))],
  });
  const overwrite = choiceField({
    name: "overwrite",
    label: "Existing files",
    value: "changed",
    choices: [
      { value: "changed", label: "Replace those that differ", hint: "in size or time" },
      { value: "never", label: "Leave them" },
      { value: "always", label: "Replace them all" },
    ],
  });
  const { include, exclude, element } = patternFields();
  const remove = checkField({
    name: "delete",
    label: "Remove what is in the directory but not in the backup",
    hint: "You see the list before anything is removed.",
  });
  let dry: DryRun | undefined;
  const asking = form({
    fields: [source, to, overwrite, include, exclude, remove],
    content: [source.element, to.element, overwrite.element, element, remove.element],
    submit: "Show what it would do",
    busy: "Starting a dry run …",
    send: async () => {
      const request: RestoreRequest = {
        run: source.value(),
        to: to.value(),
        overwrite: overwrite.value(),
        include: include.value(),
        exclude: exclude.value(),
        delete: remove.value(),
      };
      const id = await api.start("restoreSiteContent", { ...request, dryRun: true });
      if (!dialog.element.open) return;
      dry = new DryRun(dialog, id, request, () => {
        dialog.step("Restore", asking);
        to.focus();
      });
    },
  });
  dialog.show(asking);
  dialog.element.addEventListener("close", () => dry?.stop());
  return dialog;
}

function labelOf(run: Run): string {
  const state = run.suspect ? ", suspect" : run.status === "completed" ? "" : `, ${run.status}`;
  return visibleText(`${moment(run.started)}  ${run.root} → ${placeOf(run)}${state}`);
}
