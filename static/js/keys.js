// Keys, declared where they act: data-key="n" or data-key="g i" on a link, button, radio or field; on
// a region, the key goes to its [data-pane-start]. "Shift 1" is the digit with Shift, whatever the
// keyboard writes for it.
// A key of one character does nothing in fields, or where the person switched such keys off.
// [data-list] holds [data-row]s (j k p); [data-pane] and .pane are walked by F6; [data-main-action] is
// pressed by Ctrl+Enter, also in fields; "?" shows what is valid here.

const singles = () => document.body.dataset.singleKeys !== "off";
const typing = (element) => element.isContentEditable || element.matches(
  "textarea, select, input:not([type=checkbox], [type=radio], [type=button], [type=submit])");
const seen = (element) => element.checkVisibility?.() !== false || element.closest(".side, .top");
const usable = (element) => seen(element) && !element.disabled && element.getAttribute("aria-disabled") !== "true";
const here = () => document.querySelector("[data-row][data-here]");

const find = (keys) => {
  const all = [...document.querySelectorAll("[data-key]")]
    .filter((element) => element.dataset.key === keys && usable(element));
  const row = here();
  return all.find((element) => row?.contains(element)) || all[0];
};
const press = (element) => {
  if (element.matches("input:not([type=radio], [type=checkbox]), textarea, select")) {
    element.focus();
    element.select?.();
  } else if (element.matches("aside, section")) {
    (element.querySelector("[data-pane-start]") || element).focus();
  } else {
    if (element.matches("input")) element.focus();
    element.click();
  }
};

const rows = () => [...document.querySelectorAll("[data-list] [data-row]")].filter(seen);
const settle = (row) => {
  document.querySelectorAll("[data-here]").forEach((other) => { if (other !== row) delete other.dataset.here; });
  if (row) row.dataset.here = "";
};
const step = (by) => {
  const all = rows();
  const at = all.indexOf(here());
  const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + by))];
  if (!next) return;
  settle(next);
  (next.querySelector("[data-open]") || next.querySelector("input:checked")
    || next.querySelector("a, input, select, button") || next).focus();
  next.scrollIntoView({ block: "nearest" });
};
document.addEventListener("focusin", (event) => {
  const row = event.target.closest("[data-row]");
  if (row) settle(row);
});
// A click anywhere in a row puts the focus on its link, so that the panel beside the list follows.
document.addEventListener("click", (event) => {
  const row = event.target.closest("[data-list] [data-row]");
  if (row && !event.target.closest("a, button, input, label, summary, textarea, select"))
    row.querySelector("[data-open]")?.focus();
});

const pane = (by) => {
  const all = [...document.querySelectorAll("[data-pane], .pane")].filter(seen);
  if (!all.length) return false;
  const at = all.findIndex((one) => one.contains(document.activeElement));
  const next = all[(at + by + all.length) % all.length];
  (next.querySelector("[data-pane-start]") || next).focus();
  return true;
};

const name = (element) => {
  if (element.dataset.keyLabel) return element.dataset.keyLabel;
  if (element.getAttribute("aria-label")) return element.getAttribute("aria-label");
  const source = element.labels?.[0] || element;
  const copy = source.cloneNode(true);
  copy.querySelectorAll("kbd, svg, span:not(.outcome), .visually-hidden").forEach((part) => part.remove());
  return (copy.textContent || element.placeholder || "").trim().replace(/\s+/g, " ");
};
const make = (tag, look, text = "") =>
  Object.assign(document.createElement(tag), { className: look, textContent: text });
const help = () => {
  const lines = { "This page": [], "Go to": [], Lists: [] };
  const known = new Set();
  document.querySelectorAll("[data-key]").forEach((element) => {
    const keys = element.dataset.key;
    if (known.has(keys) || !usable(element) || keys === "?") return;
    if (!singles() && !/^F\d/.test(keys)) return;
    known.add(keys);
    lines[keys.startsWith("g ") ? "Go to" : "This page"].push([keys, name(element)]);
  });
  const main = document.querySelector("[data-main-action]");
  if (main && usable(main)) lines["This page"].unshift(["Ctrl Enter", name(main)]);
  if (document.querySelectorAll("[data-pane], .pane").length > 1) lines["This page"].push(["F6", "Next pane"]);
  if (singles() && document.querySelector("[data-list]")) {
    lines.Lists.push(["j", "Next"], ["k", "Previous"], ["Enter", "Open"]);
    if (document.getElementById("peek")) lines.Lists.push(["p", "To the panel beside it"]);
  }
  const dialog = make("dialog", "");
  const head = make("h2", "", "Keys on this page");
  head.id = "keys-head";
  dialog.setAttribute("aria-labelledby", head.id);
  const list = make("dl", "keys");
  for (const [title, found] of Object.entries(lines)) {
    if (!found.length) continue;
    list.append(make("dt", "field-label", title), make("dd", ""));
    for (const [keys, words] of found) {
      const term = make("dt", "");
      for (const one of keys.split(" ")) term.append(make("kbd", "", one), " ");
      list.append(term, make("dd", "", words));
    }
  }
  const close = make("button", "btn", "Close");
  close.addEventListener("click", () => dialog.close());
  const acts = make("div", "actions");
  acts.append(close);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.append(head, list, acts);
  document.body.append(dialog);
  dialog.showModal();
};
document.addEventListener("click", (event) => { if (event.target.closest("[data-show-keys]")) help(); });

let first = "";
let timer = 0;
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.repeat && !"jk".includes(event.key)) return;
  if (document.querySelector("dialog[open]")) return;
  const done = () => event.preventDefault();
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    const main = document.querySelector("[data-main-action]");
    if (main && usable(main)) { done(); main.click(); }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "F6") { if (pane(event.shiftKey ? -1 : 1)) done(); return; }
  if (/^F\d/.test(event.key)) {
    const found = find((event.shiftKey ? "Shift " : "") + event.key);
    if (found) { done(); press(found); }
    return;
  }
  if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
  if (event.key.length !== 1 || typing(event.target) || !singles()) return;
  const keys = first ? `${first} ${event.key}` : event.key;
  first = "";
  clearTimeout(timer);
  const digit = event.shiftKey && /^Digit([1-9])$/.exec(event.code)?.[1];
  const found = find(keys) || digit && digit !== event.key && find(`Shift ${digit}`);
  if (keys === "?") { done(); help(); } else if (found) { done(); press(found); } else if (
    document.querySelector(`[data-key^="${CSS.escape(keys)} "]`)) {
    first = keys;
    timer = setTimeout(() => { first = ""; }, 1200);
  } else if (document.querySelector("[data-list]")) {
    const choice = /^[1-9]$/.test(keys) && here()?.querySelectorAll("input[type=radio]")[keys - 1];
    if (choice) { done(); choice.click(); step(1); }
    if (keys === "j") { done(); step(1); }
    if (keys === "k") { done(); step(-1); }
    if (keys === "p") {
      done();
      const peek = document.getElementById("peek");
      (peek?.querySelector("button, a, input") || peek)?.focus();
    }
  }
});
document.querySelectorAll("[data-key]").forEach((element) => {
  if (singles() && !element.hasAttribute("aria-keyshortcuts"))
    element.setAttribute("aria-keyshortcuts", element.dataset.key.replace("Shift ", "Shift+"));
});
