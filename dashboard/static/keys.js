// The help that lists the keys, and those that select and open a row; brazebee.js moves between rows.
"use strict";

(() => {
  const dialog = document.getElementById("keys");
  document.addEventListener("keydown", (event) => {
    const inField = event.target.isContentEditable
      || (event.target.matches("input, textarea, select") && event.target.type !== "checkbox");
    if (event.ctrlKey || event.metaKey || event.altKey || inField) return;
    if (event.key === "?" && dialog) {
      event.preventDefault();
      if (dialog.open) dialog.close();
      else dialog.showModal();
    } else if (event.key.toLowerCase() === "x") {
      const pick = document.activeElement.closest("tr")?.querySelector("input[data-pick]");
      pick?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: event.shiftKey }));
    } else if (event.key === "o") {
      document.activeElement.closest("tbody")?.querySelector("[data-opens]")?.click();
    }
  });
  dialog?.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
  });
})();
