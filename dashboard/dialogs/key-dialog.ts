import { h, newId } from "../ui/element.ts";
import { Dialog } from "../ui/dialog.ts";
import { form } from "../ui/form.ts";
import { errorNotice } from "../ui/notice.ts";

/** Asks for the function key. @param refused one was given before. @returns undefined if none is given */
export function askForKey(refused: boolean): Promise<string | undefined> {
  return new Promise((resolve) => {
    const dialog = new Dialog("Function key");
    const input = h("input", {
      type: "password",
      required: true,
      id: newId("key"),
      autocomplete: "off",
      spellcheck: "false",
      autofocus: true,
    });
    let given: string | undefined;
    dialog.show(
      form({
        fields: [],
        content: [
          refused
            ? errorNotice("The app rejected this key.", "alert")
            : h("p", {}, "This app asks for one of its function keys."),
          h(
            "div",
            { class: "field" },
            h("label", { for: input.id }, "Key"),
            input,
            h(
              "span",
              { class: "hint" },
              "Kept until this tab is closed, and sent only to this app. Find it in the portal under App keys, or with ",
              h("code", {}, "az functionapp keys list"),
              ".",
            ),
          ),
        ],
        submit: "Continue",
        busy: "Continue",
        send: () => {
          given = input.value.trim();
          dialog.close();
          return Promise.resolve();
        },
      }),
    );
    dialog.open(() => resolve(given === "" ? undefined : given));
  });
}
