// Links, searches and steps in the history replace the body of this document instead of loading
// another one, which takes a browser longer. Answers to forms and the editor of rules, with scripts
// and a policy of its own, have their own documents, and so does every page in a browser that cannot
// wait for a page before it shows its address.
"use strict";

(() => {
  if (!window.NavigationPrecommitController) return;

  const LOAD = "load"; // marks a navigation that the browser does by itself
  const isAlone = (page) => "alone" in page.documentElement.dataset;
  const assetsOf = (page) =>
    [...page.head.querySelectorAll("script, link[rel=stylesheet]")].map(({ src, href }) => src ?? href).join();

  const replaces = ({ canIntercept, hashChange, downloadRequest, formData, info, navigationType, destination }) => {
    if (!canIntercept || hashChange || downloadRequest !== null || formData || isAlone(document)) return false;
    if (info === LOAD || navigationType === "reload") return false;
    return navigationType === "traverse" || !destination.sameDocument; // htmx adds to the history itself
  };

  // An answer to htmx that arrives later belongs to a page that was left.
  const ignoreIfLeft = (event) => {
    if (!event.target.isConnected) event.preventDefault();
  };
  document.addEventListener("htmx:beforeSend", ({ target }) => {
    target.addEventListener("htmx:beforeOnLoad", ignoreIfLeft);
  });

  // A screen reader reads the title of a page that a browser loads.
  const announcer = document.createElement("p");
  announcer.className = "hidden";
  announcer.setAttribute("aria-live", "polite");
  document.body.append(announcer);

  const replaceBody = (page) => {
    htmx.trigger(document.body, "htmx:beforeSwap", { shouldSwap: true, target: document.body });
    document.title = page.title;
    for (const node of [...document.body.childNodes]) if (node !== announcer) node.remove();
    document.body.prepend(...page.body.childNodes);
    htmx.process(document.body);
    document.dispatchEvent(new Event("page:replaced"));
    htmx.trigger(document.body, "htmx:afterSettle", { target: document.body, requestConfig: {} });
    announcer.textContent = page.title;
  };

  const read = async ({ destination, signal }, load) => {
    try {
      const answer = await fetch(destination.url, { signal });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (isAlone(page) || assetsOf(page) !== assetsOf(document)) throw new Error("It needs a document of its own.");
      return { page, redirectedTo: answer.redirected && answer.url };
    } catch (error) {
      if (!signal.aborted) load();
      throw error;
    }
  };
  const goOn = (event) => {
    const load = () => navigation.navigate(event.destination.url, { history: event.navigationType, info: LOAD });
    let found;
    event.intercept({
      async precommitHandler(controller) {
        found = await read(event, load);
        if (found.redirectedTo) controller.redirect(found.redirectedTo);
      },
      async handler() {
        replaceBody(found.page);
      },
    });
  };
  // A step in the history cannot wait: its address is shown at once.
  const goBack = (event) => {
    event.intercept({
      async handler() {
        replaceBody((await read(event, () => location.reload())).page);
      },
    });
  };
  navigation.addEventListener("navigate", (event) => {
    if (replaces(event)) (event.navigationType === "traverse" ? goBack : goOn)(event);
  });
  window.addEventListener("popstate", (event) => {
    if (!isAlone(document)) event.stopImmediatePropagation(); // htmx would load the page once more
  }, true);
})();
