// Starts the editor after the first paint, which shows the rules in their text area.
"use strict";

(() => {
  const { module } = document.currentScript.dataset;
  requestAnimationFrame(() => setTimeout(() => import(module)));
})();
