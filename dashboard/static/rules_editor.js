// The rules editor: CodeMirror over the form's text area, with inline errors and completion.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, linter, nextDiagnostic } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const form = document.getElementById("rules");
const area = form.querySelector("textarea");
const checkResult = document.getElementById("check-result");
const nonce = document.querySelector("script[type=importmap]").nonce;
const token = form.querySelector("[name=csrf_token]").value;

const counted = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

const completions = fetch(form.dataset.completions).then((answer) => answer.json());

// Adds a text to an element; what is quoted by backticks in it is code.
function addText(element, text) {
  text.split("`").forEach((part, place) => {
    if (place % 2) element.append(Object.assign(document.createElement("code"), { textContent: part }));
    else element.append(part);
  });
  return element;
}

// The first error or warning has a link to its place, which may be out of sight.
function showResult(faults, warnings) {
  const [first] = faults.length ? faults : warnings;
  checkResult.textContent = faults.length
    ? `${counted(faults.length, "error")}. First: `
    : warnings.length
      ? `No errors, ${counted(warnings.length, "warning")}. First: `
      : "No errors.";
  if (!first) return;
  const link = document.createElement("a");
  link.href = "#text";
  link.dataset.line = first.line;
  link.dataset.column = first.column;
  link.textContent = `line ${first.line}`;
  checkResult.append(link);
  addText(checkResult, `, ${first.message}`);
}

// Errors and warnings, from the server a moment after the last key.
async function findFaults(view) {
  const body = new FormData(form);
  body.set("text", view.state.doc.toString());
  let checked;
  try {
    const answer = await fetch(form.dataset.check, {
      method: "POST",
      body,
      headers: { Accept: "application/json", "X-CSRFToken": token },
    });
    if (!answer.ok) throw new Error(answer.status);
    checked = await answer.json();
  } catch {
    checkResult.textContent = "The rules could not be checked. They are checked again when you plan changes.";
    return [];
  }
  const { faults, warnings } = checked;
  showResult(faults, warnings);
  checkResult.className = faults.length ? "wrong" : warnings.length ? "warning" : "quiet";
  const diagnostic = (severity) => (fault) => {
    const { doc } = view.state;
    const line = doc.line(Math.min(Math.max(fault.line, 1), doc.lines));
    const from = Math.min(line.from + fault.column - 1, line.to);
    const word = /^("[^"]*"|'[^']*'|[^\s,{}[\]:]+)/.exec(line.text.slice(from - line.from));
    return { from, to: from + (word ? word[0].length : 0), severity, message: fault.message, renderMessage: () => addText(document.createElement("span"), fault.message) };
  };
  return [...faults.map(diagnostic("error")), ...warnings.map(diagnostic("warning"))];
}

// The position in the file, from the lines above: enough to choose the completions.
function positionIn(state, at) {
  const line = state.doc.lineAt(at);
  const before = line.text.slice(0, at - line.from);
  const indent = /^\s*(- )?/.exec(before)[0].length;
  let section = "";
  let parent = "";
  for (let number = line.number - 1; number > 0 && !section; number--) {
    const { text } = state.doc.line(number);
    const key = /^(\s*(?:- )?)["']?([^:#"']+)["']?\s*:/.exec(text);
    if (!key) continue;
    if (key[1].length < indent && !parent) parent = key[2].trim();
    if (key[1].length === 0) section = key[2].trim();
  }
  return { before, indent, section, parent };
}

const words = (list, type) => list.map((word) => (typeof word === "string" ? { label: word, type } : { type, ...word }));
const asKeys = (list) => words(list, "property").map((word) => ({ ...word, apply: `${word.label}: ` }));

async function complete(context) {
  const offered = await completions;
  const { before, indent, section, parent } = positionIn(context.state, context.pos);
  const pair = /(?:^|[{,]|- )\s*["']?([\w ]+)["']?\s*:\s*([^,{}]*)$/.exec(before);
  const typed = pair ? pair[2] : /[^\s{,-][^{,]*$|$/.exec(before)[0];
  if (!typed && !context.explicit && !pair) return null;
  const from = context.pos - typed.length;
  const own = statusesIn(context.state) || offered.statuses;
  const offer = (options) => (options.length ? { from, options, validFor: /^[^,{}:]*$/ } : null);
  if (pair) {
    const key = pair[1].trim();
    if (own.includes(key) || ["recover", "not"].includes(key)) return offer(words(offered.phrases, "text"));
    if (section === "notify" && offered.notify[key]) return offer(words(offered.notify[key], "text"));
    if (offered.destinations[key]) return offer(words(offered.destinations[key], "enum"));
    if (section === "notify" && key === "email") return offer(words(["owner"], "keyword"));
    if (key === "event") return offer(words(eventsIn(context.state).concat(offered.events), "enum").filter(once()));
    if (key === "enabled") return offer(words(["true", "false"], "keyword"));
    if (key === "if_missing") return offer(words([offered.not_applicable, ...own], "enum"));
    if (key === "new_company") return offer(words(["judge at once", "wait 7 days"], "text"));
    if (key === "for") return offer(words(["12 hours", "3 days"], "text"));
    return null;
  }
  if (indent === 0) return offer(asKeys(offered.keys.file));
  if (section === "flags" && (parent === "when" || /when:\s*\{[^}]*$/.test(before))) return offer(asKeys(own));
  if (section === "flags" && !["all", "any", "where", "applies_to"].includes(parent)) return offer(asKeys(offered.keys.flag));
  if (section === "flags" && ["all", "any"].includes(parent)) return offer(words(offered.phrases, "text"));
  if (section === "events" && /\{[^}]*$/.test(before)) return offer(asKeys(offered.keys.event));
  if (section === "events" && parent && parent !== "events") return offer(asKeys(offered.keys.event));
  if (section === "notify" && (parent === "to" || /to:\s*\{[^}]*$/.test(before))) return offer(asKeys(offered.keys.to));
  if (section === "notify" && parent !== "where") return offer(asKeys(offered.keys.notify));
  if (section === "defaults") return offer(asKeys(offered.keys.defaults));
  return null;
}

const once = (seen = new Set()) => (word) => !seen.has(word.label) && seen.add(word.label);

function statusesIn(state) {
  const match = /^statuses:\s*\[([^\]]*)\]/m.exec(state.doc.toString());
  return match && match[1].split(",").map((name) => name.trim().replace(/^["']|["']$/g, "")).filter(Boolean);
}

function eventsIn(state) {
  const match = /^events:.*\n((?:[ \t]+.*\n|\s*#.*\n|\s*\n)*)/m.exec(state.doc.toString());
  if (!match) return [];
  const lines = match[1].split("\n").filter((line) => /^\s+[^\s#]/.test(line));
  const least = Math.min(...lines.map((line) => /^\s*/.exec(line)[0].length));
  return lines
    .filter((line) => /^\s*/.exec(line)[0].length === least)
    .map((line) => ({ label: line.trim().split(":")[0].replace(/^["']|["']$/g, "") }));
}

const colours = HighlightStyle.define(
  [
    [tags.propertyName, "key"], [tags.definition(tags.propertyName), "key"], [tags.comment, "comment"],
    [tags.lineComment, "comment"], [tags.string, "string"], [tags.number, "number"], [tags.bool, "number"],
    [tags.punctuation, "mark"], [tags.separator, "mark"], [tags.bracket, "mark"],
  ].map(([tag, name]) => ({ tag, class: `code-${name}` })),
);

const wasInUse = document.activeElement === area; // somebody may have begun to type in it
const view = new EditorView({
  state: EditorState.create({
    doc: area.value,
    selection: wasInUse ? { anchor: area.selectionStart, head: area.selectionEnd } : undefined,
    extensions: [
      EditorView.cspNonce.of(nonce),
      EditorView.contentAttributes.of({ "aria-label": "Rules", tabindex: "0", spellcheck: "false", "aria-describedby": "check-result editor-keys" }),
      lineNumbers(), history(), drawSelection(), bracketMatching(), closeBrackets(), indentOnInput(), indentUnit.of("  "),
      highlightActiveLine(), yaml(), syntaxHighlighting(colours),
      linter(findFaults, { delay: 400 }), lintGutter(),
      autocompletion({ override: [complete], icons: false }),
      keymap.of([
        { key: "Escape", run: leave },
        { key: "F8", run: nextDiagnostic },
        ...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab,
      ]),
      EditorView.updateListener.of(({ docChanged, state }) => {
        if (!docChanged) return;
        area.value = state.doc.toString();
        const outcome = document.getElementById("outcome");
        if (outcome.childElementCount) {
          outcome.replaceChildren(); // it is about the previous text
          outcome.textContent = "The text has changed. Plan it again.";
        }
      }),
    ],
  }),
});

function goTo(number, column = 1) {
  if (!(number >= 1 && number <= view.state.doc.lines)) return;
  const { from, to } = view.state.doc.line(number);
  const anchor = Math.min(from + column - 1, to);
  view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
}

// Pages of companies, and the flags in words, link to a line of the rules.
if (!wasInUse) goTo(Number(form.dataset.line));
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-line]");
  if (!link) return;
  event.preventDefault();
  goTo(Number(link.dataset.line), Number(link.dataset.column));
  view.focus();
});

let leaving = false; // Escape followed by Tab leaves the editor, as the hint explains
function leave() {
  leaving = true;
  return false;
}
view.contentDOM.addEventListener("keydown", (event) => {
  if (leaving && event.key === "Tab") view.setTabFocusMode(2000);
  if (event.key !== "Escape") leaving = false;
}, true);

const hint = document.createElement("p");
hint.id = "editor-keys";
hint.className = "quiet keys-hint";
hint.textContent = "Press Ctrl-Space to complete, F8 for the next error, Escape then Tab to leave the editor.";
area.hidden = true;
area.before(view.dom);
if (wasInUse) {
  view.focus();
  view.dispatch({ scrollIntoView: true });
}
checkResult.after(hint);
window.addEventListener("beforeunload", (event) => {
  if (area.value.replace(/\r\n/g, "\n") !== area.defaultValue.replace(/\r\n/g, "\n") && !sending) event.preventDefault();
});
let sending = false;
document.addEventListener("submit", () => (sending = true));
document.addEventListener("htmx:afterSwap", (event) => {
  const beside = matchMedia("(min-width: 75rem)").matches;
  if (event.target.id === "outcome" && !beside) event.target.scrollIntoView({ block: "start" });
});
