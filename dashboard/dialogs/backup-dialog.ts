import { api, ApiError } from "../api/client.ts";
import type { Run } from "../api/answers.ts";
import { Dialog } from "../ui/dialog.ts";
import { h } from "../ui/element.ts";
import { checkField, choiceField, textField } from "../ui/field.ts";
import { form } from "../ui/form.ts";
import { patternFields } from "./pattern-fields.ts";
import { go, hrefOf } from "../ui/route.ts";
import { placeOf } from "../ui/words.ts";

/** Starts a backup. @param like the run to take directory and destination from. @param runs for suggestions */
export function backupDialog(like: Run | undefined, runs: readonly Run[]): Dialog {
  const dialog = new Dialog("Back up");
  const unique = (values: string[]): string[] => [...new Set(values)].filter((value) => value !== "");
  const backups = runs.filter(({ kind }) => kind === "backup");
  const root = textField({
    name: "root",
    label: "Directory",
    hint: "An absolute path on the app's machine.",
    required: true,
    value: like?.root,
    suggestions: unique(backups.map((run) => run.root)),
  });
  const container = textField({
    name: "container",
    label: "Container",
    hint: "Created if it does not exist.",
    required: true,
    value: like?.destination.container ?? "backups",
    suggestions: unique(backups.map(({ destination }) => destination.container)),
  });
  const prefix = textField({
    name: "prefix",
    label: "Folder in it",
    hint: "Optional.",
    value: like?.destination.prefix,
    suggestions: unique(backups.map(({ destination }) => destination.prefix)),
  });
  const layout = choiceField({
    name: "layout",
    label: "Layout",
    value: "",
    choices: [
      {
        value: "",
        label: "That of the destination",
        hint: "for a new one, that of the setting BACKUP_LAYOUT",
      },
      { value: "files", label: "Files", hint: "each is a blob under its own name, which any tool can read" },
      {
        value: "packs",
        label: "Packs",
        hint: "many files in one blob, compressed, equal parts stored once: faster and cheaper",
      },
    ],
  });
  const mode = choiceField({
    name: "mode",
    label: "What is copied",
    value: like ? "incremental" : "full",
    choices: [
      { value: "full", label: "Every file" },
      { value: "incremental", label: "Changed files", hint: "by size and times" },
      {
        value: "record",
        label: "Changed files, by the last run's record",
        hint: "faster; does not list the blobs",
      },
    ],
  });
  const patterns = patternFields();
  const checksum = checkField({
    name: "checksum",
    label: "Compare contents instead of sizes and times",
  });
  const keepVersions = checkField({
    name: "keepVersions",
    label: "Keep old versions of what is overwritten",
    hint: "Packs always keep them.",
    value: true,
  });
  const allowOtherRoot = checkField({
    name: "allowOtherRoot",
    label: "Mix with the backups of another directory",
  });
  const acceptFewer = checkField({
    name: "acceptFewer",
    label: "Accept the backup even if it finds less than a tenth of the files of the last one",
  });
  const more = h(
    "details",
    { class: "more" },
    h("summary", {}, "More"),
    keepVersions.element,
    checksum.element,
    allowOtherRoot.element,
    acceptFewer.element,
  );
  dialog.show(
    form({
      fields: [
        root,
        container,
        prefix,
        layout,
        mode,
        patterns.include,
        patterns.exclude,
        checksum,
        keepVersions,
        allowOtherRoot,
        acceptFewer,
      ],
      content: [
        root.element,
        h("div", { class: "fields" }, container.element, prefix.element),
        layout.element,
        mode.element,
        patterns.element,
        more,
      ],
      submit: "Back up",
      busy: "Starting …",
      send: async () => {
        const request = {
          root: root.value(),
          container: container.value(),
          prefix: prefix.value(),
          ...(layout.value() === "" ? {} : { layout: layout.value() }),
          ...(mode.value() === "record"
            ? { mode: "incremental", compareWith: "record" }
            : { mode: mode.value() }),
          include: patterns.include.value(),
          exclude: patterns.exclude.value(),
          checksum: checksum.value(),
          ...(keepVersions.value() ? {} : { keepVersions: false }),
          allowOtherRoot: allowOtherRoot.value(),
          acceptFewer: acceptFewer.value(),
        };
        try {
          go(hrefOf(await api.start("backupSiteContent", request)), "replace");
        } catch (error) {
          const otherRoot = error instanceof ApiError && error.problem["otherRoot"];
          if (typeof otherRoot !== "string") throw error;
          more.open = true;
          throw new Error(
            `${placeOf({ destination: request })} holds the backups of ${otherRoot}. Choose another folder, or allow mixing the two under “More”.`,
            { cause: error },
          );
        }
      },
    }),
  );
  return dialog;
}
