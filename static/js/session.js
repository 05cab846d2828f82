// All tabs of a browser share one sign-in. If it ends or changes while someone types, the page and
// its text stay: they sign in in a new tab and return, or say that they continue as someone else.
const readToken = () => document.cookie.match(/(?:^|; )(?:__Host-csrf|csrftoken)=([^;]*)/)?.[1] || "";
let token = readToken(); // a new sign-in makes another one
let shown = false, asked = false;

// Whose sign-in it is now, and the header with its token; null if nobody is signed in.
const askWhoIsSignedIn = async () => {
  const answer = await fetch("/", { credentials: "same-origin" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const headers = page.body.getAttribute("hx-headers");
  const { person } = page.body.dataset;
  return headers && person ? { person, headers, name: page.querySelector("#person b")?.textContent } : null;
};

const takeToken = (now) => {
  document.body.setAttribute("hx-headers", now.headers);
  for (const input of document.querySelectorAll("input[name=csrfmiddlewaretoken]"))
    input.value = JSON.parse(now.headers)["X-CSRFToken"];
  token = readToken();
};

const tell = () => {
  if (shown) return;
  shown = true;
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-labelledby", "session-head");
  dialog.innerHTML = `<h2 id="session-head">You were signed out</h2>
    <p>Your text is kept. Sign in in a new tab, then return.</p>
    <p class="msg" role="alert"></p>
    <div class="actions"><a class="btn primary" href="/" target="_blank" rel="noopener">Sign in</a>
    <button class="btn" type="button">I have signed in</button></div>`;
  dialog.querySelector("button").addEventListener("click", async () => {
    const now = await askWhoIsSignedIn().catch(() => null);
    if (!now) { dialog.querySelector(".msg").textContent = "You are not signed in yet."; return; }
    dialog.close();
    confirmPerson(now);
  });
  dialog.addEventListener("close", () => { dialog.remove(); shown = false; });
  document.body.append(dialog);
  dialog.showModal();
};

// What one person typed is saved under another person's name only if that person agrees; otherwise
// the next save asks again.
const confirmPerson = (now) => new Promise((resolve) => {
  const agree = () => {
    takeToken(now);
    document.body.dataset.person = now.person;
    document.querySelectorAll("#person b").forEach((place) => { place.textContent = now.name; });
  };
  if (now.person === document.body.dataset.person) { agree(); resolve(true); return; }
  if (asked) { resolve(false); return; }
  asked = true;
  document.dispatchEvent(new CustomEvent("portal:ask", { detail: {
    question: `${now.name} is signed in now. Save what was typed here under that name?`,
    verb: `Continue as ${now.name}`,
    answer: (yes) => { asked = false; if (yes) agree(); resolve(yes); },
  } }));
});

const takeSignIn = async () => {
  const now = await askWhoIsSignedIn().catch(() => null);
  if (!now) tell();
  return Boolean(now) && confirmPerson(now);
};
const hasChanged = () => Boolean(document.body.dataset.person) && readToken() !== token;

document.addEventListener("portal:session-ended", tell);
document.addEventListener("session-ended", tell); // HX-Trigger
document.addEventListener("htmx:responseError", (event) => { if (event.detail.xhr.status === 401) tell(); });
// A redirect to the sign-in page must not be swapped into a fragment.
document.addEventListener("htmx:beforeSwap", (event) => {
  const to = event.detail.xhr.responseURL || "";
  if (/\/login\/?(\?|$)/.test(to) && !location.pathname.includes("/login")) {
    event.detail.shouldSwap = false;
    tell();
  }
});
addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (form.method !== "post" || !hasChanged()) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  takeSignIn().then((agreed) => { if (agreed) form.requestSubmit(submitter); });
}, true);
document.addEventListener("htmx:confirm", (event) => {
  if (event.detail.verb === "get" || !hasChanged()) return;
  event.preventDefault();
  takeSignIn().then((agreed) => { if (agreed) event.detail.issueRequest(true); });
});
document.addEventListener("portal:save-refused", (event) => {
  if (!hasChanged()) return;
  event.preventDefault();
  takeSignIn().then((agreed) => { if (agreed) event.detail.again(); });
});
