// Offers members while somebody types @ and a part of a name or an email into the text of a note,
// and marks a note as read when the reader whom it mentions follows a link in it.
"use strict";

(() => {
  const PAUSE_MS = 100;
  const LONGEST = 80; // characters of a name that are searched for
  const IN_AN_EMAIL = /[\p{L}\p{N}\p{M}_.%+@-]/u; // what precedes an @ that begins no mention

  // The place of the @ before the caret that begins a mention, or -1.
  const placeOfMention = (field) => {
    const caret = field.selectionStart;
    if (caret !== field.selectionEnd) return -1;
    for (let place = caret - 1; place >= 0 && caret - place <= LONGEST; place--) {
      const character = field.value[place];
      if (character === "\n") return -1;
      if (character !== "@" || (place > 0 && IN_AN_EMAIL.test(field.value[place - 1]))) continue;
      return field.value[place + 1] === " " ? -1 : place;
    }
    return -1;
  };

  // A text of several lines keeps its own role: ARIA has no combobox of several lines. It names its
  // list and the option that Enter takes, as a combobox does.
  const offerIn = (field) => {
    if (field.hasAttribute("aria-controls")) return; // it has its list already
    const list = document.createElement("ul");
    list.id = `${field.id}-members`;
    list.className = "offered";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Colleagues");
    field.after(list);
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-haspopup", "listbox");
    field.setAttribute("aria-controls", list.id);
    field.autocomplete = "off";

    let searching, asked;
    let closedAt = -1; // the place of the mention whose list was closed
    const options = () => [...list.querySelectorAll("[role=option]")];
    const chosen = () => list.querySelector("[aria-selected=true]");
    const choose = (option) => {
      chosen()?.setAttribute("aria-selected", "false");
      option.setAttribute("aria-selected", "true");
      field.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    };
    const close = () => {
      clearTimeout(searching);
      asked?.abort();
      list.hidden = true;
      list.replaceChildren();
      field.removeAttribute("aria-activedescendant");
    };
    const search = async (place) => {
      asked?.abort();
      asked = new AbortController();
      const text = field.value.slice(place + 1, field.selectionStart);
      const address = `${field.dataset.mentions}?${new URLSearchParams({ q: text })}`;
      try {
        const answer = await fetch(address, { signal: asked.signal });
        if (!answer.ok || answer.redirected) return close(); // such as to the sign-in
        const html = await answer.text();
        if (placeOfMention(field) !== place || document.activeElement !== field) return close();
        list.innerHTML = html; // of this server, which escapes names
        const [first] = options();
        list.hidden = !first;
        if (first) choose(first);
      } catch (error) {
        if (error.name !== "AbortError") close(); // without a list, an email can still be typed
      }
    };
    const look = () => {
      const place = placeOfMention(field);
      if (place < 0 || place !== closedAt) closedAt = -1;
      if (place < 0) return close();
      if (place === closedAt) return;
      clearTimeout(searching);
      searching = setTimeout(() => search(place), PAUSE_MS);
    };
    const insert = (option) => {
      const place = placeOfMention(field);
      if (place < 0) return close();
      const following = field.value[field.selectionStart] === " " ? "" : " ";
      field.setRangeText(
        `@${option.dataset.email}${following}`, place, field.selectionStart, "end",
      );
      closedAt = place;
      close();
    };

    field.addEventListener("input", look);
    field.addEventListener("click", look);
    field.addEventListener("blur", close);
    field.addEventListener("keydown", (event) => {
      if (event.key === "ArrowLeft" || event.key === "ArrowRight") return close();
      if (list.hidden || event.isComposing) return;
      const all = options();
      const place = all.indexOf(chosen());
      if (event.key === "ArrowDown") choose(all[(place + 1) % all.length]);
      else if (event.key === "ArrowUp") choose(all[(place + all.length - 1) % all.length]);
      else if (event.key === "Enter" || event.key === "Tab") insert(all[place]);
      else if (event.key === "Escape") {
        closedAt = placeOfMention(field);
        close();
      } else return;
      event.preventDefault();
      event.stopPropagation();
    });
    list.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // the text keeps the focus
    });
    list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) insert(option);
    });
  };

  const offerInAll = () => document.querySelectorAll("[data-mentions]").forEach(offerIn);
  document.addEventListener("htmx:afterSettle", offerInAll);
  offerInAll();

  // The request outlives the page.
  const markAsRead = (event) => {
    const note = event.target.closest("a[href]")?.closest(".unread");
    if (!note || event.button > 1) return;
    const form = note.querySelector("form[data-read]");
    const body = new FormData(form);
    fetch(form.action, { method: "POST", body, keepalive: true, redirect: "manual" });
  };
  document.addEventListener("click", markAsRead);
  document.addEventListener("auxclick", markAsRead);
})();
