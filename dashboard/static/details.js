// The details of a row, which a link with `data-opens` shows below it, and hides again.
"use strict";

(() => {
  document.addEventListener("htmx:beforeRequest", (event) => {
    const link = event.target.closest("[data-opens]");
    if (link?.getAttribute("aria-expanded") !== "true") return;
    event.preventDefault();
    document.getElementById(link.getAttribute("aria-controls")).replaceChildren();
    link.setAttribute("aria-expanded", "false");
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    const link = document.querySelector(`[data-opens][aria-controls="${event.detail.target.id}"]`);
    if (!link) return;
    link.setAttribute("aria-expanded", "true");
    // The keyboard goes on in what it opened; a tap must not open the keyboard of a phone.
    const { triggeringEvent } = event.detail.requestConfig;
    if (triggeringEvent?.detail === 0) event.detail.target.querySelector("select, input:not([type=hidden]), a")?.focus();
  });
})();
