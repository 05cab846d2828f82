// Saves a form with data-autosave="URL" 800 ms after the last keystroke: one request in flight, the
// revision of the last answer sent along, states idle, saving, saved and paused.
// Answers: 200 {"revision", "saved_at", and, where a reload needs it, "address" of the page with the
// text}; 409 {"error", "yours", "theirs"}: saving pauses and both
// texts are shown in [data-conflict]; 422 {"error"} pauses with that sentence.
const IDLE = 800;

// Files go with the form itself, not with every save of its text.
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
  // Leaving for another part, or submitting, waits until what was typed is kept.
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
