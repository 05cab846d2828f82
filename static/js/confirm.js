// One check step before what cannot be undone: a native dialog that names the thing.
// Markup: hx-confirm="…", or data-confirm="Issue the letter to 4 recipients?" on a form or its
// button, with data-confirm-verb="Issue" for the button's word. Other modules ask by "portal:ask" with
// { question, verb, answer }.

const make = (tag, look, text = "") =>
  Object.assign(document.createElement(tag), { className: look, textContent: text });
const ask = (question, verb) => new Promise((resolve) => {
  const dialog = make("dialog", "");
  dialog.setAttribute("aria-labelledby", "ask-head");
  const head = make("h2", "", question);
  head.id = "ask-head";
  const acts = make("div", "actions");
  const opened = Date.now();
  let answer = false;
  const button = (words, look, yes) => {
    const made = make("button", look, words);
    made.type = "button";
    // A held-down key must not answer the question that it opened.
    made.addEventListener("click", () => { if (!yes || Date.now() - opened > 350) { answer = yes; dialog.close(); } });
    acts.append(made);
    return made;
  };
  const go = button(verb || "Continue", "btn primary", true);
  button("Cancel", "btn", false);
  dialog.append(head, acts);
  dialog.addEventListener("close", () => { dialog.remove(); resolve(answer); });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) go.click();
  });
  document.body.append(dialog);
  dialog.showModal();
  go.focus();
});

document.addEventListener("portal:ask", ({ detail }) => ask(detail.question, detail.verb).then(detail.answer));

const words = (button) => {
  const copy = button?.cloneNode(true);
  copy?.querySelectorAll("kbd, svg, .visually-hidden").forEach((part) => part.remove());
  return copy?.textContent.trim();
};

document.addEventListener("htmx:confirm", (event) => {
  if (!event.detail.question) return;
  event.preventDefault();
  const element = event.detail.elt;
  ask(event.detail.question, element.dataset.confirmVerb || words(event.detail.triggeringEvent?.submitter || element))
    .then((yes) => {
      if (yes) event.detail.issueRequest(true);
      else element.dispatchEvent(new Event("portal:refused", { bubbles: true }));
    });
});

const agreed = new WeakMap(); // form → when; an agreed form may be sent once more, after a save
addEventListener("submit", (event) => {
  const form = event.target;
  const button = event.submitter;
  const question = button?.dataset.confirm ?? form.dataset.confirm;
  if (!question || agreed.get(form) > Date.now() - 15000) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  ask(question, button?.dataset.confirmVerb || form.dataset.confirmVerb || words(button)).then((yes) => {
    if (!yes) return;
    agreed.set(form, Date.now());
    form.requestSubmit(button?.form === form ? button : undefined);
  });
}, true);
