// The session ended while someone typed: the page and its text stay. They sign in in a new tab
// and return; the page takes the new session's token.
let shown = false;

const renew = async () => {
  const answer = await fetch("/", { credentials: "same-origin" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const headers = page.body.getAttribute("hx-headers");
  if (!headers) return false;
  document.body.setAttribute("hx-headers", headers);
  const token = JSON.parse(headers)["X-CSRFToken"];
  for (const input of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) input.value = token;
  return true;
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
    if (await renew().catch(() => false)) dialog.close();
    else dialog.querySelector(".msg").textContent = "You are not signed in yet.";
  });
  dialog.addEventListener("close", () => { dialog.remove(); shown = false; });
  document.body.append(dialog);
  dialog.showModal();
};

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
