// The jump box: asks the server for what matches, and walks the answer by arrow keys.
const box = document.querySelector("[data-palette]");
if (box) {
  const list = document.querySelector(box.dataset.palette);
  let asked = 0;
  let timer = 0;
  box.setAttribute("role", "combobox");
  box.setAttribute("aria-controls", list.id);
  box.setAttribute("aria-autocomplete", "list");
  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => list.querySelector("[aria-selected=true]");
  const choose = (option) => {
    chosen()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) box.setAttribute("aria-activedescendant", option.id); else box.removeAttribute("aria-activedescendant");
  };
  const show = (open) => {
    list.hidden = !open;
    box.setAttribute("aria-expanded", String(open));
    if (!open) choose(null);
  };
  const open = (option) => {
    const link = option.matches("a") ? option : option.querySelector("a");
    if (link) location.assign(link.href);
  };
  show(false);
  const ask = async () => {
    const number = ++asked;
    const words = box.value.trim();
    if (!words) { list.replaceChildren(); show(false); return; }
    const url = new URL(box.form.action);
    url.searchParams.set("q", words);
    const asks = { headers: { "HX-Request": "true" }, credentials: "same-origin" };
    const answer = await fetch(url, asks).catch(() => null);
    if (number !== asked || !answer?.ok || answer.redirected) return;
    list.innerHTML = await answer.text();
    options().forEach((option, place) => {
      option.id ||= `jump-${place}`;
      option.setAttribute("aria-selected", "false");
      if (option.matches("a")) option.tabIndex = -1;
    });
    show(true);
    const count = options().length;
    document.dispatchEvent(new CustomEvent("portal:say", { detail: { text: `${count} found` } }));
  };
  box.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 150); });
  box.addEventListener("keydown", (event) => {
    const all = options();
    const at = all.indexOf(chosen());
    if (event.key === "ArrowDown" && all.length) {
      event.preventDefault();
      show(true);
      choose(all[(at + 1) % all.length]);
    }
    if (event.key === "ArrowUp" && all.length) {
      event.preventDefault();
      choose(all[(at - 1 + all.length) % all.length]);
    }
    if (event.key === "Enter" && chosen()) { event.preventDefault(); open(chosen()); }
    if (event.key === "Escape") { show(false); box.value = ""; box.blur(); }
  });
  document.addEventListener("click", (event) => { if (!event.target.closest(".jump")) show(false); });
}
