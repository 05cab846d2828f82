"use strict";
(() => {
const IDLE = 800;
const textOf = (form) => {
  const all = new FormData(form);
  for (const [name, value] of [...all]) if (value instanceof File) all.delete(name);
  return all;
};
const make = (tag, look, text = "") =>
  Object.assign(document.createElement(tag), { className: look, textContent: text });
const showConflict = (box, said, keepMine) => {
  box.replaceChildren(make("h2", "", said.error));
  for (const name of Object.keys(said.theirs || {})) {
    const [mine, other] = [said.yours?.[name] ?? "", said.theirs[name] ?? ""].map(String);
    if (mine === other) continue;
    const two = make("div", "versus");
    for (const [head, text] of [["Yours", mine], ["Theirs", other]]) {
      const side = make("div", "");
      side.append(make("h3", "muted", head), make("p", "typed", text || "Nothing"));
      two.append(side);
    }
    box.append(two);
  }
  const again = make("a", "btn", "Load the newer text");
  again.href = location.href;
  const mine = make("button", "btn", "Keep mine");
  mine.type = "button";
  mine.addEventListener("click", () => { box.hidden = true; keepMine(); });
  const acts = make("p", "actions end");
  acts.append(mine, again);
  box.append(acts);
  box.hidden = false;
  box.scrollIntoView({ block: "nearest" });
};

const start = (form) => {
  const shown = document.querySelector(form.dataset.autosaveState || "[data-save-state]");
  let timer = 0, busy = false, again = false, state = "idle", tries = 0;

  const become = (next, words) => {
    if (shown) {
      shown.textContent = words;
      shown.classList.toggle("paused", next === "paused");
    }
    if (next !== state && (next === "paused" || state === "paused")) {
      document.dispatchEvent(new CustomEvent("portal:say", { detail: { text: words, urgent: next === "paused" } }));
    }
    state = next;
  };
  const later = (wait) => { clearTimeout(timer); timer = setTimeout(save, wait); };

  async function save() {
    if (state === "paused") return;
    if (busy) { again = true; return; }
    busy = true;
    again = false;
    become("saving", "Saving…");
    let answer;
    try {
      answer = await fetch(form.dataset.autosave, {
        method: "POST", body: textOf(form), credentials: "same-origin", keepalive: true,
        headers: { Accept: "application/json", "HX-Request": "true" },
      });
    } catch { answer = null; }
    busy = false;
    if (!answer || answer.status >= 500) {
      tries += 1;
      become("unsaved", tries > 5 ? "Not saved. Keep this page open." : "Not connected. Trying again.");
      later(Math.min(30000, 1000 * 2 ** tries));
      return;
    }
    tries = 0;
    if (answer.status === 401 || /\/login\/?(\?|$)/.test(answer.url)) {
      become("unsaved", "Not saved: you were signed out.");
      document.dispatchEvent(new CustomEvent("portal:session-ended"));
      return;
    }
    const refused = new CustomEvent("portal:save-refused", { cancelable: true, detail: { again: () => later(0) } });
    if (answer.status === 403 && !document.dispatchEvent(refused)) {
      become("unsaved", "Not saved: your sign-in changed.");
      return;
    }
    const said = answer.headers.get("content-type")?.includes("json") ? await answer.json() : {};
    if (answer.ok) {
      const revision = form.querySelector("[name=revision]");
      if (revision && said.revision !== undefined) revision.value = said.revision;
      if (said.address) history.replaceState(history.state, "", said.address);
      become("saved", `Saved ${said.saved_at}`);
      form.dispatchEvent(new CustomEvent("portal:saved", { bubbles: true }));
      if (again) later(IDLE);
      return;
    }
    const box = document.querySelector("[data-conflict]");
    if (box && answer.status === 409) {
      showConflict(box, said, () => {
        form.querySelector("[name=revision]").value = said.revision;
        become("unsaved", "Not saved yet");
        save();
      });
    }
    const why = answer.status === 409 ? "Paused: changed in another window" : said.error;
    become("paused", why || `Not saved (${answer.status})`);
  }

  document.addEventListener("input", (event) => {
    if (event.target.form !== form) return;
    if (state === "paused" && !document.querySelector("[data-conflict]:not([hidden])")) state = "idle";
    if (state !== "paused") { become("unsaved", "Not saved yet"); later(IDLE); }
  });
  const waiting = () => ["unsaved", "saving"].includes(state);
  const flush = async () => {
    clearTimeout(timer);
    while (busy) await new Promise((go) => setTimeout(go, 50));
    if (state === "unsaved") await save();
    return state === "saved";
  };
  addEventListener("submit", (event) => {
    const plain = event.target === form && !event.submitter?.hasAttribute("formaction");
    if (plain) { clearTimeout(timer); state = "idle"; }
    if (plain || !waiting() || event.target.matches("[hx-post], [hx-get]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    flush().then((kept) => { if (kept) event.target.requestSubmit(event.submitter); });
  }, true);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]:not([target], [hx-get])");
    if (!link || !waiting() || event.ctrlKey || event.metaKey || link.getAttribute("href").startsWith("#")) return;
    event.preventDefault();
    flush().then((kept) => { if (kept) location.assign(link.href); });
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && state === "unsaved") { clearTimeout(timer); save(); }
  });
  addEventListener("beforeunload", (event) => { if (waiting()) event.preventDefault(); });
};
document.querySelectorAll("form[data-autosave]").forEach(start);
})();
(() => {
const bar = document.querySelector("[role=separator][data-splitter]");
if (bar) {
  const box = bar.closest("[data-split]");
  const LEAST = 30, MOST = 70;
  const set = (to) => {
    const share = Math.round(Math.max(LEAST, Math.min(MOST, to)));
    box.style.setProperty("--split", share);
    bar.setAttribute("aria-valuenow", share);
    try { localStorage.setItem("split", share); } catch { /* not remembered */ }
  };
  let kept = null;
  try { kept = localStorage.getItem("split"); } catch { /* not remembered */ }
  set(Number(kept) || 50);
  bar.addEventListener("keydown", (event) => {
    const now = Number(bar.getAttribute("aria-valuenow"));
    const to = { ArrowLeft: now - 2, ArrowRight: now + 2, Home: LEAST, End: MOST }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    set(to);
  });
  bar.addEventListener("pointerdown", (event) => {
    const left = bar.previousElementSibling.getBoundingClientRect().left;
    const width = bar.nextElementSibling.getBoundingClientRect().right - left;
    const move = (at) => set(((at.clientX - left) / width) * 100);
    bar.setPointerCapture(event.pointerId);
    bar.addEventListener("pointermove", move);
    bar.addEventListener("lostpointercapture", () => bar.removeEventListener("pointermove", move), { once: true });
  });
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-show-pane]");
  if (!button) return;
  document.querySelector("[data-split]").dataset.show = button.dataset.showPane;
  for (const one of document.querySelectorAll("[data-show-pane]"))
    one.setAttribute("aria-pressed", String(one === button));
});
})();
(() => {
const announce = (sheet) => {
  if (sheet?.matches?.("img.sheet")) document.body.dispatchEvent(new Event("portal:opened"));
};
document.addEventListener("load", (event) => announce(event.target), true);
const first = document.querySelector("img.sheet");
if (first?.complete) addEventListener("load", () => announce(first), { once: true });
})();
