// A choice by the keyboard counts with Enter, or when its field is left: arrow keys and letters pass
// through options, and digits through dates, before they arrive at the one that is meant.
"use strict";

(() => {
  const ACTS = ":is(select, input[type=date]):is([data-submit-on-change], [hx-post])";
  const isMac = navigator.platform.startsWith("Mac"); // where arrow keys open the list of options
  const opensList = ({ key, altKey }) => key === " " || altKey || (isMac && key.startsWith("Arrow"));
  let typedIn = null; // the field that the keys change
  let before = ""; // its value before them
  let waits = false; // whether it has another one, which does not count yet

  const count = () => {
    const field = typedIn;
    waits = false;
    before = field.value;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };
  document.addEventListener("keydown", (event) => {
    if (!event.target.matches(ACTS)) return;
    if (waits && event.key === "Enter") {
      event.preventDefault();
      count();
    } else if (waits && event.key === "Escape") {
      event.target.value = before;
      waits = false;
    } else if (event.key !== "Tab" && event.key !== "Shift") {
      if (typedIn !== event.target) before = event.target.value;
      typedIn = opensList(event) && event.target.localName === "select" ? null : event.target;
    }
  }, true);
  document.addEventListener("pointerdown", () => {
    if (!waits) typedIn = null;
  }, true);
  document.addEventListener("change", (event) => {
    if (!event.isTrusted || event.target !== typedIn) return;
    event.stopImmediatePropagation();
    waits = true;
  }, true);
  document.addEventListener("focusout", (event) => {
    if (event.target !== typedIn) return;
    if (waits) count();
    typedIn = null;
  }, true);

  // Where it loads the page again, the field has the focus again.
  const RETURNS_TO = "brazebee-focus";
  document.addEventListener("submit", (event) => {
    const field = typedIn ?? document.activeElement;
    if (field.matches("[data-submit-on-change]") && field.form === event.target) {
      sessionStorage.setItem(RETURNS_TO, JSON.stringify([location.pathname, field.id, field.name]));
    }
  });
  const returnFocus = () => {
    const returned = sessionStorage.getItem(RETURNS_TO);
    if (!returned) return;
    sessionStorage.removeItem(RETURNS_TO);
    const [path, id, name] = JSON.parse(returned);
    const field = document.getElementById(id) ?? document.querySelector(`[data-submit-on-change][name="${name}"]`);
    if (path === location.pathname) field?.focus({ preventScroll: true });
  };
  returnFocus();
  document.addEventListener("page:replaced", returnFocus);
})();
