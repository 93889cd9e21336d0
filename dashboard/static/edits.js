// What was typed or checked and not sent is there again when somebody goes back to its page, as a
// browser does for a document; navigation.js replaces the body of one.
"use strict";

(() => {
  if (!window.navigation) return;

  const KEPT = ":is(input:not([type=hidden], [type=password], [type=file]), select, textarea)[name]";
  const isChoice = (field) => field.matches("[type=checkbox], [type=radio]");
  const stateOf = (field) => (isChoice(field) ? "checked" : "value");
  const isEdited = (field) => {
    if (isChoice(field)) return field.checked !== field.defaultChecked;
    if (field.localName !== "select") return field.value !== field.defaultValue;
    return [...field.options].some((option) => option.selected !== option.defaultSelected);
  };
  // The fields with their keys; those of a search are in its address.
  const fields = () => {
    const found = [...document.querySelectorAll("form[method=post]")].flatMap((form) => [...form.elements]);
    const alike = {};
    return found.filter((field) => field.matches(KEPT)).map((field) => {
      const name = JSON.stringify([field.form.action, field.name, isChoice(field) && field.value]);
      alike[name] = (alike[name] ?? 0) + 1;
      return [`${name} ${alike[name]}`, field];
    });
  };

  const edits = new Map(); // by entry of the history
  navigation.addEventListener("navigate", ({ navigationType }) => {
    if (navigationType === "reload") return;
    const edited = fields().filter(([, field]) => isEdited(field));
    edits.set(navigation.currentEntry.key, new Map(edited.map(([key, field]) => [key, field[stateOf(field)]])));
  });
  document.addEventListener("page:replaced", () => {
    const edited = edits.get(navigation.currentEntry.key);
    if (!edited?.size) return;
    for (const [key, field] of fields()) {
      if (edited.has(key)) field[stateOf(field)] = edited.get(key);
    }
  });
})();
