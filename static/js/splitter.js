// The bar between two panes: drag it, or arrow keys, Home and End. The width is remembered in this
// browser; nothing else is. Below 1100 px, buttons show one pane at a time instead.
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
