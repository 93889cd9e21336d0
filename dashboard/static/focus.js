// Where the focus goes when a part of the page is replaced, or a form is refused: to the element with
// the same id, or else to what is called the same, to what has its place in the same row, or to what
// has its place among all that can have the focus.
"use strict";

(() => {
  const FOCUSABLE = "a[href], button, summary, input:not([type=hidden]), select, textarea, [contenteditable=true]";
  const ROW = "li, tr";

  const focusableIn = (container) =>
    [...container.querySelectorAll(FOCUSABLE)].filter((element) => !element.disabled && element.checkVisibility());
  const nameOf = (element) => element.getAttribute("aria-label") ?? element.textContent.trim();
  const titleOf = (row) => row?.querySelector("bdi, th")?.textContent;

  let left = null; // what had the focus last, where it was, and on which page
  document.addEventListener("focusin", ({ target }) => {
    const containers = [];
    for (let node = target.parentElement; node; node = node.parentElement) if (node.id) containers.push(node.id);
    left = { element: target, name: nameOf(target), containers, page: location.pathname };
  });
  // The places are looked up just before they are gone: the page may have changed since. To remove the
  // element while it has the focus would lay out the page with both its former and its new content.
  let isReplaced = false;
  const notePlaces = (element) => {
    const row = element.closest(ROW);
    left.title = titleOf(row);
    left.placeInRow = row ? focusableIn(row).indexOf(element) : -1;
    left.places = left.containers.map((id) => focusableIn(document.getElementById(id)).indexOf(element));
  };
  const giveUp = ({ detail }) => {
    const element = document.activeElement;
    if (left?.element !== element) return;
    if (!detail.shouldSwap || !detail.target.contains(element)) return;
    if (left.page === location.pathname) notePlaces(element);
    isReplaced ||= detail.target !== element;
    if (isReplaced) element.blur();
  };
  document.addEventListener("htmx:beforeSwap", (event) => {
    isReplaced = false;
    giveUp(event);
  });
  document.addEventListener("htmx:oobBeforeSwap", giveUp);

  const at = (elements, place) => elements[Math.min(Math.max(place, 0), elements.length - 1)];
  const substitute = () => {
    const successor = left.element.isConnected ? left.element : left.element.id && document.getElementById(left.element.id);
    if (successor) return successor;
    const level = left.containers.findIndex((id) => document.getElementById(id));
    if (level < 0) return null;
    const container = document.getElementById(left.containers[level]);
    if (left.element.rel) return container.querySelector("tbody th a") ?? at(focusableIn(container), 0);
    const candidates = focusableIn(container);
    const same = candidates.find((element) => element.localName === left.element.localName && nameOf(element) === left.name);
    if (same) return same;
    const row = left.title && [...container.querySelectorAll(ROW)].find((row) => titleOf(row) === left.title);
    return (row && at(focusableIn(row), left.placeInRow)) ?? at(candidates, left.places?.[level] ?? 0);
  };
  document.addEventListener("htmx:afterSettle", () => {
    if (document.activeElement !== document.body || left?.page !== location.pathname) return;
    if (left.element.isConnected && !isReplaced) return;
    isReplaced = false;
    substitute()?.focus();
  });

  // Chromium leaves what is cut off at a side as it is, and shows only the caret of a long text.
  const MOST_OF_WINDOW = 0.5; // what is larger, such as a table, does not move
  document.addEventListener("keyup", ({ key, target }) => {
    if (key !== "Tab" || target.offsetHeight > innerHeight * MOST_OF_WINDOW) return;
    target.scrollIntoView({ block: "nearest", inline: "nearest" });
  });

  // A form that was refused begins at the first field that is wrong.
  document.querySelector("main :is(.wrong :is(input, select, textarea), [aria-invalid=true])")?.focus();
})();
