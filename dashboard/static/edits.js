// What was typed or checked and not sent is there again when somebody goes back to its page, as a
// browser does for a document; navigation.js replaces the body of one.
"use strict";

(() => {
  if (!window.NavigationPrecommitController) return;

  const SENT_AT_ONCE = "[hx-post], [data-submit-on-change]";
  const KEPT = `:is(input:not([type=hidden], [type=password], [type=file]), select, textarea)[name]:not(${SENT_AT_ONCE})`;
  const isChoice = (field) => field.matches("[type=checkbox], [type=radio]");
  const stateOf = (field) => (isChoice(field) ? "checked" : "value");
  const isEdited = (field) => {
    if (isChoice(field)) return field.checked !== field.defaultChecked;
    if (field.localName !== "select") return field.value !== field.defaultValue;
    const first = [...field.options].findLastIndex((option) => option.defaultSelected);
    return field.selectedIndex !== Math.max(first, 0);
  };
  const accepts = (field, value) =>
    field.localName !== "select" || [...field.options].some((option) => option.value === value);

  // The fields by key; those of a search are in its address. Where several have the same key, such as
  // one in each row, it is unknown which is which after the rows changed.
  const fields = () => {
    const found = new Map();
    for (const form of document.querySelectorAll("form[method=post]")) {
      for (const field of form.elements) {
        if (!field.matches(KEPT)) continue;
        const key = JSON.stringify([form.getAttribute("action"), field.name, isChoice(field) && field.value]);
        found.set(key, found.has(key) ? null : field);
      }
    }
    return [...found].filter(([, field]) => field);
  };

  const edits = new Map(); // by entry of the history
  navigation.addEventListener("currententrychange", ({ from }) => {
    const edited = fields().filter(([, field]) => isEdited(field));
    edits.set(from.key, new Map(edited.map(([key, field]) => [key, field[stateOf(field)]])));
  });
  document.addEventListener("page:replaced", () => {
    const edited = edits.get(navigation.currentEntry.key);
    if (!edited?.size) return;
    for (const [key, field] of fields()) {
      if (edited.has(key) && accepts(field, edited.get(key))) field[stateOf(field)] = edited.get(key);
    }
  });
})();
