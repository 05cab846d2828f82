// After every swap the focus lands somewhere sensible, and what changed is said once.
// Others announce by dispatching "portal:say" with { text, urgent } on document.

const say = (text, urgent = false) => {
  const box = document.getElementById(urgent ? "alert" : "live");
  if (!box || !text) return;
  box.textContent = "";
  setTimeout(() => { box.textContent = text; }, 60);
};
document.addEventListener("portal:say", (event) => say(event.detail.text, event.detail.urgent));

const swaps = new WeakMap(); // by request, because requests overlap
document.addEventListener("htmx:beforeRequest", (event) => event.detail.target?.setAttribute("aria-busy", "true"));
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const at = document.activeElement;
  const after = detail.requestConfig.elt.closest("[data-focus-after]")?.dataset.focusAfter;
  swaps.set(detail.xhr, { id: at?.id, after, inside: detail.target.contains(at) });
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
  const was = swaps.get(event.detail.xhr);
  const lost = document.activeElement === document.body;
  // A poll, or a panel that follows the row in focus, moves the focus only if it took it away.
  if (event.detail.elt?.closest?.("[data-poll], [data-keep-focus]")) {
    if (!lost || !was?.inside) return;
  } else if (!lost && !target?.querySelector?.("[autofocus]")) return;
  const live = document.contains(target)
    ? target : document.getElementById(target?.id) || document.getElementById("main");
  take(live.querySelector("[autofocus]"))
    || (was?.id && take(document.getElementById(was.id)))
    || (was?.after && take(document.querySelector(was.after)))
    || take(live.querySelector("h1, h2, h3"))
    || take(document.getElementById("main"));
});

document.addEventListener("htmx:sendError", () =>
  say("Not connected. What you typed is still here.", true));
document.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  if (status !== 401) say(`Not done (${status}). What you typed is still here.`, true);
});

// A page sent back with errors: the summary takes the focus without htmx too.
take(document.querySelector("main [autofocus][role=alert]"));
