// Behaviour of pages besides htmx: keyboard shortcuts, menus, confirmations, copying, waiting.
"use strict";

(() => {
  document.documentElement.classList.add("scripts"); // before anything asks for a style

  const editable = (element) =>
    element.isContentEditable || element.matches("textarea, select, input:not([type=checkbox])");
  const closeMenus = (except) => {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (menu !== except) menu.open = false;
    }
  };

  let afterG = 0; // until when a letter completes a "g" shortcut
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const open = document.querySelector("details[data-menu][open]");
      closeMenus();
      if (open) {
        open.querySelector("summary").focus();
        event.preventDefault(); // this press closes the menu and nothing else
      }
      return;
    }
    if (event.key === "Enter" && event.target.matches("input.in-words, input[data-enter-changes]")) {
      event.preventDefault(); // the change is sent, and the field keeps the focus
      event.target.dispatchEvent(new Event("change", { bubbles: true }));
      return;
    }
    if (document.body.dataset.singleKeys === "off") return;
    if (event.ctrlKey || event.metaKey || event.altKey || editable(event.target)) return;
    if (event.key === "/") {
      const search = document.querySelector("input[type=search]");
      if (search) {
        event.preventDefault();
        search.focus();
        search.select();
      }
    } else if (event.key === "j" || event.key === "k") {
      move(event.key === "j" ? 1 : -1);
    } else if (event.key === "g") {
      afterG = Date.now() + 1500;
    } else if (Date.now() < afterG) {
      afterG = 0;
      const link = [...document.querySelectorAll("a[data-go]")].find(
        (anchor) => anchor.dataset.go === event.key,
      );
      if (link) link.click();
      event.preventDefault(); // this press opens the page and nothing else
    }
  });

  // A menu closes when the focus leaves it, so that it covers nothing that has the focus.
  document.addEventListener("keyup", (event) => {
    if (event.key === "Tab") closeMenus(event.target.closest("details[data-menu]"));
  });

  // The search in the header: arrow keys move through what it finds.
  const found = () => [...document.querySelectorAll("#found a")];
  document.addEventListener("keydown", (event) => {
    const form = event.target.closest("[data-find]");
    if (!form) return;
    const input = form.querySelector("input");
    const places = [input, ...found()];
    const place = places.indexOf(event.target);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const step = event.key === "ArrowDown" ? 1 : places.length - 1;
      event.preventDefault();
      places[(place + step) % places.length].focus();
    } else if (event.key === "Escape") {
      event.preventDefault();
      htmx.trigger(input, "htmx:abort");
      document.getElementById("found").replaceChildren();
      input.value = "";
      input.focus();
    }
  });

  // j and k move through the rows of the list that is in use, or else of the first one.
  const LISTS = ".feed, .rows, .found, .notes, .rule-flags, .plan-companies";
  const ROWS = `main :is(.worklist > tbody, table:not(.worklist) > tbody > tr, :is(${LISTS}) > li, .flag)`;
  const entrance = (row) => row.querySelector("a, summary") ?? row.querySelector("button");
  const move = (step) => {
    const rows = [...document.querySelectorAll(ROWS)].filter((row) => row.offsetParent && entrance(row));
    const current = rows.findIndex((row) => row.contains(document.activeElement));
    const next = rows[current < 0 && step < 0 ? -1 : current + step];
    if (next) entrance(next).focus();
  };

  document.addEventListener("click", (event) => {
    const menu = event.target.closest("details[data-menu]");
    closeMenus(menu);
    const copier = event.target.closest("button[data-copy]");
    if (copier) copy(copier);
    if (event.target.closest("button[data-print]")) window.print();
  });

  // A link that replaces only a part of its page, unless it is opened elsewhere.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-part]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    htmx.ajax("GET", link.href, { source: link, target: link.dataset.part });
  });

  // htmx visits each element that it removes, with two events; one without children ends the visit.
  document.addEventListener("htmx:beforeCleanupElement", ({ target }) => {
    target.textContent = "";
  });

  async function copy(button) {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.value ?? source.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source); // so that Ctrl-C copies it
      button.textContent = "Press Ctrl-C";
    }
  }

  // A list that refreshes itself stands still while it is paused or in use, or nobody sees it.
  const isPaused = () => document.querySelector("button[data-pause]")?.ariaPressed === "true";
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-pause]");
    if (button) button.setAttribute("aria-pressed", !isPaused());
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    const list = event.target.closest("[data-live]");
    if (!list) return;
    const inUse = list.contains(document.activeElement) || !getSelection().isCollapsed;
    if (isPaused() || inUse || document.hidden) event.preventDefault();
  });

  // Today refreshes itself while somebody can see it and does nothing in it.
  const REFRESH_MS = 60_000;
  setInterval(() => {
    const today = document.getElementById("today");
    if (!today || document.hidden || today.contains(document.activeElement)) return;
    if (getSelection().isCollapsed) htmx.trigger(today, "refresh-today");
  }, REFRESH_MS);

  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });

  document.addEventListener("change", (event) => {
    if ("submitOnChange" in event.target.dataset) event.target.form.requestSubmit();
  });

  // What waits for something looks again, as long as somebody can see it.
  const WAIT_MS = 2000;
  const look = () => {
    if (document.visibilityState !== "visible") return;
    for (const waiting of document.querySelectorAll("[data-wait]")) htmx.trigger(waiting, "look");
  };
  setInterval(look, WAIT_MS);
  document.addEventListener("visibilitychange", look);

  const showError = (text) => {
    const message = document.createElement("p");
    message.className = "message error";
    message.setAttribute("role", "alert");
    message.textContent = text;
    document.getElementById("messages")?.replaceChildren(message);
  };
  document.addEventListener("htmx:responseError", (event) => {
    showError(`Something went wrong (${event.detail.xhr.status}). Reload the page and try again.`);
  });
  document.addEventListener("htmx:sendError", () => {
    showError("The dashboard does not respond. Try again in a moment.");
  });

  // The present page is in view among tabs that scroll sideways, from the first paint on.
  const showPresentTabs = () => requestAnimationFrame(() => {
    for (const tabs of document.querySelectorAll(".pages, .tabs ul")) {
      const [outer, inner] = [tabs, tabs.querySelector("[aria-current]")].map((e) => e?.getBoundingClientRect());
      if (inner) tabs.scrollLeft += inner.left + inner.width / 2 - outer.left - outer.width / 2;
    }
  });
  showPresentTabs();
  document.addEventListener("page:replaced", showPresentTabs);
})();
