// A second click on a submit button does nothing until the first is answered. The server guards too.
const WAIT = 10000;
const buttons = (form) => [...form.elements].filter((part) => part.type === "submit");
const free = (form) => {
  delete form.dataset.sent;
  buttons(form).forEach((button) => button.removeAttribute("aria-busy"));
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented && !form.matches("[hx-post], [hx-get]")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  if (form.method !== "post" && !form.matches("[hx-post]")) return;
  form.dataset.sent = "1";
  event.submitter?.setAttribute("aria-busy", "true");
  setTimeout(() => free(form), WAIT);
}, true);

for (const done of ["htmx:afterRequest", "htmx:sendError", "portal:refused"]) {
  document.addEventListener(done, (event) => {
    const form = event.target.closest?.("form");
    if (form) free(form);
  });
}
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(free));
// A page that answers a form is asked for as a page on reload and Back, so that the browser neither
// asks whether to send the form again nor shows an error.
if (document.documentElement.hasAttribute("data-posted")) history.replaceState(history.state, "", location.href);
