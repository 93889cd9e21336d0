// What is wrong with the layout of the page at the present width; `tests.support.browser.layout`
// calls it with a word that every text of clients and people contains.
([sentinel, isPhone]) => {
  const faults = [];
  const name = (element) => {
    const path = [];
    for (let e = element; e && e !== document.body && path.length < 4; e = e.parentElement) {
      const classes = [...e.classList].map((c) => `.${c}`).join("");
      path.unshift(e.tagName.toLowerCase() + (e.id ? `#${e.id}` : "") + classes);
    }
    return path.join(" > ") || "body";
  };
  const report = (what, element) => faults.push(`${what}: ${name(element)}`);

  // What is painted, and where
  const ancestors = function* (element) {
    for (let e = element; e; e = e.parentElement) yield e;
  };
  const styleOf = (element) => getComputedStyle(element);
  const isSeen = (element) => {
    const box = element.getBoundingClientRect();
    if (!element.checkVisibility({ visibilityProperty: true }) || box.width <= 1 || box.height <= 1)
      return false;
    if (element.closest(".hidden, .skip")) return false;
    return [...ancestors(element)].every((e) => styleOf(e).clipPath === "none");
  };
  const isOutside = (element) => {
    const box = element.getBoundingClientRect();
    return box.right > innerWidth + 1 || box.left < -1;
  };
  const clipper = (element, axis) =>
    [...ancestors(element)].find((e) => ["hidden", "clip"].includes(styleOf(e)[axis]));
  const isClipped = (element) => {
    const region = clipper(element.parentElement, "overflowX");
    return Boolean(region) && !isOutside(region);
  };
  const scrolls = (element) =>
    ["auto", "scroll"].includes(styleOf(element).overflowX) &&
    element.scrollWidth > element.clientWidth + 1;
  const FOCUSABLE = "a[href], button, input, select, textarea, [tabindex='0']";
  const takesFocus = (element) => element.tabIndex >= 0 || element.querySelector(FOCUSABLE);
  const isControl = (element) =>
    element.matches("input, select, textarea, .cm-editor, .cm-editor *");

  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) report(`the page is ${root.scrollWidth} wide`, document.body);
  const elements = [...document.body.querySelectorAll("*:not(svg *, script, option, optgroup)")];
  const seen = elements.filter(isSeen);

  const spills = (element) =>
    styleOf(element).display !== "inline" &&
    element.clientWidth > 0 &&
    element.scrollWidth > element.clientWidth + 2;
  for (const element of seen) {
    const style = styleOf(element);
    if (isOutside(element) && !isOutside(element.parentElement) && !isClipped(element)) {
      const region = [...ancestors(element.parentElement)].find(scrolls);
      if (!region) report("outside of the window", element);
      else if (!takesFocus(region)) report("scrolls but takes no focus", region);
    }
    if (isPhone && scrolls(element) && element.matches(".table"))
      report("a table that scrolls sideways", element);
    if (isControl(element)) continue;
    const isCut =
      ["hidden", "clip"].includes(style.overflowX) &&
      (element.scrollWidth > element.clientWidth + 1 ||
        (style.webkitLineClamp !== "none" && element.scrollHeight > element.clientHeight + 1));
    if (isCut && !element.closest("[title]") && !element.querySelector("[title]"))
      report("text is cut, and no title has it", element);
    if (style.overflowX === "visible" && spills(element) && !element.matches(".menu")) {
      const within = [...element.querySelectorAll("*")].some((e) => isSeen(e) && spills(e));
      if (!within && !scrolls(element.parentElement)) report("content outside of its box", element);
    }
  }

  // Texts: in order whatever their direction, and not in columns of single letters
  const ISOLATING = "bdi, [dir], textarea, title, option, pre, code, svg, script, .cm-editor";
  const NARROW = 110;
  const TALL = 160;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  for (let text; (text = texts.nextNode()); ) {
    const parent = text.parentElement;
    if (text.data.includes(sentinel) && !parent.closest(`${ISOLATING}, .hidden`))
      report("not isolated", parent);
    range.selectNodeContents(text);
    const box = range.getBoundingClientRect();
    if (box.width < NARROW && box.height > TALL && isSeen(parent)) {
      const region = clipper(parent, "overflowY");
      if (!region || region.clientHeight > TALL) report("squeezed", parent);
    }
  }
  const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;
  if (!VISIBLE.test(document.title.replace("· Brazebee", ""))) faults.push("the title is empty");
  for (const element of seen.filter((e) => e.matches("a, button, h1, h2, h3, tbody th, summary"))) {
    const text = element.textContent + (element.ariaLabel || "");
    if (!VISIBLE.test(text) && !element.querySelector("img, input, svg"))
      report("nothing to see", element);
  }

  // Targets: 44 pixels, apart from links in sentences
  if (!isPhone) return faults;
  const LEAST = 43.5;
  const BLOCK = "p, li, dd, dt, h1, h2, h3, legend, label, div, footer";
  const isInSentence = (link) => {
    if (styleOf(link).display !== "inline" || link.closest("td, th")) return false;
    const block = link.closest(BLOCK);
    const links = [...block.querySelectorAll("a")].map((a) => a.textContent);
    const others = links.reduce((text, part) => text.replace(part, ""), block.textContent);
    return /[\p{L}\p{N}]/u.test(others);
  };
  const TARGETS = "button, .button, input:not([type=hidden]), select, textarea, summary, a[href]";
  for (const element of seen.filter((e) => e.matches(TARGETS))) {
    if (element.closest(".cm-editor") || element.disabled) continue;
    if (element.matches("a, button.link") && isInSentence(element)) continue;
    const label = element.matches("[type=checkbox], [type=radio]") && element.closest("label");
    const { width, height } = (label || element).getBoundingClientRect();
    if (width < LEAST || height < LEAST)
      report(`a target of ${Math.round(width)} x ${Math.round(height)}`, element);
  }
  return faults;
};
