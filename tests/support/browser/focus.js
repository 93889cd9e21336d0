// What is wrong with the place of the focus, and the accessible name of what has it.
() => {
  const LEAST_IN_VIEW = 0.9; // of the area of what has the focus
  const LEAST_OUTLINE = 0.5; // of the length of the outline
  const MOST_COVERED = 0.25; // of the points that are looked at
  const EDITOR_DEPTH = 3; // elements from the text of an editor to the one that is outlined
  const element = document.activeElement;
  if (!element || element === document.body) return { name: "", fault: "nothing has the focus" };

  const text = (node) => (node?.textContent ?? "").replace(/\s+/g, " ").trim();
  const byIds = (ids) => ids.split(" ").filter(Boolean).map((id) => text(document.getElementById(id)));
  const ownText = element.matches("input, select, textarea") ? "" : text(element);
  const name =
    element.getAttribute("aria-label") ||
    byIds(element.getAttribute("aria-labelledby") ?? "").join(" ") ||
    text(element.labels?.[0] && withoutFields(element.labels[0])) ||
    ownText || element.title || "";
  const found = (fault) => ({ name, fault, tag: element.localName });

  function withoutFields(label) {
    const copy = label.cloneNode(true);
    for (const field of copy.querySelectorAll("input, select, textarea")) field.remove();
    return copy;
  }

  // The content of the page has the focus after the link that skips to it, and needs no outline.
  const boxes = [...element.getClientRects()].filter((box) => box.width > 1 && box.height > 1);
  if (!boxes.length) return found("what has the focus has no size");
  if (element.localName === "main") return found("");

  // The focus is drawn on the element, around the editor that it is in, or on a part of the field.
  const isOutlined = (node) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(node);
    return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  };
  const around = [element];
  while (around.length <= EDITOR_DEPTH && around.at(-1).parentElement) around.push(around.at(-1).parentElement);
  const drawn = element.matches(":focus") ? around.find(isOutlined) : element;
  if (!drawn) return found("the focus is not visible");
  const isLong = element.isContentEditable || boxes.some((box) => box.height > innerHeight / 2);
  if (isLong) return found(""); // such as a text or a table

  // What its ancestors and the window leave of the element.
  const clip = { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
  for (let node = element.parentElement; node && node !== document.body; node = node.parentElement) {
    const { overflowX, overflowClipMargin } = getComputedStyle(node);
    if (overflowX === "visible") continue;
    const box = node.getBoundingClientRect();
    const margin = overflowX === "clip" ? parseFloat(overflowClipMargin) : 0;
    clip.left = Math.max(clip.left, box.left - margin);
    clip.right = Math.min(clip.right, box.right + margin);
    clip.top = Math.max(clip.top, box.top - margin);
    clip.bottom = Math.min(clip.bottom, box.bottom + margin);
  }
  const areaOf = (box) => Math.max(0, box.right - box.left) * Math.max(0, box.bottom - box.top);
  const inView = boxes.map((box) => ({
    left: Math.max(box.left, clip.left), right: Math.min(box.right, clip.right),
    top: Math.max(box.top, clip.top), bottom: Math.min(box.bottom, clip.bottom),
  })).filter(areaOf);
  const sum = (numbers) => numbers.reduce((before, number) => before + number, 0);
  const percent = (share) => `${Math.round(100 * share)} %`;
  const share = sum(inView.map(areaOf)) / sum(boxes.map(areaOf));
  if (share < LEAST_IN_VIEW) return found(`only ${percent(share)} of what has the focus is in view`);

  // The outline, of which an ancestor that clips its content leaves less.
  const style = getComputedStyle(drawn);
  const beyond = parseFloat(style.outlineOffset) + parseFloat(style.outlineWidth);
  if (drawn === element && beyond > 0) {
    const [box] = boxes;
    const sides = [
      [box.left - clip.left, box.height], [clip.right - box.right, box.height],
      [box.top - clip.top, box.width], [clip.bottom - box.bottom, box.width],
    ];
    const length = sum(sides.filter(([room]) => room >= beyond - 1).map(([, side]) => side));
    const drawnShare = length / (2 * (box.width + box.height));
    if (drawnShare < LEAST_OUTLINE) return found(`only ${percent(drawnShare)} of the outline is in view`);
  }

  // What lies above it, such as a sticky head, the bar of actions, or an open menu.
  const inset = Math.max(0, -beyond);
  const within = inView.map(({ left, right, top, bottom }) => ({
    left: left + inset, right: right - inset, top: top + inset, bottom: bottom - inset,
  }));
  const above = within.flatMap((box) => [0.02, 0.25, 0.5, 0.75, 0.98].flatMap((across) => [0.1, 0.5, 0.9].map((down) => {
    const at = [box.left + (box.right - box.left) * across, box.top + (box.bottom - box.top) * down];
    return document.elementFromPoint(...at);
  })));
  const isPart = (node) => element.contains(node) || node.contains(element) || node.closest("label")?.control === element;
  const covering = above.filter((node) => node && !isPart(node));
  if (covering.length > above.length * MOST_COVERED) {
    return found(`${covering[0].localName}.${covering[0].className} covers what has the focus`);
  }
  return found("");
}
