import { countOf, type Counts, type Outcome, OUTCOMES, type Run } from "../api/answers.ts";
import { h } from "../ui/element.ts";
import { icon, type IconName } from "../ui/icon.ts";
import { hrefWith } from "../ui/route.ts";
import { bytes, number, outcomeMeaning, outcomeWord } from "../ui/words.ts";

const ICONS: Partial<Record<Outcome, IconName>> = { failed: "alert" };

/** Counts by outcome; each links to its files. */
export function outcomeTiles(run: Run, query: URLSearchParams): HTMLElement[] {
  const { counts } = run;
  if (!counts) return [];
  const chosen = shownOutcome(run, query);
  return OUTCOMES.filter((outcome) => isOf(run, counts, outcome)).map((outcome) => {
    const count = countOf(counts, outcome);
    const shape = count > 0 ? ICONS[outcome] : undefined;
    return h(
      "a",
      {
        id: `tile-${outcome}`,
        class: `tile tile-${outcome}${count === 0 ? " none" : ""}`,
        href: hrefWith({ outcome, pages: undefined }),
        "aria-current": outcome === chosen ? "true" : undefined,
        title: outcomeMeaning(outcome),
      },
      h("span", { class: "tile-name" }, shape && icon(shape), outcomeWord(run, outcome)),
      h("span", { class: "tile-count" }, number(count)),
      h("span", { class: "tile-more" }, more(run, counts, outcome)),
    );
  });
}

/** The outcome whose files are shown: the one in the address, or failed if there are any. */
export function shownOutcome(run: Run, query: URLSearchParams): Outcome {
  const asked = OUTCOMES.find((outcome) => outcome === query.get("outcome"));
  if (asked) return asked;
  const { counts } = run;
  if ((counts?.failed ?? 0) > 0) return "failed";
  if (run.kind === "prune") return (counts?.deleted ?? 0) > 0 ? "deleted" : "unchanged";
  return run.kind === "verify" || (counts?.copied === 0 && counts.unchanged > 0) ? "unchanged" : "copied";
}

/** A verification copies nothing, and in a restore nothing vanishes: impossible outcomes are not shown. */
function isOf({ kind }: Run, counts: Counts, outcome: Outcome): boolean {
  if (countOf(counts, outcome) > 0 || outcome === "failed") return true;
  if (kind === "verify") return outcome === "unchanged";
  if (kind === "prune" || outcome === "deleted") return kind === "prune" && outcome === "deleted";
  return kind !== "restore" || outcome !== "vanished";
}

function more({ kind }: Run, counts: Counts, outcome: Outcome): string {
  if (countOf(counts, outcome) === 0) return "";
  if (outcome === "copied" || outcome === "deleted") return bytes(counts.bytes);
  return outcome === "unchanged" && kind !== "prune" ? bytes(counts.unchangedBytes) : "";
}
