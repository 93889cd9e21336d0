// Links, searches and steps in the history replace the body of this document instead of loading
// another one, which takes a browser longer. Answers to forms, signing in, and the editor of rules, with
// scripts and a policy of its own, have their own documents, and so does every page in a browser that
// cannot wait for a page before it shows its address. What one person typed is not shown to another.
"use strict";

(() => {
  if (!window.NavigationPrecommitController) return;

  const LOAD = "load"; // marks a navigation that the browser does by itself
  const isAlone = (page) => "alone" in page.documentElement.dataset;
  // Without what extensions of the browser add.
  const assetsOf = (page) => {
    const all = [...page.head.querySelectorAll("script, link[rel=stylesheet]")].map(({ src, href }) => src ?? href);
    return all.filter((address) => address.startsWith(location.origin)).join();
  };
  const needsDocument = (page) =>
    isAlone(page) ||
    page.documentElement.dataset.person !== document.documentElement.dataset.person ||
    assetsOf(page) !== assetsOf(document);

  let isLeaving = false; // whether the browser loads another document, which it would still show later
  const replaces = ({ canIntercept, hashChange, downloadRequest, formData, info, navigationType, destination }) => {
    if (!canIntercept || hashChange || downloadRequest !== null || formData || isAlone(document)) return false;
    if (info === LOAD || navigationType === "reload") return false;
    if (navigationType === "traverse") return true;
    return !destination.sameDocument && !isLeaving; // htmx adds to the history itself
  };

  // What htmx requested for a page that was left must not change another one. While a page is on its
  // way, an answer with an address of its own would end that navigation.
  let pages = 0; // how many were shown in this document
  const ignoreIfLeft = (event) => {
    const { page, xhr } = event.detail;
    const hasAddress = ["HX-Push-Url", "HX-Replace-Url"].some((name) => xhr.getResponseHeader(name));
    if (page !== pages || (navigation.transition && hasAddress)) event.preventDefault();
  };
  document.addEventListener("htmx:beforeSend", ({ target, detail }) => {
    detail.page = pages;
    target.addEventListener("htmx:beforeOnLoad", ignoreIfLeft);
  });

  // A screen reader reads the title of a page that a browser loads.
  const announcer = document.createElement("p");
  announcer.className = "hidden";
  announcer.setAttribute("aria-live", "polite");
  document.body.append(announcer);

  const replaceBody = (page) => {
    pages += 1;
    htmx.trigger(document.body, "htmx:beforeSwap", { shouldSwap: true, target: document.body });
    document.title = page.title;
    for (const { name, value } of page.body.attributes) document.body.setAttribute(name, value);
    for (const node of [...document.body.childNodes]) if (node !== announcer) node.remove();
    document.body.prepend(...page.body.childNodes);
    htmx.process(document.body);
    document.dispatchEvent(new Event("page:replaced"));
    htmx.trigger(document.body, "htmx:afterSettle", { target: document.body, requestConfig: {} });
    announcer.textContent = page.title;
  };

  // The page, or null if it needs a document of its own, in which the browser also shows what failed.
  const read = async ({ destination, signal }) => {
    try {
      const answer = await fetch(destination.url, { signal });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (needsDocument(page)) return null;
      return { page, redirectedTo: answer.redirected && answer.url };
    } catch (error) {
      if (signal.aborted) throw error;
      return null;
    }
  };
  const goOn = (event) => {
    const { destination, navigationType } = event;
    let found;
    event.intercept({
      async precommitHandler(controller) {
        found = await read(event);
        if (!found) navigation.navigate(destination.url, { history: navigationType, info: LOAD });
        else if (found.redirectedTo) controller.redirect(found.redirectedTo);
      },
      async handler() {
        replaceBody(found.page);
      },
    });
  };
  // A step in the history cannot be redirected, nor wait in a document in which nobody did anything
  // yet. Then the browser loads the page; meanwhile, the one that was left must not be in use.
  const goBack = (event) => {
    let found = null;
    const wait = async () => {
      found = await read(event);
    };
    event.intercept({
      precommitHandler: event.cancelable ? wait : undefined,
      async handler() {
        if (found && !found.redirectedTo) return replaceBody(found.page);
        document.body.replaceChildren();
        location.reload();
      },
    });
  };
  navigation.addEventListener("navigate", (event) => {
    if (replaces(event)) (event.navigationType === "traverse" ? goBack : goOn)(event);
    else isLeaving ||= !event.destination.sameDocument && event.downloadRequest === null;
  });
  window.addEventListener("popstate", (event) => {
    if (!isAlone(document)) event.stopImmediatePropagation(); // htmx would load the page once more
  }, true);
})();
