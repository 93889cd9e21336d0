// The details of a row, which a link with `data-opens` shows below it, and hides again.
"use strict";

(() => {
  const close = (link) => {
    document.getElementById(link.getAttribute("aria-controls")).replaceChildren();
    link.setAttribute("aria-expanded", "false");
  };

  document.addEventListener("htmx:beforeRequest", (event) => {
    const link = event.target.closest("[data-opens]");
    if (link?.getAttribute("aria-expanded") !== "true") return;
    event.preventDefault();
    close(link);
  });

  // A text that was typed stays: leaving its field stores it.
  document.addEventListener("keydown", (event) => {
    const details = event.key === "Escape" && event.target.closest(".opened");
    const link = details && details.closest("tbody").querySelector("[data-opens]");
    if (!link) return;
    event.preventDefault(); // this press closes the details and nothing else
    link.focus();
    if (!document.querySelector(".htmx-request")) close(link);
  }, true);

  document.addEventListener("htmx:afterSettle", (event) => {
    const link = document.querySelector(`[data-opens][aria-controls="${event.detail.target?.id}"]`);
    if (!link) return;
    link.setAttribute("aria-expanded", "true");
    // The keyboard goes on in what it opened; a tap must not open the keyboard of a phone.
    const { triggeringEvent } = event.detail.requestConfig;
    if (triggeringEvent?.detail === 0) event.detail.target.querySelector("select, input:not([type=hidden]), a")?.focus();
  });
})();
