// Selecting rows of a list with checkboxes, and the bar with the actions on them.
"use strict";

(() => {
  const picks = () => [...document.querySelectorAll("input[data-pick]")];
  const BELOW_BAR = 32; // pixels
  let last = null; // the checkbox that was clicked before, from which shift selects

  const show = () => {
    const bar = document.querySelector("[data-bulk]");
    if (!bar) return;
    const all = bar.querySelector("[data-pick-all]");
    const chosen = picks().filter((pick) => pick.checked).length;
    const isShown = bar.classList.toggle("shown", chosen > 0 || all.checked);
    bar.querySelector("[data-selected]").textContent = all.checked ? "All selected" : `${chosen} selected`;
    bar.querySelector("[data-pick-page]").checked = chosen > 0 && chosen === picks().length;
    // A row that gets the focus is scrolled to above the bar.
    if (isShown) document.querySelector("table.companies").style.setProperty("--bar", `${bar.offsetHeight + BELOW_BAR}px`);
  };
  // Who clicks goes on to the reason; the keyboard stays at its row.
  const focusText = () => {
    document.querySelector("[data-bulk].shown [data-focus]")?.focus({ preventScroll: true });
  };

  document.addEventListener("click", (event) => {
    const pick = event.target.closest("input[data-pick]");
    if (!pick) return;
    if (event.shiftKey && last && last !== pick) {
      const rows = picks();
      const [from, to] = [rows.indexOf(last), rows.indexOf(pick)].sort((a, b) => a - b);
      if (from >= 0) for (const row of rows.slice(from, to + 1)) row.checked = pick.checked;
    }
    last = pick;
    show();
    if (event.detail > 0) focusText();
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-pick-page]")) {
      for (const pick of picks()) pick.checked = event.target.checked;
    }
    if (event.target.matches("[data-pick], [data-pick-page], [data-pick-all]")) show();
  });

  // Escape clears the selection, unless it closes something else.
  document.addEventListener("keydown", (event) => {
    const bar = document.querySelector("[data-bulk].shown");
    if (event.key !== "Escape" || event.defaultPrevented || !bar) return;
    const inField = event.target.matches("input:not([type=checkbox]), textarea, select");
    const inBar = bar.contains(event.target);
    if ((inField && !inBar) || document.querySelector("dialog[open]")) return;
    for (const pick of [...picks(), bar.querySelector("[data-pick-all]")]) pick.checked = false;
    show();
    if (inBar) last?.focus();
  });

  // On a phone, the bar has one row until somebody asks for more.
  document.addEventListener("click", (event) => {
    const more = event.target.closest("[data-more-actions]");
    if (!more) return;
    const whole = more.form.classList.toggle("whole");
    more.setAttribute("aria-expanded", whole);
    more.textContent = whole ? "Less" : "More";
  });

  // What concerns more than the page shows is confirmed; a double click acts once.
  let sent = false;
  document.addEventListener("submit", (event) => {
    const bar = event.target.closest("[data-bulk]");
    if (!bar) return;
    const all = bar.querySelector("[data-pick-all]");
    if (!sent && all.checked) {
      const [action, which] = [event.submitter, all.closest("label")].map((e) => e.textContent.trim());
      const follows = event.submitter.dataset.follows ?? "";
      if (!window.confirm(`${action}: ${which.toLowerCase()}? ${follows}`)) {
        event.preventDefault();
        return;
      }
    }
    if (sent) event.preventDefault();
    sent = true;
  });

  document.addEventListener("page:replaced", () => { sent = false; });
  document.addEventListener("htmx:afterSettle", show);
  window.addEventListener("pageshow", () => {
    sent = false;
    // A browser that goes back keeps what is checked.
    if (document.querySelector("input:is([data-pick], [data-pick-all]):checked")) show();
  });
})();
