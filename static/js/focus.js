// After every swap the focus lands somewhere sensible, and what changed is said once.
// Others announce by dispatching "portal:say" with { text, urgent } on document.

const say = (text, urgent = false) => {
  const box = document.getElementById(urgent ? "alert" : "live");
  if (!box || !text) return;
  box.textContent = "";
  setTimeout(() => { box.textContent = text; }, 60);
};
document.addEventListener("portal:say", (event) => say(event.detail.text, event.detail.urgent));

let before = null;
document.addEventListener("htmx:beforeRequest", (event) => {
  const at = document.activeElement;
  before = { id: at && at !== document.body ? at.id : "", after: event.target.closest?.("[data-focus-after]")?.dataset.focusAfter };
  event.detail.target?.setAttribute("aria-busy", "true");
});
document.addEventListener("htmx:afterRequest", (event) => event.detail.target?.removeAttribute("aria-busy"));

const take = (element) => {
  if (!element) return false;
  if (element.tabIndex < 0 && !element.hasAttribute("tabindex")) element.tabIndex = -1;
  element.focus();
  return document.activeElement === element;
};

document.addEventListener("htmx:afterSettle", (event) => {
  const target = event.detail.target;
  const said = target?.querySelector?.("[data-say]") || (target?.matches?.("[data-say]") ? target : null);
  if (said) say(said.dataset.say);
  // A poll, or a panel that follows the row in focus, never moves the focus.
  if (event.detail.elt?.closest?.("[data-poll], [data-keep-focus]") || document.activeElement !== document.body) {
    const urgent = target?.querySelector?.("[autofocus]");
    if (!urgent || event.detail.elt?.closest?.("[data-poll], [data-keep-focus]")) return;
  }
  const live = document.contains(target) ? target : document.getElementById(target?.id) || document.getElementById("main");
  take(live.querySelector("[autofocus]"))
    || (before?.id && take(document.getElementById(before.id)))
    || (before?.after && take(document.querySelector(before.after)))
    || take(live.querySelector("h1, h2, h3"))
    || take(document.getElementById("main"));
});

document.addEventListener("htmx:sendError", () => say("Not connected. Nothing was sent; what you typed is still here.", true));
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status !== 401) say(`Not done (${event.detail.xhr.status}). What you typed is still here.`, true);
});

// A page sent back with errors: the summary takes the focus without htmx too.
take(document.querySelector("main [autofocus][role=alert]"));
