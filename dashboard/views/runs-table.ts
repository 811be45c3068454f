import { moment } from "../../client/words.ts";
import type { Run } from "../api/answers.ts";
import { h, type Child } from "../ui/element.ts";
import { icon } from "../ui/icon.ts";
import { momentText } from "../ui/moment-text.ts";
import { nameText } from "../ui/name-text.ts";
import { hrefOf } from "../ui/route.ts";
import { statusBadge } from "../ui/status-badge.ts";
import { Table } from "../ui/table.ts";
import { amountOf, bytes, files, kindWords, number, placeOf, subjectOf, tookWords } from "../ui/words.ts";

export function runsTable(): Table {
  return new Table("Runs", "runs", [
    { title: "Status", class: "state" },
    { title: "Run", class: "what" },
    { title: "Files", class: "number" },
    { title: "Failed", class: "number" },
    { title: "Data", class: "number" },
    { title: "Started", class: "when" },
    { title: "Took", class: "number took" },
  ]);
}

export function runRow(run: Run): Child[] {
  const { counts } = run;
  const amount = amountOf(run);
  return [
    statusBadge(run),
    h(
      "div",
      {},
      h(
        "a",
        { href: hrefOf(run.id), class: "run-link" },
        nameText(subjectOf(run)),
        // A list of links has many for the same directory.
        h("span", { class: "unseen" }, `, ${moment(run.started)}`),
      ),
      h("div", { class: "sub" }, ...subtitle(run)),
    ),
    run.progress
      ? progressCell(run.progress)
      : amount === undefined
        ? ""
        : `${number(amount)}${run.settling ? "+" : ""}`,
    counts ? failedCell(counts.failed) : "",
    // A verification does not count what it reads.
    counts && run.kind !== "verify" ? bytes(counts.bytes) : "",
    momentText(run.started),
    run.finished === undefined ? h("span", { class: "sub" }, tookWords(run)) : tookWords(run),
  ];
}

function subtitle(run: Run): Child[] {
  const kind = kindWords(run);
  const forgotten = run.forgotten !== undefined && h("span", { class: "chip" }, "forgotten");
  const postdated = run.postdated && h("span", { class: "chip" }, "dated in the future");
  const how = run.layout === "packs" ? `${run.mode}, packs` : run.mode;
  if (run.kind === "backup") return [`${kind}, ${how}, to `, nameText(placeOf(run)), forgotten, postdated];
  if (run.kind === "prune") return [kind];
  const packs = run.layout === "packs" && ", packs";
  return [`${kind}, ${run.kind === "restore" ? "from" : "of"} `, nameText(placeOf(run)), packs];
}

/** A failure is marked, not only red. */
function failedCell(failed: number): Child {
  if (failed === 0) return h("span", { class: "zero" }, "0");
  return h("span", { class: "failed-count" }, icon("alert"), number(failed));
}

function progressCell({ listed, settled }: NonNullable<Run["progress"]>): Child {
  const words = listed.complete ? `${files(listed.files)}` : `${number(listed.files)}, listing`;
  const bar = h("progress", {
    "aria-label": "Done",
    max: Math.max(1, listed.files),
    value: listed.complete ? settled.files : undefined,
  });
  return h("div", { class: "row-progress" }, bar, h("span", {}, `${number(settled.files)} of ${words}`));
}
