// The help that lists the keys, and those that select a row, open it and act on what is selected;
// brazebee.js moves between rows.
"use strict";

(() => {
  const help = () => document.getElementById("keys");
  let row = null; // what had the focus before the bar of actions

  // A key of the bar presses its button, or goes to its field.
  const act = (event) => {
    const action = document.querySelector(`[data-bulk].shown [aria-keyshortcuts="${CSS.escape(event.key)}"]`);
    if (!action) return;
    event.preventDefault(); // the letter is no part of a reason
    if (action.localName === "button") {
      action.click();
    } else {
      row = document.activeElement;
      action.focus();
    }
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && row?.isConnected && event.target.closest("[data-bulk]")) {
      row.focus();
      row = null;
      event.preventDefault(); // this press keeps the selection
    }
    if (document.body.dataset.singleKeys === "off") return;
    const inField = event.target.isContentEditable
      || (event.target.matches("input, textarea, select") && event.target.type !== "checkbox");
    if (event.ctrlKey || event.metaKey || event.altKey || inField) return;
    const dialog = event.key === "?" && help();
    if (dialog) {
      event.preventDefault();
      if (dialog.open) dialog.close();
      else dialog.showModal();
    } else if (event.key.toLowerCase() === "x") {
      const pick = document.activeElement.closest("tr")?.querySelector("input[data-pick]");
      pick?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: event.shiftKey }));
    } else if (event.key === "o") {
      document.activeElement.closest("tbody")?.querySelector("[data-opens]")?.click();
    } else if (!event.defaultPrevented) {
      act(event);
    }
  });
  document.addEventListener("click", ({ target }) => {
    if (target === help() || target.closest("#keys [data-close]")) help().close();
  });
})();
