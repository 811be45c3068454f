import { h, type Child } from "./element.ts";
import type { Field } from "./field.ts";
import { messageOf } from "./message-of.ts";
import { errorNotice } from "./notice.ts";

interface FormOptions {
  /** The fields that a refusal may name. */
  fields: readonly Field<unknown>[];
  content: readonly Child[];
  /** The button's label, and its label while the app is working. */
  submit: string;
  busy: string;
  danger?: boolean;
  /** The label of the other button, which closes the dialog. */
  dismiss?: string;
  /** An error it throws is shown above the buttons. */
  send: () => Promise<void>;
}

/** A form in a dialog. A refusal is shown in the app's words, with the focus on the field it names. */
export function form(options: FormOptions): HTMLFormElement {
  const trouble = h("div", { class: "trouble" });
  const button = h(
    "button",
    { type: "submit", class: options.danger ? "danger" : "primary" },
    options.submit,
  );
  let sending = false;
  let notice: HTMLElement | undefined;

  async function send(): Promise<void> {
    if (sending) return;
    sending = true;
    button.setAttribute("aria-disabled", "true");
    button.textContent = options.busy;
    notice?.remove();
    for (const field of options.fields) field.fail(undefined);
    try {
      await options.send();
    } catch (error) {
      showTrouble(messageOf(error));
    } finally {
      sending = false;
      button.removeAttribute("aria-disabled");
      button.textContent = options.submit;
    }
  }

  function showTrouble(message: string): void {
    notice = errorNotice(message, "alert");
    const wrong = options.fields.filter(({ name }) => message.includes(`"${name}"`));
    for (const field of wrong) field.fail(message);
    // Beside the field: on a phone the end of the form is off screen.
    (wrong[0]?.element ?? trouble).append(notice);
    if (wrong[0]) wrong[0].focus();
    else notice.focus();
  }

  return h(
    "form",
    {
      class: "form",
      submit: (event) => {
        event.preventDefault();
        void send();
      },
    },
    ...options.content,
    trouble,
    h(
      "div",
      { class: "buttons" },
      h("button", { type: "button", click: closeDialogOf }, options.dismiss ?? "Cancel"),
      button,
    ),
  );
}

/** The end of a dialog that has nothing to send: a phone has no Esc. @param before buttons beside it */
export function closing(...before: HTMLElement[]): HTMLElement {
  const close = h("button", { type: "button", click: closeDialogOf }, "Close");
  return h("div", { class: "buttons" }, ...before, close);
}

/** Closes the dialog that an event came from. */
function closeDialogOf(event: Event): void {
  (event.target as Element).closest("dialog")?.close();
}
